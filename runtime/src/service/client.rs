//! How a page asks a model, wherever the model runs.
//!
//! There are two implementations: [`super::ranker::ServedModel`] answers in this process, and `rankers::RemoteRanker` asks pods.
//! Both give the same answers, bit for bit: the gRPC server of a pod asks its own [`super::ranker::ServedModel`] through this trait.

use std::{borrow::Cow, sync::Arc, time::Instant};

use futures::future::BoxFuture;
use marquee_artifacts::IdTable;
use marquee_models::{TitleRow, ViewerContext, ViewerEvent, ViewerRow};

use super::{
    describe::ViewerDescription,
    types::{Degraded, ModelInfo, Recognised},
};

/// Why a model gave no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RankError {
    /// The deadline passed.
    #[error("the deadline passed")]
    DeadlineExceeded,
    /// No pod of the model answers.
    #[error("no pod of the model is ready")]
    NotReady,
    /// The forward pass failed; what it said.
    #[error("the forward pass failed: {0}")]
    Failed(Arc<str>),
}

impl From<&RankError> for Degraded {
    fn from(error: &RankError) -> Self {
        match error {
            RankError::DeadlineExceeded => Self::DeadlineMissed,
            RankError::NotReady => Self::ModelNotReady,
            RankError::Failed(_) => Self::ModelFailed,
        }
    }
}

/// A viewer in a model's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedViewer {
    /// Row in the viewer table, of a viewer seen in training.
    pub known: Option<u32>,
    /// Rows in the title table, latest first.
    pub recent: Vec<u32>,
}

impl OwnedViewer {
    /// The recent titles as events.
    pub fn events(&self) -> Vec<ViewerEvent> {
        self.recent.iter().map(|title| ViewerEvent::play(TitleRow(*title))).collect()
    }

    /// As models take it; `events` are those of [`Self::events`].
    pub fn context<'a>(&self, events: &'a [ViewerEvent]) -> ViewerContext<'a> {
        ViewerContext { known: self.known.map(ViewerRow), ..ViewerContext::of_events(events) }
    }

    /// Somebody who watched this title and nothing else.
    pub fn of_title(title: u32) -> Self {
        Self { known: None, recent: vec![title] }
    }
}

/// Asks who the viewer is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewerQuery {
    /// Viewer id; empty for a viewer without one.
    pub viewer: String,
    /// Rows in the title table of what the viewer watched lately, latest first.
    pub recent: Vec<u32>,
    /// Whether the viewer's scores will be asked for too.
    pub scores: bool,
}

/// Who a viewer is to a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownViewer<'a> {
    /// How the viewer was recognised.
    pub recognised: Recognised,
    /// The viewer in the model's rows.
    pub viewer: OwnedViewer,
    /// Title rows watched in training, ascending.
    pub history: Cow<'a, [u32]>,
    /// The viewer's scores, where the client brought them along: then nobody needs to ask for them.
    pub scores: Option<Vec<f32>>,
}

/// Asks for scores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScoresQuery {
    /// For this viewer.
    pub viewer: Option<OwnedViewer>,
    /// For each of these titles: somebody who watched this title and nothing else.
    pub near: Vec<u32>,
}

/// Scores by title row, or why there are none.
pub type ScoresResult = Result<Vec<f32>, RankError>;

/// The answer to a [`ScoresQuery`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoresAnswer {
    /// Of the viewer, if asked for.
    pub viewer: Option<ScoresResult>,
    /// One a title of [`ScoresQuery::near`].
    pub near: Vec<ScoresResult>,
}

impl ScoresAnswer {
    /// The same failure for everything that `query` asks.
    pub fn failed(query: &ScoresQuery, error: &RankError) -> Self {
        Self {
            viewer: query.viewer.as_ref().map(|_| Err(error.clone())),
            near: vec![Err(error.clone()); query.near.len()],
        }
    }
}

/// One revision of a model, as pages and the gRPC server ask it.
pub trait RankerClient: Send + Sync {
    /// By which answers name the model.
    fn info(&self) -> &ModelInfo;

    /// The title table: the rows of every question and answer.
    fn titles(&self) -> &IdTable;

    /// Viewers that watched each title in training.
    fn plays(&self) -> &[f32];

    /// Says who the viewer is, by `until`. A client to whom a second call is dear brings the viewer's scores along.
    fn recognise(
        &self,
        query: ViewerQuery,
        until: Instant,
    ) -> BoxFuture<'_, Result<KnownViewer<'_>, RankError>>;

    /// Scores titles, by `until`.
    fn scores(&self, query: ScoresQuery, until: Instant) -> BoxFuture<'_, ScoresAnswer>;

    /// Up to `limit` viewers, those who watched most first. `None` where the viewers are in another process.
    fn busiest_viewers(&self, _limit: usize) -> Option<Vec<ViewerDescription>> {
        None
    }
}
