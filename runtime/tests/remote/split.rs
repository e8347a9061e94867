//! A page and its model in one process and in two, over a connection that counts bytes.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use marquee_artifacts::FetchOptions;
use marquee_crds::listen_address::ListenAddress;
use marquee_models::ScanOptions;
use marquee_runtime::{
    engine::{ConfigSource, Engine, EngineOptions, ReadyWhen},
    rankers::{RankerDirectory, RemoteRankers, Target, TrafficPlan},
    service::{
        Service, Unobserved,
        types::{PageRequest, PageResponse, RequestContext},
    },
    telemetry::Metrics,
    transport::{PreviewWhen, Transport, TransportArgs},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

use crate::artifacts::{self, Size, genre_rows, row};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same page twice.
pub struct Split {
    /// The model answers in the page's process.
    pub single: Service,
    /// The model answers over the connection.
    pub page: Service,
    /// Bytes that the model sent.
    pub received: Arc<AtomicU64>,
    /// Bytes that the page sent.
    pub sent: Arc<AtomicU64>,
    _engines: Vec<Engine>,
    _dir: TempDir,
}

/// Rows of every kind, 14 of them.
fn rows() -> Vec<String> {
    let near = "{becauseYouWatched: {objective: top-picks}}";
    let mut rows = vec![
        row("top-picks", "Top picks", "{model: {objective: top-picks}}"),
        row("near-1", "Because you watched {title}", near),
        row("near-2", "Because you watched {title}", near),
        row("popular", "Popular", "{popular: {}}"),
    ];
    rows.extend(genre_rows("top-picks"));
    rows
}

impl Split {
    /// A model of this size, and a page of 14 rows of 20 titles.
    pub async fn start(size: Size) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        artifacts::mf(&path("mf"), size, 1);
        // Not every title of the model is in the catalogue.
        artifacts::catalogue(&path("titles"), size.titles - 7);
        let model = artifacts::model("top-picks", &path("mf"), "");
        let rest = "  page: {rows: 14, titlesPerRow: 20}\n  deadline: 10s\n";
        let layout = artifacts::layout(&path("titles"), &rows(), rest);
        let engine =
            async |name: &str, documents: &[String], rankers: Option<watch::Receiver<RemoteRankers>>| {
                std::fs::create_dir(path(name)).unwrap();
                artifacts::write(&path(name).join("all.yaml"), documents);
                let options = EngineOptions {
                    source: ConfigSource::Manifests(path(name)),
                    credentials: None,
                    fetch: FetchOptions::new(path("cache")),
                    scan: ScanOptions::default(),
                    ready_when: ReadyWhen::Any,
                    poll: Duration::from_secs(1),
                };
                let service = Service::new(Arc::new(Unobserved));
                let mut engine = Engine::new(options, service.clone()).await.unwrap();
                if let Some(rankers) = rankers {
                    engine.follow(rankers);
                }
                engine.load().await;
                (engine, service)
            };
        let (single_engine, single) = engine("single", &[model.clone(), layout.clone()], None).await;
        let (ranker_engine, ranker) = engine("ranker", &[model], None).await;
        let transport = Transport::bind(listeners(), ranker, Metrics::new().unwrap(), None).await.unwrap();
        let (received, sent) = <(Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let address = counting_proxy(transport.grpc_address(), &received, &sent).await;
        tokio::spawn(transport.serve(CancellationToken::new()));
        let target = Target { revision: "aa".into(), weight: 100, addresses: vec![address.to_string()] };
        let plan = TrafficPlan { objectives: BTreeMap::from([("top-picks".to_owned(), vec![target])]) };
        let (sender, mut rankers) = watch::channel(RemoteRankers::default());
        let plans = watch::channel(Some(plan)).1;
        tokio::spawn(RankerDirectory::new(Arc::new(Unobserved), String::new).run(plans_of(plans), sender));
        rankers.wait_for(|rankers| rankers.models.values().any(|shares| !shares.is_empty())).await.unwrap();
        let (page_engine, page) = engine("page", &[layout], Some(rankers)).await;
        let engines = vec![single_engine, ranker_engine, page_engine];
        Self { single, page, received, sent, _engines: engines, _dir: dir }
    }

    /// Asks for pages until the model has every slice: from then on it lists the titles.
    pub async fn settle(&self, n_titles: usize) {
        let start = Instant::now();
        loop {
            let before = self.received.load(Relaxed);
            page(&self.page, "v1", &[]).await;
            if self.received.load(Relaxed) - before < 4 * n_titles as u64 {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "all scores still travel");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A page, without what tells the time.
pub async fn page(service: &Service, viewer: &str, recent: &[&str]) -> PageResponse {
    let request = PageRequest { surface: "home", viewer, recent: recent.to_vec() };
    let context = RequestContext { request_id: "test".into(), traceparent: None, deadline: None };
    PageResponse { timings: Vec::new(), ..service.page(&request, &context).await.unwrap() }
}

/// A plan that never changes.
fn plans_of(plans: watch::Receiver<Option<TrafficPlan>>) -> watch::Receiver<Option<TrafficPlan>> {
    let mut plans = plans;
    plans.mark_changed();
    plans
}

fn listeners() -> TransportArgs {
    let any: ListenAddress = "127.0.0.1:0".parse().unwrap();
    let seconds = |n| marquee_crds::shared::Duration(Duration::from_secs(n));
    TransportArgs {
        http: any.clone(),
        grpc: any,
        preview: PreviewWhen::Never,
        tls_cert: None,
        tls_key: None,
        max_body: 1 << 20,
        max_body_setting: "--max-body",
        max_connections: 100,
        max_connection_age: seconds(300),
        header_timeout: seconds(30),
        body_timeout: seconds(10),
        write_timeout: seconds(10),
        drain_delay: None,
        drain_timeout: seconds(1),
        log_requests: 0,
    }
}

/// Passes connections on to `target`, and counts what goes each way.
async fn counting_proxy(target: SocketAddr, received: &Arc<AtomicU64>, sent: &Arc<AtomicU64>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (received, sent) = (received.clone(), sent.clone());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(target).await.unwrap();
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(copy(from_client, to_server, sent.clone()));
            tokio::spawn(copy(from_server, to_client, received.clone()));
        }
    });
    address
}

async fn copy(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    count: Arc<AtomicU64>,
) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        count.fetch_add(n as u64, Relaxed);
        if to.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
}
