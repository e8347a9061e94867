//! The Open Inference Protocol, by a stock client (PyPI's `tritonclient`) and by hand.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::world::World;

/// The Python interpreter that `make setup` prepares.
fn python() -> PathBuf {
    let cache = std::env::var_os("MARQUEE_CACHE").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::home_dir().map(|home| home.join(".cache/marquee")));
    let python = cache.expect("a home or MARQUEE_CACHE").join("venv-test/bin/python");
    assert!(python.exists(), "{} is missing: run `make setup`", python.display());
    python
}

#[test]
fn a_stock_client_works_over_http_and_grpc() {
    let world = World::start(&[]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/oip/client.py");
    let ran = Command::new(python())
        .arg(script)
        .args([world.http.to_string(), world.grpc.to_string(), "watch".into()])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let answers: Value = serde_json::from_slice(&ran.stdout).unwrap();

    let score = |body: Value| world.post("/v1/objectives/watch/score", &body).json()["scores"].clone();
    let one = score(json!({ "viewer": "1", "titles": ["10", "11", "17"] }));
    let first = score(json!({ "viewer": "1", "titles": ["10", "11"] }));
    let second = score(json!({ "viewer": "stranger", "recent": ["14"], "titles": ["12", "13"] }));
    for (listener, answer) in answers.as_object().unwrap() {
        assert!(
            ["live", "ready", "model_ready"].iter().all(|what| answer[what] == true),
            "{listener}: {answer}"
        );
        assert_eq!(answer["other_ready"], false, "{listener}");
        let described = json!({ "name": "watch", "inputs": ["viewer", "titles", "recent"] });
        assert_eq!(answer["metadata"], described, "{listener}");
        for how in ["one", "named", "numbers", "gzip", "deflate"] {
            assert_same(&answer[how], &json!([one]), &format!("{listener} {how}"));
        }
        assert_same(&answer["two"], &json!([first, second]), &format!("{listener} two"));
        let refused = |what: &str| answer[what].as_str().unwrap().to_owned();
        assert!(refused("unknown_title").contains("titles[0] \"99\""), "{listener}: {answer}");
        assert!(
            refused("unknown_model").contains("no model answers to the objective \"other\""),
            "{listener}: {answer}"
        );
    }
    for how in ["plain_in", "plain_out", "plain"] {
        assert_same(&answers["http"][how], &json!([one]), how);
    }
}

/// Equal as f32: one side writes the shortest digits of an f32, the other those of the same number as f64.
fn assert_same(found: &Value, expected: &Value, what: &str) {
    let flat = |value: &Value| -> Vec<Vec<f32>> {
        let rows = value.as_array().unwrap_or_else(|| panic!("{what}: {value}"));
        rows.iter()
            .map(|row| row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect())
            .collect()
    };
    assert_eq!(flat(found), flat(expected), "{what}");
}

#[test]
fn binary_tensors_that_do_not_add_up_are_refused() {
    let world = World::start(&[]);
    let tensor = |name: &str, size: usize| json!({ "name": name, "shape": [1, 1], "datatype": "BYTES", "parameters": { "binary_data_size": size } });
    let head = |viewer: usize, titles: usize| {
        json!({ "inputs": [tensor("viewer", viewer), tensor("titles", titles)] }).to_string()
    };
    let raw: &[u8] = b"\x01\0\0\x001\x02\0\0\x0010";
    let whole = head(5, 6);
    #[rustfmt::skip]
    let cases: [(&str, String, Option<usize>, &[u8], u16, &str); 7] = [
        ("whole",                     head(5, 6), Some(whole.len()),     raw,       200, "\"data\":["),
        ("a length beyond the body",  head(5, 6), Some(10_000),          raw,       400, "inference-header-content-length is invalid"),
        ("a length within the JSON",  head(5, 6), Some(10),              raw,       400, "EOF while parsing"),
        ("too few bytes",             head(5, 7), Some(whole.len()),     raw,       400, "input \"titles\" has binary_data_size 7, but the body ends earlier"),
        ("bytes left over",           head(5, 6), Some(whole.len()),     b"\x01\0\0\x001\x02\0\0\x0010rest", 400, "4 bytes follow the last binary tensor"),
        ("a text beyond its tensor",  head(6, 5), Some(whole.len()),     raw,       400, "ends in the middle of element"),
        ("binary without the header", head(5, 6), None,                  b"",       400, "but the body ends earlier"),
    ];
    for (why, json, length, raw, status, holds) in cases {
        let body = [json.as_bytes(), raw].concat();
        let length = length.map(|length| length.to_string());
        let mut headers = vec![];
        if let Some(length) = &length {
            headers.push(("content-type", "application/octet-stream"));
            headers.push(("inference-header-content-length", &**length));
        }
        let answer = world.send("POST /v2/models/watch/infer", &headers, &body);
        assert_eq!(answer.status, status, "{why}: {}", answer.text());
        let text = answer.text();
        let said = answer.json()["error"].as_str().map_or(text.clone(), str::to_owned);
        assert!(said.contains(holds), "{why}: {text}");
    }
}

#[test]
fn a_null_is_an_absent_member() {
    let world = World::start(&[]);
    let infer = "/v2/models/watch/infer";
    // The types of mlserver send every absent member as null.
    let whole = json!({
        "id": null,
        "parameters": null,
        "inputs": [
            { "name": "viewer", "shape": [1, 1], "datatype": "BYTES", "parameters": null, "data": ["1"] },
            { "name": "titles", "shape": [1, 2], "datatype": "BYTES", "parameters": null, "data": ["10", "11"] },
        ],
        "outputs": null,
    });
    let expected =
        world.post("/v1/objectives/watch/score", &json!({ "viewer": "1", "titles": ["10", "11"] }));
    let expected = expected.json()["scores"].clone();
    let with = |pointer: &str, value: Value| {
        let mut body = whole.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    #[rustfmt::skip]
    let cases = [
        ("all null",                    whole.clone()),
        ("null in parameters",          with("/parameters", json!({ "binary_data_output": null, "content_type": null, "headers": null }))),
        ("null in an input's",          with("/inputs/0/parameters", json!({ "binary_data_size": null, "content_type": null }))),
        ("an output's parameters",      with("/outputs", json!([{ "name": "scores", "parameters": null }]))),
        ("null in an output's",         with("/outputs", json!([{ "name": "scores", "parameters": { "binary_data": null } }]))),
        ("members of other servers",    with("/inputs/1/parameters", json!({ "content_type": "str", "x": { "y": null } }))),
    ];
    for (why, body) in cases {
        let answer = world.post(infer, &body);
        assert_eq!(answer.status, 200, "{why}: {}", answer.text());
        let answer = answer.json();
        assert_eq!(answer["outputs"][0]["data"], expected, "{why}");
        assert!(answer.get("id").is_none(), "{why}: {answer}");
    }
    #[rustfmt::skip]
    let refused = [
        ("no inputs",             with("/inputs", json!(null)),        "input \"viewer\" is missing"),
        ("no data",               with("/inputs/0/data", json!(null)), "must have its elements in one place"),
        ("an element is no id",   with("/inputs/0/data", json!([null])), "invalid type: null"),
    ];
    for (why, body, message) in refused {
        let answer = world.post(infer, &body);
        assert_eq!(answer.status, 400, "{why}: {}", answer.text());
        assert!(answer.json()["error"].as_str().unwrap().contains(message), "{why}: {}", answer.text());
    }
    // The same over the other protocol.
    #[rustfmt::skip]
    let cases = [
        ("/v1/objectives/watch/score", json!({ "viewer": null, "recent": null, "titles": ["10"] }), json!({ "titles": ["10"] })),
        ("/v1/objectives/watch/top-k", json!({ "k": 2, "exclude": null, "includeWatched": null }),  json!({ "k": 2 })),
        ("/v1/surfaces/home/page",     json!({ "viewer": null, "recent": null }),                   json!({})),
    ];
    for (path, nulls, absent) in cases {
        let answer = |body: &Value| {
            let mut answer = world.post(path, body).json();
            answer.as_object_mut().unwrap().remove("timings");
            answer
        };
        assert_eq!(answer(&nulls), answer(&absent), "{path}");
    }
}

#[test]
fn a_version_is_a_revision() {
    let world = World::start(&[]);
    let revision = world.get("/v2/models/watch").json()["versions"][0].as_str().unwrap().to_owned();
    assert_eq!(world.get(&format!("/v2/models/watch/versions/{revision}/ready")).status, 200);
    let body = json!({ "inputs": [
        { "name": "viewer", "shape": [1, 1], "datatype": "BYTES", "data": [["1"]] },
        { "name": "titles", "shape": [1, 2], "datatype": "BYTES", "data": [["10", "11"]] },
    ] });
    let answer = world.post(&format!("/v2/models/watch/versions/{revision}/infer"), &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["model_version"], revision);
    assert_eq!(answer.json()["outputs"][0]["shape"], json!([1, 2]));
    assert_eq!(world.post("/v2/models/watch/versions/1/infer", &body).status, 404);
}
