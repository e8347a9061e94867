//! The service layer: one answer for gRPC, HTTP/JSON and the Open Inference Protocol.
//!
//! Transports turn bytes into the requests of [`types`] and its answers into bytes, and do nothing else.

pub mod describe;
pub mod status;
pub mod types;

use std::sync::Arc;

pub use describe::{ModelDescription, SurfaceDescription, ViewerDescription};
pub use status::{ResourceStatus, State, Status};
use types::*;

/// What the service tells of its work. `telemetry::Metrics` listens; tests may listen too.
pub trait Observer: Send + Sync {
    /// A forward pass of `objective` answered `size` requests.
    fn batch(&self, _objective: &str, _size: usize) {}
    /// So many requests wait for admission now.
    fn queue_depth(&self, _waiting: usize) {}
    /// A request of this importance (`page`, `top_k`, `score`) was refused on purpose.
    fn shed(&self, _importance: &'static str) {}
    /// A row of `surface` was answered by its fallback; `reason` is [`Degraded::reason`].
    fn degraded(&self, _surface: &str, _reason: &'static str) {}
    /// An artifact was asked for: `loaded`, `reused` or `failed`.
    fn artifact_load(&self, _outcome: &'static str) {}
    /// The manifests were read again: `changed`, `unchanged` or `failed`.
    fn reload(&self, _outcome: &'static str) {}
    /// The plan changed: these models are served now, and no others.
    fn models_served(&self, _models: &[ModelDescription]) {}
}

/// Listens to nothing.
pub struct Unobserved;

impl Observer for Unobserved {}

/// Answers requests from the current plan. Cheap to clone; clones answer from the same plan.
#[derive(Clone)]
pub struct Service {
    observer: Arc<dyn Observer>,
}

impl Service {
    /// Serves nothing until an engine hands it a plan.
    pub fn new(observer: Arc<dyn Observer>) -> Self {
        Self { observer }
    }

    /// Scores of given titles.
    pub async fn score<S: AsRef<str> + Sync>(
        &self,
        request: &ScoreRequest<S>,
        context: &RequestContext,
    ) -> Result<ScoreResponse, ServeError> {
        let _ = (request, context, &self.observer);
        Err(ServeError::NotReady("no plan is served yet".into()))
    }

    /// Scores for several viewers at once, one answer a request in their order; the first that fails fails them all.
    /// All requests name one objective.
    pub async fn score_batch<S: AsRef<str> + Sync>(
        &self,
        requests: &[ScoreRequest<S>],
        context: &RequestContext,
    ) -> Result<Vec<ScoreResponse>, ServeError> {
        let _ = (requests, context);
        Err(ServeError::NotReady("no plan is served yet".into()))
    }

    /// The best titles of a model.
    pub async fn top_k<S: AsRef<str> + Sync>(
        &self,
        request: &TopKRequest<S>,
        context: &RequestContext,
    ) -> Result<TopKResponse, ServeError> {
        let _ = (request, context);
        Err(ServeError::NotReady("no plan is served yet".into()))
    }

    /// A page. It never fails because a model does: a fallback stands in the row then, marked.
    pub async fn page<S: AsRef<str> + Sync>(
        &self,
        request: &PageRequest<S>,
        context: &RequestContext,
    ) -> Result<PageResponse, ServeError> {
        let _ = (request, context);
        Err(ServeError::NotReady("no plan is served yet".into()))
    }

    /// What `/status` answers.
    pub fn status(&self) -> Status {
        Status::default()
    }

    /// What `/readyz` answers.
    pub fn is_ready(&self) -> bool {
        false
    }

    /// From now on `/readyz` says no, and why: the process is about to end. Requests are answered as before.
    pub fn drain(&self) {}

    /// The models served, by objective.
    pub fn models(&self) -> Vec<ModelDescription> {
        Vec::new()
    }

    /// The model of an objective.
    pub fn model(&self, _objective: &str) -> Option<ModelDescription> {
        None
    }

    /// The surfaces that have a page, by name.
    pub fn surfaces(&self) -> Vec<SurfaceDescription> {
        Vec::new()
    }

    /// Up to `limit` viewers whom the first model of a surface knows, those who watched most first.
    pub fn viewers(&self, _surface: &str, _limit: usize) -> Vec<ViewerDescription> {
        Vec::new()
    }

    /// What the catalogues say of a title.
    pub fn title(&self, _id: &str) -> Option<Arc<TitleCard>> {
        None
    }
}
