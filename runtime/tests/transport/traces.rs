//! Request ids and traces: continued, returned to the caller, and logged.

use serde_json::json;

use crate::world::World;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[test]
fn a_trace_is_continued_returned_and_logged() {
    let world = World::start(&["--log-requests", "1000"]);
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let headers =
        [("content-type", "application/json"), ("traceparent", &*parent), ("x-request-id", "order-66")];
    let answer = world.send("POST /v1/surfaces/home/page", &headers, b"{}");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.headers["x-request-id"], "order-66");
    let passed_on = &answer.headers["traceparent"];
    assert!(passed_on.starts_with(&format!("00-{TRACE}-")) && passed_on.ends_with("-01"), "{passed_on}");
    assert!(!passed_on.contains("00f067aa0ba902b7"), "the answer is a span of its own: {passed_on}");
    world.until("logged", || {
        let log = world.log.lock().unwrap();
        log.iter().any(|line| {
            line["trace_id"] == TRACE
                && line["request_id"] == "order-66"
                && line["method"] == "http/page"
                && line["code"] == "Ok"
        })
    });
}

#[test]
fn a_request_without_a_trace_starts_one() {
    let world = World::start(&[]);
    let traces: Vec<String> = (0..2).map(|_| world.get("/livez").headers["traceparent"].clone()).collect();
    assert_ne!(traces[0][3..35], traces[1][3..35]);
    let malformed = world.send("GET /livez", &[("traceparent", "00-zz-zz-01")], b"");
    assert_eq!(malformed.headers["traceparent"].len(), 55);
}

#[test]
fn many_requests_do_not_write_many_log_lines() {
    let world = World::start(&["--log-requests", "1"]);
    for _ in 0..50 {
        world.get("/livez");
    }
    // The next second's line counts the lines that were left out.
    world.until("counted", || {
        world.post("/v1/objectives/watch/top-k", &json!({ "k": 1 }));
        let log = world.log.lock().unwrap();
        log.iter().any(|line| line["suppressed"].as_u64().is_some_and(|n| n > 10))
    });
    let log = world.log.lock().unwrap();
    let lines = log.iter().filter(|line| line["message"] == "request").count();
    assert!(lines < 40, "{lines} lines for more than 50 requests");
}
