//! The service layer: gives the same answers through gRPC, HTTP/JSON and the Open Inference Protocol.
//!
//! Transports only convert bytes to the requests in [`types`], and answers to bytes.

//!
//! Reading order: [`types`] has requests and answers, [`plan`] the models and pages that are served, [`client`] the interface
//! to a model (in this process [`ranker`] and [`forward`]), [`page`] builds a page, [`validate`] refuses invalid requests.

pub mod cards;
pub mod catalogue;
pub mod client;
pub mod describe;
pub mod forward;
pub mod lists;
pub mod loaded_model;
pub mod loads;
mod log_rate_limiter;
mod model_requests;
pub mod page;
pub mod plan;
pub mod query;
pub mod ranker;
pub mod status;
pub mod types;
pub mod validate;

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Instant,
};

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

pub use describe::{ModelDescription, SurfaceDescription, ViewerDescription};
use lists::SliceStore;
pub use loads::{Loading, Loads};
use page::PageTimes;
use plan::Plan;
use query::{RankerAnswer, RankerQuery};
use ranker::{PassPool, ServedModel};
pub use status::{ObjectiveStatus, ResourceStatus, State, Status, TargetStatus, TrafficStatus};
use types::*;

use crate::serving::{
    admission::{Admission, AdmissionLimits, Importance, Permit, Refused},
    deadline,
};

/// Receives events of the service. `telemetry::Metrics` counts them, and tests may too.
pub trait Observer: Send + Sync {
    /// A forward pass of `objective` answered `size` requests.
    fn batch(&self, _objective: &str, _size: usize) {}
    /// `waiting` requests wait for admission now.
    fn queue_depth(&self, _waiting: usize) {}
    /// A request of this importance (`page`, `top_k`, `score`) was shed.
    fn shed(&self, _importance: &'static str) {}
    /// A fallback filled a row of `surface`; `reason` is [`Degraded::reason`].
    fn degraded(&self, _surface: &str, _reason: &'static str) {}
    /// The load of an artifact ended: `loaded`, `reused` or `failed`.
    fn artifact_load(&self, _outcome: &'static str) {}
    /// The manifests were read again: `changed`, `unchanged` or `failed`.
    fn reload(&self, _outcome: &'static str) {}
    /// A query to a pod of `revision` in another process ended with `outcome`.
    fn remote(&self, _objective: &str, _revision: &RevisionName, _outcome: &'static str) {}
    /// A query to another process is retried.
    fn remote_retry(&self, _objective: &str) {}
    /// A pod was ejected because it failed.
    fn ejected(&self, _objective: &str) {}
    /// A revision in other processes has `n` pods; `None` if it is no longer used.
    fn endpoints(&self, _objective: &str, _revision: &RevisionName, _n: Option<usize>) {}
    /// A new traffic plan was applied.
    fn traffic_plan(&self, _generation: u64) {}
    /// The plan changed, and exactly these models are served now.
    fn models_served(&self, _models: &[ModelDescription]) {}
}

/// Possible outcomes of a query to another process.
pub const REMOTE_OUTCOMES: [&str; 7] =
    ["ok", "deadline", "shed", "refused", "failed", "unreachable", "no_pod"];

/// An observer that ignores all events.
pub struct Unobserved;

impl Observer for Unobserved {}

/// Limits of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceOptions {
    /// Limits of requests in flight and waiting.
    pub admission: AdmissionLimits,
    /// Heavy forward passes that run at once in all models.
    pub heavy_passes: NonZeroUsize,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        let heavy_passes = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { admission: AdmissionLimits::default(), heavy_passes }
    }
}

/// Answers requests from the current plan. Cheap to clone; clones answer from the same plan.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

struct Inner {
    plan: ArcSwap<Plan>,
    status: ArcSwap<Status>,
    admission: Arc<Admission>,
    pool: PassPool,
    draining: AtomicBool,
    loads: Loads,
    slices: SliceStore,
}

impl Service {
    /// A service with default limits, without a plan.
    pub fn new(observer: Arc<dyn Observer>) -> Self {
        Self::with_options(observer, &ServiceOptions::default())
    }

    /// A service with these limits, without a plan.
    pub fn with_options(observer: Arc<dyn Observer>, options: &ServiceOptions) -> Self {
        let queue_observer = observer.clone();
        let admission = Admission::new(options.admission, move |waiting| queue_observer.queue_depth(waiting));
        let pool = PassPool { heavy: Arc::new(Semaphore::new(options.heavy_passes.get())), observer };
        Self(Arc::new(Inner {
            plan: ArcSwap::default(),
            status: ArcSwap::default(),
            admission,
            pool,
            draining: AtomicBool::new(false),
            loads: Loads::default(),
            slices: SliceStore::default(),
        }))
    }

    /// Scores the given titles.
    ///
    /// # Errors
    /// `NotFound` for an unknown objective or title, `Invalid` for too many or too few titles, and the errors of overload and
    /// deadlines.
    pub async fn score<S: AsRef<str> + Sync>(
        &self,
        request: &ScoreRequest<S>,
        context: &RequestContext,
    ) -> Result<ScoreResponse, ServeError> {
        let _permit = self.admit(Importance::Score, context).await?;
        model_requests::score(&self.plan(), request, context.deadline).await
    }

    /// Scores titles for several viewers, with one answer for each request, in order. If one request fails, all fail. Requests
    /// to one objective share forward passes.
    ///
    /// # Errors
    /// As [`Self::score`].
    pub async fn score_batch<S: AsRef<str> + Sync>(
        &self,
        requests: &[ScoreRequest<S>],
        context: &RequestContext,
    ) -> Result<Vec<ScoreResponse>, ServeError> {
        let _permit = self.admit(Importance::Score, context).await?;
        model_requests::score_batch(&self.plan(), requests, context.deadline).await
    }

    /// The best titles of a model.
    ///
    /// # Errors
    /// `NotFound` for an unknown objective, `Invalid` for a `k` or a list out of bounds, and the errors of overload and
    /// deadlines.
    pub async fn top_k<S: AsRef<str> + Sync>(
        &self,
        request: &TopKRequest<S>,
        context: &RequestContext,
    ) -> Result<TopKResponse, ServeError> {
        let _permit = self.admit(Importance::TopK, context).await?;
        model_requests::top_k(&self.plan(), request, context.deadline).await
    }

    /// Answers the query of a page in another process.
    ///
    /// # Errors
    /// `NotFound` for an unknown objective, `Changed` if the query names another artifact than the served one, `Invalid` for
    /// rows that the artifact does not have, and the errors of overload and deadlines.
    pub async fn query(
        &self,
        query: RankerQuery,
        context: &RequestContext,
    ) -> Result<RankerAnswer, ServeError> {
        let _permit = self.admit(Importance::Page, context).await?;
        query::query(&self.plan(), query, context.deadline).await
    }

    /// The slices that pages sent, for the lists of later queries.
    pub fn slices(&self) -> &SliceStore {
        &self.0.slices
    }

    /// The model of an objective, for its title table.
    ///
    /// # Errors
    /// `NotFound` for an unknown objective.
    pub fn served(&self, objective: &str) -> Result<Arc<ServedModel>, ServeError> {
        self.plan().model(objective).cloned()
    }

    /// The model of an objective, if it serves the artifact with this digest.
    ///
    /// # Errors
    /// `NotFound` for an unknown objective, `Changed` if another artifact is served.
    pub fn served_artifact(
        &self,
        objective: &str,
        artifact_digest: &str,
    ) -> Result<Arc<ServedModel>, ServeError> {
        query::model_of_artifact(&self.plan(), objective, artifact_digest).cloned()
    }

    /// Builds a page. If a model fails, a fallback fills its rows, and the rows are marked as degraded.
    ///
    /// # Errors
    /// `NotFound` for a surface without a page, `Invalid` for lists out of bounds, and the errors of overload.
    pub async fn page<S: AsRef<str> + Sync>(
        &self,
        request: &PageRequest<S>,
        context: &RequestContext,
    ) -> Result<PageResponse, ServeError> {
        let began = Instant::now();
        let _permit = self.admit(Importance::Page, context).await?;
        validate::page(request)?;
        let plan = self.plan();
        let page = plan.page(request.surface.as_ref())?;
        let until = deadline::earliest(context.deadline, began, page.config.deadline);
        let times = PageTimes { began, until };
        Ok(page.answer(request, &context.request_id, times, &*self.0.pool.observer).await)
    }

    /// The answer of `/status`.
    pub fn status(&self) -> Status {
        let mut status = Status::clone(&self.0.status.load());
        let now = Instant::now();
        for resource in status.models.iter_mut().chain(&mut status.pages) {
            resource.loading = self.0.loads.of(&resource.uri, now);
        }
        let plan = self.plan();
        for resource in &mut status.pages {
            resource.objectives =
                plan.page(&resource.name).map(|page| page.objectives(now)).unwrap_or_default();
        }
        if self.0.draining.load(Relaxed) {
            status.ready = false;
            status.reasons.insert(0, "the process is shutting down".to_owned());
        }
        status
    }

    /// The loads in progress.
    pub fn loads(&self) -> &Loads {
        &self.0.loads
    }

    /// The answer of `/readyz`.
    pub fn is_ready(&self) -> bool {
        !self.0.draining.load(Relaxed) && self.0.status.load().ready
    }

    /// Makes `/readyz` report that the process is shutting down. Requests are still answered.
    pub fn drain(&self) {
        self.0.draining.store(true, Relaxed);
    }

    /// The served models, sorted by objective.
    pub fn models(&self) -> Vec<ModelDescription> {
        self.plan().models().into_iter().map(|model| model.description()).collect()
    }

    /// The model of an objective.
    pub fn model(&self, objective: &str) -> Option<ModelDescription> {
        self.plan().model(objective).ok().map(|model| model.description())
    }

    /// The surfaces that have a page, sorted by name.
    pub fn surfaces(&self) -> Vec<SurfaceDescription> {
        self.plan().pages().into_iter().map(|page| page.description()).collect()
    }

    /// Up to `limit` viewers of the first model of a surface, those with the longest history first.
    pub fn viewers(&self, surface: &str, limit: usize) -> Vec<ViewerDescription> {
        let plan = self.plan();
        plan.page(surface).ok().and_then(|page| page.busiest_viewers(limit)).unwrap_or_default()
    }

    /// The card of a title, from the first catalogue that has the title.
    pub fn title(&self, id: &str) -> Option<TitleCard> {
        let plan = self.plan();
        plan.pages().into_iter().find_map(|page| page.catalogue.card(page.catalogue.row(id)?).cloned())
    }

    /// The current plan. It stays valid while it is held, even if another plan replaces it.
    pub fn plan(&self) -> Arc<Plan> {
        self.0.plan.load_full()
    }

    /// Serves `plan` from the next request on. The previous plan is dropped after its last request.
    pub fn serve(&self, plan: Plan) {
        self.0.plan.store(Arc::new(plan));
        self.0.pool.observer.models_served(&self.models());
    }

    /// Replaces the status that `/status` and `/readyz` answer.
    pub fn report(&self, status: Status) {
        self.0.status.store(Arc::new(status));
    }

    /// The resources that the forward passes of all models share.
    pub fn pass_pool(&self) -> &PassPool {
        &self.0.pool
    }

    async fn admit(&self, importance: Importance, context: &RequestContext) -> Result<Permit, ServeError> {
        let now = Instant::now();
        if deadline::has_passed(context.deadline, now) {
            return Err(ServeError::DeadlineExceeded);
        }
        self.0.admission.enter(importance, now, context.deadline).await.map_err(|refused| match refused {
            Refused::DeadlineExceeded => ServeError::DeadlineExceeded,
            Refused::Shed { in_flight, retry_after } => {
                self.0.pool.observer.shed(importance.name());
                ServeError::Shed { in_flight, retry_after }
            }
        })
    }
}
