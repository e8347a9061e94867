//! Asks pods for what the API server does not know: starting pods how far their loads are, and pages which rows the fallback fills.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures::{StreamExt, stream};
use marquee_crds::{
    names,
    runtime_status::{self, ResourceStatus, Status},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{
    context::Context,
    observed::{Loading, PageFacts, PodAnswer},
};

/// How long a turn takes. In each turn those pods are asked whose answer is due, as [`crate::cache::pods`] says.
const TURN: Duration = Duration::from_secs(2);
/// Longest time that an answer may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// Number of pods that are asked at the same time.
const AT_A_TIME: usize = 8;
/// Maximum length of an answer, in bytes.
const LONGEST: u64 = 1 << 20;
/// Most warnings of a page that are kept.
const MOST_WARNINGS: usize = 16;

/// Asks for ever. Where a pod says something new, its resource is reconciled.
pub async fn follow(ctx: &Context) {
    let mut turns = interval(TURN);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let due = ctx.operator.pods.lock().due();
        let asked = stream::iter(due).for_each_concurrent(AT_A_TIME, |pod| async move {
            let answer = match address(&pod.ip) {
                Some(address) => ask(address).await,
                None => None,
            };
            let news = ctx.operator.pods.lock().take_answer(&pod, answer);
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

/// What the pod says; `None` where it does not answer.
async fn ask(pod: SocketAddr) -> Option<PodAnswer> {
    let answer = timeout(PATIENCE, fetch(pod)).await.ok()?.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let is_fine = head.split(' ').nth(1) == Some("200");
    is_fine.then(|| read(body)).flatten()
}

/// The whole answer. With HTTP/1.0 the pod sends it in one piece and closes the connection.
async fn fetch(pod: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(pod).await?;
    stream.write_all(format!("GET /status HTTP/1.0\r\nHost: {pod}\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Pure: what a pod's `/status` says.
fn read(status: &str) -> Option<PodAnswer> {
    let Status { models, pages, .. } = serde_json::from_str(status).ok()?;
    let page = (!pages.is_empty()).then(|| page(&pages));
    Some(PodAnswer { loading: loading(models.into_iter().chain(pages)), page })
}

/// What fills the rows of the pages.
fn page(pages: &[ResourceStatus]) -> PageFacts {
    let objectives = pages.iter().flat_map(|page| &page.objectives);
    PageFacts {
        fallback_percent: objectives.map(|found| (found.objective.clone(), found.fallback_percent)).collect(),
        warnings: pages.iter().flat_map(|page| &page.warnings).take(MOST_WARNINGS).cloned().collect(),
    }
}

/// The sum of all loads. An artifact that several resources share is loaded once.
fn loading(resources: impl Iterator<Item = ResourceStatus>) -> Option<Loading> {
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
            let found = ask(pod(status, answer).await).await;
            assert_eq!(found.and_then(|answer| answer.loading), expected, "{why}");
        }
    }

    #[test]
    fn a_page_says_what_fills_its_rows_and_what_is_never_shown() {
        let facts = |text: &str| read(text).unwrap().page;
        let said = r#"{"pages":[{"objectives":[{"objective":"a","fallbackPercent":0},{"objective":"b","fallbackPercent":100}],
            "warnings":["row \"w\" is never shown"]}]}"#;
        let expected = PageFacts {
            fallback_percent: [("a".into(), 0), ("b".into(), 100)].into(),
            warnings: vec!["row \"w\" is never shown".into()],
        };
        assert_eq!(facts(said), Some(expected));
        assert_eq!(facts(r#"{"pages":[{"uri":"a"}]}"#), Some(PageFacts::default()), "an older runtime");
        assert_eq!(facts(r#"{"models":[{"uri":"a"}]}"#), None, "no page");
    }

    #[tokio::test]
    async fn a_pod_that_does_not_answer_says_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = listener.local_addr().unwrap();
        assert_eq!(ask(silent).await, None, "it takes connections, and no more");
        drop(listener);
        assert_eq!(ask(silent).await, None, "the port is closed");
    }
}
