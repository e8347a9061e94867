//! A thousand reloads between two artifacts under load: no request fails, and memory does not grow.

#![cfg(test)]

#[path = "engine/artifacts.rs"]
#[allow(dead_code, reason = "each of its users needs a part of it")]
mod artifacts;

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use artifacts::{Size, genre_rows, row};
use marquee_artifacts::FetchOptions;
use marquee_models::ScanOptions;
use marquee_runtime::{
    engine::{ConfigSource, Engine, EngineOptions, ReadyWhen, Reload},
    service::{
        Service, Unobserved,
        types::{PageRequest, RequestContext, TopKRequest},
    },
    serving::threads,
};
use tokio::runtime::Handle;

const SIZE: Size = Size { viewers: 500, titles: 1682, factors: 32 };

/// Resident bytes of this process.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    // The page size of x86-64; the ratio below does not depend on it.
    pages * 4096
}

/// Requests pages and top-k in turn, until `stop` is set.
async fn ask(service: Service, stop: Arc<AtomicBool>, answered: Arc<AtomicU64>) {
    let context = RequestContext { request_id: "load".into(), traceparent: None, deadline: None };
    let mut n = 0;
    while !stop.load(Relaxed) {
        let viewer = format!("v{}", n % SIZE.viewers);
        let recent = if n % 3 == 0 { vec!["t7"] } else { vec![] };
        let page = PageRequest { surface: "home", viewer: &viewer, recent };
        let page = service.page(&page, &context).await.expect("a page failed during a reload");
        assert!(!page.degraded && !page.rows.is_empty(), "a page was degraded by a reload");
        let best = TopKRequest { objective: "top-picks", viewer: &*viewer, k: 10, ..TopKRequest::default() };
        service.top_k(&best, &context).await.expect("a request failed during a reload");
        answered.fetch_add(2, Relaxed);
        n += 1;
        // The caller pauses between requests, because the reloads need the cores too.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn a_thousand_reloads_under_load_fail_no_request_and_leak_no_memory() {
    // The threads that `serve` has on a machine of two cores.
    let two = NonZeroUsize::new(2).unwrap();
    let answering = threads::answering(Some(two), two).unwrap();
    threads::loading().unwrap().block_on(reload_under_load(answering.handle()));
}

async fn reload_under_load(answering: &Handle) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::create_dir(path("manifests")).unwrap();
    let digests = [artifacts::mf(&path("a"), SIZE, 1), artifacts::mf(&path("b"), SIZE, 2)];
    artifacts::catalogue(&path("titles"), SIZE.titles);
    let mut rows = vec![row("top-picks", "Top", "{model: {objective: top-picks}}")];
    rows.extend(genre_rows("top-picks"));
    let manifests = |artifact: &str| {
        let model = artifacts::model("top-picks", &path(artifact), "");
        // A page may wait for a core under load; this test checks only that a reload loses no request.
        let layout = artifacts::layout(&path("titles"), &rows, "  deadline: 10s\n");
        artifacts::write(&path("manifests/all.yaml"), &[model, layout]);
    };
    manifests("a");
    let service = Service::new(Arc::new(Unobserved));
    let options = EngineOptions {
        source: ConfigSource::Manifests(path("manifests")),
        credentials: None,
        fetch: FetchOptions::new(path("cache")),
        scan: ScanOptions::default(),
        ready_when: ReadyWhen::All,
        poll: Duration::from_secs(1),
    };
    let mut engine = Engine::new(options, service.clone()).await.unwrap();
    assert_eq!(engine.load().await, Reload::Changed);

    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let load: Vec<_> =
        (0..4).map(|_| answering.spawn(ask(service.clone(), stop.clone(), answered.clone()))).collect();
    // A request in flight keeps the previous artifact a little longer, so the least of ten measurements counts.
    let (mut after_hundred, mut after_thousand) = (u64::MAX, u64::MAX);
    for n in 1..=1000usize {
        manifests(["a", "b"][n % 2]);
        assert_eq!(engine.reload().await, Reload::Changed, "reload {n}");
        assert_eq!(*service.models()[0].artifact_digest, digests[n % 2].to_string());
        match n {
            91..=100 => after_hundred = after_hundred.min(resident()),
            991..=1000 => after_thousand = after_thousand.min(resident()),
            _ => {}
        }
    }
    stop.store(true, Relaxed);
    for task in load {
        task.await.unwrap();
    }
    let (ratio, answered) = (after_thousand as f64 / after_hundred as f64, answered.load(Relaxed));
    println!(
        "resident after 100: {after_hundred}, after 1000: {after_thousand}, ratio {ratio:.3}; {answered} requests"
    );
    assert!(answered > 2000, "{answered} requests are too few for a load");
    assert!(ratio <= 1.05, "resident memory grew by {ratio:.3} from {after_hundred} bytes");
}
