//! A folder of manifests and artifacts, and an engine that serves them.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use marquee_artifacts::FetchOptions;
use marquee_models::ScanOptions;
use marquee_runtime::{
    engine::{ConfigSource, Engine, EngineOptions, ReadyWhen},
    service::{
        Observer, Service,
        types::{PageRequest, PageResponse, RequestContext},
    },
};
use tempfile::TempDir;

use crate::artifacts::{self, SMALL};

/// Counts what the service reports.
#[derive(Default)]
pub struct Counts(Mutex<BTreeMap<String, usize>>);

impl Counts {
    pub fn of(&self, what: &str) -> usize {
        self.0.lock().unwrap().get(what).copied().unwrap_or(0)
    }

    fn add(&self, what: String) {
        *self.0.lock().unwrap().entry(what).or_default() += 1;
    }
}

impl Observer for Counts {
    fn batch(&self, objective: &str, _: usize) {
        self.add(format!("batch {objective}"));
    }

    fn shed(&self, importance: &'static str) {
        self.add(format!("shed {importance}"));
    }

    fn degraded(&self, surface: &str, reason: &'static str) {
        self.add(format!("degraded {surface} {reason}"));
    }

    fn artifact_load(&self, outcome: &'static str) {
        self.add(format!("load {outcome}"));
    }

    fn reload(&self, outcome: &'static str) {
        self.add(format!("reload {outcome}"));
    }
}

/// A folder of manifests and artifacts, and the service that serves them.
pub struct World {
    pub dir: TempDir,
    pub service: Service,
    pub counts: Arc<Counts>,
}

impl World {
    /// Artifacts `a` and `b` (models with different seeds) and `titles` (their catalogue); no manifest yet.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let counts = Arc::new(Counts::default());
        let service = Service::new(counts.clone());
        let world = Self { dir, service, counts };
        std::fs::create_dir(world.path("manifests")).unwrap();
        artifacts::mf(&world.path("a"), SMALL, 1);
        artifacts::mf(&world.path("b"), SMALL, 2);
        artifacts::catalogue(&world.path("titles"), SMALL.titles);
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes `manifests/all.yaml`.
    pub fn manifests(&self, documents: &[String]) {
        artifacts::write(&self.path("manifests/all.yaml"), documents);
    }

    /// A model with objective `top-picks` and this artifact.
    pub fn top_picks(&self, artifact: &str) -> String {
        artifacts::model("top-picks", &self.path(artifact), "")
    }

    /// A layout with these rows.
    pub fn layout(&self, rows: &[String], rest: &str) -> String {
        artifacts::layout(&self.path("titles"), rows, rest)
    }

    pub fn options(&self) -> EngineOptions {
        EngineOptions {
            source: ConfigSource::Manifests(self.path("manifests")),
            credentials: None,
            fetch: FetchOptions::new(self.path("cache")),
            scan: ScanOptions::default(),
            ready_when: ReadyWhen::All,
            poll: Duration::from_millis(50),
        }
    }

    /// An engine that has loaded the manifests.
    pub async fn engine(&self) -> Engine {
        let mut engine = Engine::new(self.options(), self.service.clone()).await.unwrap();
        engine.load().await;
        engine
    }

    pub async fn page(&self, viewer: &str, recent: &[&str]) -> PageResponse {
        let request = PageRequest { surface: "home", viewer, recent: recent.to_vec() };
        self.service.page(&request, &context()).await.unwrap()
    }
}

/// A request without a deadline.
pub fn context() -> RequestContext {
    RequestContext { request_id: "test".into(), traceparent: None, deadline: None }
}

/// Ids of a row's titles.
pub fn titles<'a>(page: &'a PageResponse, row: &str) -> Vec<&'a str> {
    let row = page.rows.iter().find(|found| &*found.name == row);
    row.map(|row| row.titles.iter().map(|title| &*title.title.id).collect()).unwrap_or_default()
}
