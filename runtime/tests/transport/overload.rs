//! More than the process takes on: refused at once, on purpose, with a hint when to come back.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Instant,
};

use marquee_runtime::transport::grpc::contract::marquee::v1::{ScoreRequest, ranker_client::RankerClient};
use serde_json::json;
use tonic::{Code, transport::Channel};

use crate::world::{Answer, PATIENCE, World};

const ONE_AT_A_TIME: [&str; 4] = ["--max-in-flight", "1", "--max-waiting", "0"];
const CALLERS: usize = 8;

/// Long enough at work that two meet.
fn titles() -> Vec<&'static str> {
    vec!["10"; 10_000]
}

/// Asks from several sides until one is refused.
fn refused(world: &World) -> Answer {
    let body = json!({ "viewer": "1", "titles": titles() });
    let (found, start) = (AtomicBool::new(false), Instant::now());
    let ask = || {
        while !found.load(Ordering::Relaxed) && start.elapsed() < PATIENCE {
            let answer = world.post("/v1/objectives/watch/score", &body);
            match answer.status {
                200 => {}
                _ => {
                    found.store(true, Ordering::Relaxed);
                    return Some(answer);
                }
            }
        }
        None
    };
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(ask)).collect();
        let answers: Vec<_> = callers.into_iter().filter_map(|caller| caller.join().unwrap()).collect();
        answers.into_iter().next().expect("a refusal")
    })
}

#[test]
fn http_says_429_and_when_to_try_again() {
    let world = World::start(&ONE_AT_A_TIME);
    let answer = refused(&world);
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    let problem = answer.json();
    assert_eq!(problem["code"], "Shed");
    assert!(problem["retryAfterMs"].as_u64().unwrap() > 0, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("retry after"), "{problem}");
    let shed = format!("{}{{importance=\"score\"}}", marquee_crds::metrics::SHED);
    assert!(world.metric(&shed) >= 1.0);
    // Probes are not what is shed.
    assert_eq!((world.get("/livez").status, world.get("/readyz").status), (200, 200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_says_resource_exhausted_with_retry_info() {
    let world = World::start(&ONE_AT_A_TIME);
    let channel = Channel::from_shared(format!("http://{}", world.grpc)).unwrap().connect().await.unwrap();
    let start = Instant::now();
    let status = loop {
        assert!(start.elapsed() < PATIENCE, "nothing is refused");
        let calls = (0..CALLERS).map(|_| {
            let mut ranker = RankerClient::new(channel.clone());
            let titles = titles().into_iter().map(str::to_owned).collect();
            let request = ScoreRequest { objective: "watch".into(), titles, ..Default::default() };
            tokio::spawn(async move { ranker.score(request).await })
        });
        let answers = futures::future::join_all(calls).await;
        if let Some(status) = answers.into_iter().find_map(|answer| answer.unwrap().err()) {
            break status;
        }
    };
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    let details = String::from_utf8_lossy(status.details()).into_owned();
    assert!(details.contains("type.googleapis.com/google.rpc.RetryInfo"), "{details}");
}
