//! Answers match the OpenAPI document, and metrics have the names of the contract.

use serde_json::{Value, json};

use crate::world::World;

/// Checks a value against a schema of the document: every required member is present, and every member is in the schema.
fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => schema,
    };
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{at}: {value} is none of {allowed:?}");
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let described = &schema["properties"][name];
                assert!(!described.is_null(), "{at}.{name} is not in the document");
                check(document, described, member, &format!("{at}.{name}"));
            }
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(members.contains_key(name.as_str().unwrap()), "{at}.{name} is missing in the answer");
            }
        }
        Value::Array(values) if !schema["items"].is_null() => {
            values.iter().for_each(|value| check(document, &schema["items"], value, &format!("{at}[]")));
        }
        _ => {}
    }
    let kind = match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(number) if schema["type"] == "integer" && (number.is_u64() || number.is_i64()) => {
            "integer"
        }
        Value::Number(_) => "number",
        Value::Null => "null",
    };
    if let Some(expected) = schema["type"].as_str() {
        assert_eq!(kind, expected, "{at}: {value}");
    }
}

#[test]
fn answers_match_the_document() {
    let world = World::start(&[]);
    let document = world.get("/v1/openapi.json").json();
    let infer = json!({ "id": "a", "inputs": [
        { "name": "viewer", "shape": [1, 1], "datatype": "BYTES", "data": ["1"] },
        { "name": "titles", "shape": [1, 2], "datatype": "INT64", "data": [10, 11] },
    ] });
    #[rustfmt::skip]
    let cases = [
        ("ScoreResponse",  world.post("/v1/objectives/watch/score", &json!({ "viewer": "1", "titles": ["10", "11"] }))),
        ("TopKResponse",   world.post("/v1/objectives/watch/top-k", &json!({ "viewer": "1", "k": 3 }))),
        ("PageResponse",   world.post("/v1/surfaces/home/page", &json!({ "viewer": "1" }))),
        ("PageResponse",   world.post("/v1/surfaces/home/page", &json!({}))),
        ("Status",         world.get("/status")),
        ("ServerMetadata", world.get("/v2")),
        ("ModelMetadata",  world.get("/v2/models/watch")),
        ("InferResponse",  world.post("/v2/models/watch/infer", &infer)),
        ("InferenceError", world.get("/v2/models/other")),
        ("Problem",        world.get("/nowhere")),
        ("Problem",        world.post("/v1/surfaces/kids/page", &json!({}))),
    ];
    for (name, answer) in cases {
        let schema = &document["components"]["schemas"][name];
        assert!(!schema.is_null(), "{name} is not in the document");
        check(&document, schema, &answer.json(), name);
    }
}

#[test]
fn a_page_says_how_long_its_stages_took() {
    let world = World::start(&[]);
    let answer = world.post("/v1/surfaces/home/page", &json!({ "viewer": "1", "recent": ["12"] }));
    let page = answer.json();
    let stages: Vec<&str> =
        page["timings"].as_array().unwrap().iter().map(|timing| timing["stage"].as_str().unwrap()).collect();
    assert!(!stages.is_empty(), "{page}");
    let header = &answer.headers["server-timing"];
    let named: Vec<&str> = header.split(", ").map(|entry| entry.split_once(";dur=").unwrap().0).collect();
    assert_eq!(named, stages, "{header}");
    assert_eq!(page["rows"][0]["titles"].as_array().unwrap().len(), 3);
    assert_eq!(page["rows"][0]["titles"][0]["genres"], json!(["Drama"]));
}

#[test]
fn a_scrape_has_the_names_of_the_contract_and_no_label_from_a_caller() {
    let world = World::start(&[]);
    assert_eq!(world.post("/v1/objectives/watch/score", &json!({ "titles": ["10"] })).status, 200);
    assert_eq!(world.post("/v1/objectives/invented/score", &json!({ "titles": ["10"] })).status, 404);
    assert_eq!(world.post("/v1/surfaces/invented/page", &json!({})).status, 404);
    assert_eq!(world.get("/v2/models/invented/ready").status, 404);
    let scrape = world.get("/metrics");
    assert_eq!(scrape.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = scrape.text();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?} is not a sample"));
        assert!(value.parse::<f64>().is_ok(), "{line:?} has no number");
        assert!(series.starts_with("marquee_") || series.starts_with("process_"), "{line:?}");
    }
    use marquee_crds::metrics as names;
    for name in
        [names::REQUESTS, names::REQUEST_SECONDS, names::IN_FLIGHT, names::MODEL_INFO, names::BUILD_INFO]
    {
        assert!(text.contains(&format!("# TYPE {name} ")), "the scrape has no {name}");
    }
    assert!(!text.contains("invented"), "a label holds text from a caller");
    let series = |code: &str| format!("{}{{code=\"{code}\",method=\"http/score\"}}", names::REQUESTS);
    assert_eq!((world.metric(&series("Ok")), world.metric(&series("NotFound"))), (1.0, 1.0));
}

#[test]
fn an_answer_to_head_has_no_body_and_the_preview_is_served() {
    let world = World::start(&[]);
    let head = world.send("HEAD /status", &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_ne!(head.headers["content-length"], "0");
    let preview = world.get("/preview/");
    assert_eq!(preview.status, 200);
    assert!(
        preview.headers["content-security-policy"].contains("default-src 'none'"),
        "{:?}",
        preview.headers
    );
    assert!(preview.headers.contains_key("x-request-id"));
}
