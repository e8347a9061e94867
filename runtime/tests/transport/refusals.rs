//! Bad requests: each gets its status, its code, and a message that says what to do, over HTTP and gRPC.

use marquee_runtime::transport::grpc::contract::marquee::v1::{
    GetPageRequest, ScoreRequest, TopKRequest, pages_client::PagesClient, ranker_client::RankerClient,
};
use serde_json::{Value, json};
use tonic::{Code, transport::Channel};

use crate::world::World;

const SCORE: &str = "POST /v1/objectives/watch/score";
const TOP_K: &str = "POST /v1/objectives/watch/top-k";
const PAGE: &str = "POST /v1/surfaces/home/page";

#[test]
fn bad_bodies_get_a_problem_that_says_what_to_do() {
    let many = json!({ "titles": vec!["10"; 10_001] }).to_string();
    let recent = json!({ "recent": vec!["10"; 1_001], "titles": ["10"] }).to_string();
    #[rustfmt::skip]
    let cases: [(&str, &str, &[u8], u16, &str, &str); 21] = [
        // why                     request  body                              status code          detail holds
        ("no body",                SCORE,   b"",                                400, "Invalid",  "the body is empty: send a JSON object"),
        ("no JSON",                SCORE,   b"titles=10",                       400, "Invalid",  "line 1 column 2"),
        ("cut short",              SCORE,   b"{\"titles\":[\"10\"",             400, "Invalid",  "EOF while parsing a list at line 1 column 15"),
        ("something behind it",    SCORE,   b"{\"titles\":[\"10\"]} x",         400, "Invalid",  "trailing characters at line 1 column 19"),
        ("not UTF-8",              SCORE,   b"{\"titles\":[\"\xff\"]}",         400, "Invalid",  "the body is not UTF-8: invalid byte at offset 12"),
        ("half a surrogate",       SCORE,   b"{\"titles\":[\"\\ud800\"]}",      400, "Invalid",  "at line 1 column"),
        ("unknown field",          SCORE,   b"{\"title\":[\"10\"]}",            400, "Invalid",  "unknown field `title`, expected one of `viewer`, `recent`, `titles`"),
        ("missing field",          SCORE,   b"{\"viewer\":\"1\"}",              400, "Invalid",  "missing field `titles`"),
        ("twice the same field",   SCORE,   b"{\"titles\":[],\"titles\":[]}",   400, "Invalid",  "duplicate field `titles`"),
        ("wrong type",             SCORE,   b"{\"titles\":[10]}",               400, "Invalid",  "invalid type: integer `10`, expected a string at line 1 column 13"),
        ("a list for the whole",   SCORE,   b"null",                            400, "Invalid",  "at line 1 column 4"),
        ("no titles",              SCORE,   b"{\"titles\":[]}",                 400, "Invalid",  "titles is empty: name 1 to 10000 titles to score"),
        ("too many titles",        SCORE,   many.as_bytes(),                    400, "Invalid",  "titles has 10001 entries, more than 10000: ask in several requests"),
        ("too many recent",        SCORE,   recent.as_bytes(),                  400, "Invalid",  "recent has 1001 entries, more than 1000: send the latest ones only"),
        ("an unknown title",       SCORE,   b"{\"titles\":[\"10\",\"99\"]}",    404, "NotFound", "titles[1] \"99\" is not among the 8 titles of objective \"watch\""),
        ("k is nothing",           TOP_K,   b"{\"k\":0}",                       400, "Invalid",  "k is 0, but objective \"watch\" answers 1 to 5 titles: ask for at least one"),
        ("k over the limit",       TOP_K,   b"{\"k\":6}",                       400, "Invalid",  "k is 6, but objective \"watch\" answers 1 to 5 titles: ask for fewer"),
        ("k is negative",          TOP_K,   b"{\"k\":-1}",                      400, "Invalid",  "invalid value: integer `-1`, expected usize"),
        ("no k",                   TOP_K,   b"{}",                              400, "Invalid",  "missing field `k`"),
        ("an unknown objective",   "POST /v1/objectives/wtach/score", b"{\"titles\":[\"10\"]}", 404, "NotFound", "no model answers to the objective \"wtach\": the nearest is \"watch\""),
        ("an unknown surface",     "POST /v1/surfaces/kids/page",     b"{}",                    404, "NotFound", "no page for the surface \"kids\": there are \"home\""),
    ];
    let world = World::start(&[]);
    for (why, request, body, status, code, detail) in cases {
        let answer = world.send(request, &[("content-type", "application/json")], body);
        assert_eq!(answer.status, status, "{why}: {}", answer.text());
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{why}");
        let problem = answer.json();
        assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)), "{why}");
        assert_eq!(problem["requestId"], answer.headers["x-request-id"], "{why}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{why}: {}", problem["detail"]);
    }
}

#[test]
fn method_path_and_headers_are_checked_too() {
    let body: &[u8] = b"{\"titles\":[\"10\"]}";
    const JSON: (&str, &str) = ("content-type", "application/json");
    #[rustfmt::skip]
    let cases: [(&str, &str, &[(&str, &str)], u16, &str, &str); 10] = [
        ("no content type",         SCORE, &[],                                       415, "UnsupportedMediaType", "content-type is missing: send application/json"),
        ("a form",                  SCORE, &[("content-type", "text/plain")],         415, "UnsupportedMediaType", "content-type is text/plain: send application/json"),
        ("a longer type",           SCORE, &[("content-type", "application/jsonl")],  415, "UnsupportedMediaType", "application/jsonl"),
        ("another method",          "GET /v1/objectives/watch/score", &[],            405, "MethodNotAllowed",     "this route supports the methods POST"),
        ("another method",          "POST /status", &[],                              405, "MethodNotAllowed",     "this route supports the methods GET, HEAD"),
        ("a path that is none",     "GET /v1/pages", &[],                             404, "NotFound",             "no route has this path"),
        ("a timeout that is none",  SCORE, &[JSON, ("x-request-timeout-ms", "soon")], 400, "Invalid",              "x-request-timeout-ms is not a number of milliseconds"),
        ("gRPC's without a unit",   SCORE, &[JSON, ("grpc-timeout", "250")],          400, "Invalid",              "grpc-timeout is not a timeout"),
        ("past its deadline",       SCORE, &[JSON, ("x-request-timeout-ms", "0")],    504, "DeadlineExceeded",     "the deadline passed"),
        ("a page past its deadline", PAGE, &[JSON, ("x-request-timeout-ms", "0")],    504, "DeadlineExceeded",     "the deadline passed"),
    ];
    let world = World::start(&[]);
    for (why, request, headers, status, code, detail) in cases {
        let body = if request == PAGE { b"{}" } else { body };
        let answer = world.send(request, headers, body);
        let problem = answer.json();
        assert_eq!((answer.status, &problem["code"]), (status, &json!(code)), "{why}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{why}: {problem}");
    }
    let routes = world.get("/nowhere").json()["routes"].clone();
    assert!(routes.as_array().unwrap().contains(&json!("POST /v1/surfaces/{surface}/page")), "{routes}");
    let allow = world.send("DELETE /readyz", &[], b"").headers["allow"].clone();
    assert_eq!(allow, "GET, HEAD, OPTIONS");
    let options = world.send("OPTIONS /v1/surfaces/home/page", &[], b"");
    assert_eq!((options.status, &*options.headers["allow"], options.body.len()), (204, "POST, OPTIONS", 0));
    assert_eq!(
        world.send("POST /v1/objectives/watch/score/", &[JSON], body).status,
        200,
        "a slash at the end"
    );
    let unsupported = world.get("/v2/repository/index");
    assert_eq!(unsupported.status, 501);
    assert!(unsupported.json()["error"].as_str().unwrap().contains("GET /status"), "{}", unsupported.text());
    let with_charset = [("content-type", "application/json; charset=utf-8")];
    assert_eq!(world.send(SCORE, &with_charset, body).status, 200);
}

#[test]
fn errors_of_the_open_inference_protocol_have_its_form() {
    let infer = |inputs: Value| json!({ "inputs": inputs }).to_string();
    let tensor = |name: &str, shape: Value, datatype: &str, data: Value| json!({ "name": name, "shape": shape, "datatype": datatype, "data": data });
    let viewer = || tensor("viewer", json!([1, 1]), "BYTES", json!(["1"]));
    let titles = |data: Value| tensor("titles", json!([1, 2]), "BYTES", data);
    #[rustfmt::skip]
    let cases = [
        ("no inputs",            "watch", "{}".to_owned(),                                      400, "missing field `inputs`"),
        ("a tensor less",        "watch", infer(json!([viewer()])),                             400, "input \"titles\" is missing"),
        ("fewer elements",       "watch", infer(json!([viewer(), titles(json!(["10"]))])),      400, "has 1 elements, which does not match its shape [1, 2]"),
        ("numbers as BYTES",     "watch", infer(json!([viewer(), titles(json!([10, 11]))])),    400, "has elements that do not match its datatype"),
        ("fractions",            "watch", infer(json!([viewer(), titles(json!([1.5, 2]))])),    400, "invalid type: floating point `1.5`"),
        ("another data type",    "watch", infer(json!([viewer(), tensor("titles", json!([1, 1]), "FP32", json!([1]))])), 400, "send ids as BYTES"),
        ("an unknown title",     "watch", infer(json!([viewer(), titles(json!(["10", "99"]))])), 404, "titles[1] \"99\""),
        ("an unknown model",     "other", infer(json!([viewer(), titles(json!(["10", "11"]))])), 404, "no model answers to the objective \"other\""),
    ];
    let world = World::start(&[]);
    for (why, model, body, status, message) in cases {
        let path = format!("POST /v2/models/{model}/infer");
        let answer = world.send(&path, &[("content-type", "application/json")], body.as_bytes());
        assert_eq!(answer.status, status, "{why}: {}", answer.text());
        assert!(answer.json()["error"].as_str().unwrap().contains(message), "{why}: {}", answer.text());
    }
    let version = world.get("/v2/models/watch/versions/abc");
    assert_eq!(version.status, 404);
    assert!(version.text().contains("has no version"), "{}", version.text());
}

#[tokio::test]
async fn grpc_says_the_same() {
    let world = World::start(&[]);
    let channel = Channel::from_shared(format!("http://{}", world.grpc)).unwrap().connect().await.unwrap();
    let mut ranker = RankerClient::new(channel.clone());
    let mut pages = PagesClient::new(channel);
    let score = |objective: &str, titles: Vec<String>| ScoreRequest {
        objective: objective.into(),
        titles,
        ..Default::default()
    };
    #[rustfmt::skip]
    let cases = [
        (score("watch", vec![]),                        Code::InvalidArgument, "titles is empty: name 1 to 10000 titles to score"),
        (score("watch", vec!["10".into(); 10_001]),     Code::InvalidArgument, "titles has 10001 entries, more than 10000"),
        (score("watch", vec!["99".into()]),             Code::NotFound,        "titles[0] \"99\" is not among the 8 titles"),
        (score("wtach", vec!["10".into()]),             Code::NotFound,        "the nearest is \"watch\""),
    ];
    for (request, code, message) in cases {
        let status = ranker.score(request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(message), "{status}");
        assert!(status.metadata().contains_key("x-request-id"), "{status:?}");
    }
    for (k, message) in [(0, "ask for at least one"), (6, "ask for fewer")] {
        let request = TopKRequest { objective: "watch".into(), k, ..Default::default() };
        let status = ranker.top_k(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(message), "{status}");
    }
    let request = GetPageRequest { surface: "kids".into(), ..Default::default() };
    assert_eq!(pages.get_page(request).await.unwrap_err().code(), Code::NotFound);
    let mut late = tonic::Request::new(score("watch", vec!["10".into()]));
    // Not `grpc-timeout`: this client enforces it itself, and may stop before the answer arrives.
    late.metadata_mut().insert("x-request-timeout-ms", "0".parse().unwrap());
    assert_eq!(ranker.score(late).await.unwrap_err().code(), Code::DeadlineExceeded);
}
