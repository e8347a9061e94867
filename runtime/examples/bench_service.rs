//! Measures how many microseconds the service layer needs for a page and for scores, on one core and without a network.
//!
//! `cargo run --release -p marquee-runtime --example bench_service`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "an example prints, and stops at the first error"
)]

#[path = "../tests/engine/artifacts.rs"]
#[allow(dead_code, reason = "tests use the other functions")]
mod artifacts;

use std::{future::Future, hint::black_box, sync::Arc, time::Instant};

use artifacts::{Size, genre_rows, row};
use marquee_artifacts::FetchOptions;
use marquee_models::ScanOptions;
use marquee_runtime::{
    engine::{ConfigSource, Engine, EngineOptions, ReadyWhen},
    service::{
        Service, Unobserved,
        types::{PageRequest, RequestContext, ScoreRequest, TopKRequest},
    },
};

const SIZE: Size = Size { viewers: 943, titles: 1682, factors: 64 };

async fn measure<F: Future>(name: &str, mut work: impl FnMut(usize) -> F) {
    let mut micros: Vec<f64> = Vec::new();
    for n in 0..20_000 {
        let began = Instant::now();
        black_box(work(n).await);
        micros.push(began.elapsed().as_nanos() as f64 / 1000.0);
    }
    let mean = micros.iter().sum::<f64>() / micros.len() as f64;
    micros.sort_by(f64::total_cmp);
    let at = |share: f64| micros[(micros.len() as f64 * share) as usize];
    println!("{name:<40} p50 {:>7.1} µs   p99 {:>7.1} µs   mean {mean:>7.1} µs", at(0.5), at(0.99));
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::create_dir(path("manifests")).unwrap();
    artifacts::mf(&path("mf"), SIZE, 1);
    artifacts::catalogue(&path("titles"), SIZE.titles);
    let mut rows = genre_rows("top-picks");
    rows.push(row("popular", "Popular", "{popular: {}}"));
    let model = artifacts::model("top-picks", &path("mf"), "");
    let layout = artifacts::layout(&path("titles"), &rows, "  page: {rows: 10, titlesPerRow: 20}\n");
    artifacts::write(&path("manifests/all.yaml"), &[model, layout]);
    let options = EngineOptions {
        source: ConfigSource::Manifests(path("manifests")),
        credentials: None,
        fetch: FetchOptions::new(path("cache")),
        scan: ScanOptions::default(),
        ready_when: ReadyWhen::All,
        poll: std::time::Duration::from_secs(1),
    };
    let service = Service::new(Arc::new(Unobserved));
    Engine::new(options, service.clone()).await.unwrap().load().await;
    assert!(service.is_ready(), "{:?}", service.status());

    let context = RequestContext { request_id: "bench".into(), traceparent: None, deadline: None };
    let viewers = artifacts::ids("v", SIZE.viewers);
    let titles = artifacts::ids("t", 100);
    measure("page, 10 genre rows of 20, known viewer", |n| {
        let viewer = viewers[n % SIZE.viewers].as_str();
        let (service, context) = (&service, &context);
        async move {
            service.page(&PageRequest { surface: "home", viewer, recent: vec![] }, context).await.unwrap()
        }
    })
    .await;
    measure("the same page with 3 recent titles", |n| {
        let viewer = viewers[n % SIZE.viewers].as_str();
        let (service, context) = (&service, &context);
        let recent = vec!["t5", "t17", "t900"];
        async move { service.page(&PageRequest { surface: "home", viewer, recent }, context).await.unwrap() }
    })
    .await;
    measure("scores of 100 titles", |n| {
        let viewer = viewers[n % SIZE.viewers].as_str();
        let (service, context) = (&service, &context);
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        let request = ScoreRequest { objective: "top-picks", viewer, recent: vec![], titles };
        async move { service.score(&request, context).await.unwrap() }
    })
    .await;
    measure("top 100 of 1,682", |n| {
        let viewer = viewers[n % SIZE.viewers].as_str();
        let (service, context) = (&service, &context);
        let request = TopKRequest { objective: "top-picks", viewer, k: 100, ..TopKRequest::default() };
        async move { service.top_k(&request, context).await.unwrap() }
    })
    .await;
}
