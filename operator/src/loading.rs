//! Asks starting pods for the progress of their loads, which the API server does not know.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures::{StreamExt as _, stream};
use marquee_crds::{
    names,
    runtime_status::{self, Status},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{context::Context, observed::Loading};

/// How often a starting pod is asked.
const EVERY: Duration = Duration::from_secs(2);
/// Time limit for an answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// Number of pods that are asked at the same time.
const AT_A_TIME: usize = 8;
/// Maximum length of an answer, in bytes.
const LONGEST: u64 = 1 << 20;

/// Asks forever. If a pod has made progress, its resource is reconciled.
pub async fn follow(ctx: &Context) {
    let mut turns = interval(EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let starting = ctx.operator.pods.lock().starting();
        let asked = stream::iter(starting).for_each_concurrent(AT_A_TIME, |pod| async move {
            let loading = match address(&pod.ip) {
                Some(address) => progress(address).await,
                None => None,
            };
            let news = ctx.operator.pods.lock().take_loading(&pod.parent, &pod.name, loading);
            if news {
                ctx.enqueue(&pod.parent);
            }
        });
        asked.await;
    }
}

fn address(ip: &str) -> Option<SocketAddr> {
    let port = u16::try_from(names::HTTP_PORT).ok()?;
    Some(SocketAddr::new(ip.parse::<IpAddr>().ok()?, port))
}

/// Progress of the pod's load; `None` if the pod loads nothing or does not answer.
async fn progress(pod: SocketAddr) -> Option<Loading> {
    let answer = timeout(PATIENCE, ask(pod)).await.ok()?.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let is_fine = head.split(' ').nth(1) == Some("200");
    is_fine.then(|| read(body)).flatten()
}

/// The whole answer. With HTTP/1.0 the pod sends it in one piece and closes the connection.
async fn ask(pod: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(pod).await?;
    stream.write_all(format!("GET /status HTTP/1.0\r\nHost: {pod}\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Pure: the sum of all loads in a pod's `/status`. An artifact that several resources share is loaded once.
fn read(status: &str) -> Option<Loading> {
    let Status { models, pages, .. } = serde_json::from_str(status).ok()?;
    let resources = models.into_iter().chain(pages);
    let loads: BTreeMap<String, runtime_status::Loading> =
        resources.filter_map(|resource| Some((resource.uri, resource.loading?))).collect();
    if loads.is_empty() {
        return None;
    }
    let sum =
        |bytes: fn(&runtime_status::Loading) -> u64| loads.values().map(bytes).fold(0, u64::saturating_add);
    let all_known = loads.values().all(|load| load.total_bytes > 0);
    let longest = loads.values().map(|load| load.seconds).fold(0.0, f64::max);
    Some(Loading {
        bytes: sum(|load| load.bytes),
        total_bytes: if all_known { sum(|load| load.total_bytes) } else { 0 },
        seconds: Duration::try_from_secs_f64(longest).map_or(0, |longest| longest.as_secs()),
    })
}

#[cfg(test)]
mod tests {
    use axum::{Router, http::StatusCode, routing::get};
    use tokio::net::TcpListener;

    use super::*;

    /// A pod whose `/status` is `answer`; where.
    async fn pod(status: StatusCode, answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/status", get(move || async move { (status, answer) }));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    #[tokio::test]
    async fn a_pod_that_loads_says_how_far_it_is() {
        const LOADS: &str = r#"{"ready":false,"models":[
            {"uri":"s3://b/a","loading":{"bytes":3,"totalBytes":10,"seconds":4.9}},
            {"uri":"s3://b/a","loading":{"bytes":3,"totalBytes":10,"seconds":4.9}},
            {"uri":"s3://b/ready"}],
            "pages":[{"uri":"s3://b/c","loading":{"bytes":1,"totalBytes":2,"seconds":1.0}}]}"#;
        const UNKNOWN: &str =
            r#"{"models":[{"uri":"a","loading":{"bytes":0,"totalBytes":0,"seconds":0.1}}]}"#;
        let loading = |bytes, total_bytes, seconds| Some(Loading { bytes, total_bytes, seconds });
        #[rustfmt::skip]
        let cases = [
            ("two artifacts, one of them shared", StatusCode::OK,                  LOADS,           loading(4, 12, 4)),
            ("a size that is not known yet",      StatusCode::OK,                  UNKNOWN,         loading(0, 0, 0)),
            ("all is loaded",                     StatusCode::OK,                  r#"{"models":[{"uri":"a"}]}"#, None),
            ("no status",                         StatusCode::OK,                  "hello",         None),
            ("a refusal",                         StatusCode::SERVICE_UNAVAILABLE, LOADS,           None),
        ];
        for (why, status, answer, expected) in cases {
            assert_eq!(progress(pod(status, answer).await).await, expected, "{why}");
        }
    }

    #[tokio::test]
    async fn a_pod_that_does_not_answer_says_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = listener.local_addr().unwrap();
        assert_eq!(progress(silent).await, None, "it takes connections, and no more");
        drop(listener);
        assert_eq!(progress(silent).await, None, "the port is closed");
    }
}
