//! Overload: the process refuses requests at once, and says when to retry.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use marquee_runtime::transport::grpc::contract::marquee::v1::{ScoreRequest, ranker_client::RankerClient};
use serde_json::json;
use tonic::{Code, transport::Channel};

use crate::world::{Answer, PATIENCE, World};

const CALLERS: usize = 8;
/// How long an admitted request holds the only place: it waits so long for others to share its forward pass, and none is admitted.
const HELD: Duration = Duration::from_millis(100);

/// A process with one place, which every admitted request holds for [`HELD`].
fn world() -> World {
    let batching = format!("maxBatch: 32, maxDelay: {}ms", HELD.as_millis());
    World::start_batching(&batching, &["--max-in-flight", "1", "--max-waiting", "0"])
}

/// Sends requests at the same time. One is admitted and holds the only place; the others are refused. If a busy machine delays
/// them by more than [`HELD`], they are sent again.
fn refused(world: &World) -> Answer {
    let body = json!({ "viewer": "1", "titles": ["10"] });
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let together = Barrier::new(CALLERS);
        let ask = || {
            together.wait();
            world.post("/v1/objectives/watch/score", &body)
        };
        let answers: Vec<_> = thread::scope(|scope| {
            let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(ask)).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        assert!(answers.iter().any(|answer| answer.status == 200), "one request is admitted");
        if let Some(refused) = answers.into_iter().find(|answer| answer.status != 200) {
            return refused;
        }
    }
    panic!("no request was refused");
}

#[test]
fn http_says_429_and_when_to_try_again() {
    let world = world();
    let answer = refused(&world);
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    let problem = answer.json();
    assert_eq!(problem["code"], "Shed");
    assert!(problem["retryAfterMs"].as_u64().unwrap() > 0, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("retry after"), "{problem}");
    let shed = format!("{}{{importance=\"score\"}}", marquee_crds::metrics::SHED);
    assert!(world.metric(&shed) >= 1.0);
    // Probes are never shed.
    assert_eq!((world.get("/livez").status, world.get("/readyz").status), (200, 200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_says_resource_exhausted_with_retry_info() {
    let world = world();
    let channel = Channel::from_shared(format!("http://{}", world.grpc)).unwrap().connect().await.unwrap();
    let start = Instant::now();
    let status = loop {
        assert!(start.elapsed() < PATIENCE, "no request was refused");
        let calls = (0..CALLERS).map(|_| {
            let mut ranker = RankerClient::new(channel.clone());
            let (objective, viewer, titles) = ("watch".into(), "1".into(), vec!["10".into()]);
            let request = ScoreRequest { objective, viewer, titles, ..Default::default() };
            async move { ranker.score(request).await }
        });
        let answers = futures::future::join_all(calls).await;
        if let Some(status) = answers.into_iter().find_map(Result::err) {
            break status;
        }
    };
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    let details = String::from_utf8_lossy(status.details()).into_owned();
    assert!(details.contains("type.googleapis.com/google.rpc.RetryInfo"), "{details}");
}
