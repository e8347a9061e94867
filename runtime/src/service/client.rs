//! The interface through which a page queries a model, in this process or in another.
//!
//! There are two implementations: [`super::ranker::ServedModel`] answers in this process, and `rankers::RemoteRanker` queries
//! pods. Both give the same answers, bit for bit, because the gRPC server of a pod uses its own
//! [`super::ranker::ServedModel`] through this trait.

use std::{borrow::Cow, sync::Arc, time::Instant};

use futures::future::BoxFuture;
use marquee_artifacts::IdTable;
use marquee_models::{TitleRow, ViewerContext, ViewerEvent, ViewerRow};
use marquee_pages::Candidate;

use super::{
    describe::ViewerDescription,
    lists::TitleList,
    types::{Degraded, ModelInfo, Recognised},
};

/// The reason why a model did not answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RankError {
    /// The deadline passed.
    #[error("the deadline passed")]
    DeadlineExceeded,
    /// No pod of the model answers.
    #[error("no pod of the model is ready")]
    NotReady,
    /// The forward pass failed, with its error message.
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
    /// Row in the viewer table, for a viewer seen in training.
    pub known: Option<ViewerRow>,
    /// Rows in the title table, latest first.
    pub recent: Vec<TitleRow>,
}

impl OwnedViewer {
    /// The recent titles as events.
    pub fn events(&self) -> Vec<ViewerEvent> {
        self.recent.iter().map(|&title| ViewerEvent::play(title)).collect()
    }

    /// The viewer context for a model; `events` come from [`Self::events`].
    pub fn context<'a>(&self, events: &'a [ViewerEvent]) -> ViewerContext<'a> {
        ViewerContext { known: self.known, ..ViewerContext::of_events(events) }
    }

    /// A viewer who watched only this title.
    pub fn of_title(title: TitleRow) -> Self {
        Self { known: None, recent: vec![title] }
    }
}

/// Asks who the viewer is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewerQuery<'a> {
    /// Viewer id; empty for a viewer without one.
    pub viewer: Cow<'a, str>,
    /// Rows in the title table of the recently watched titles, latest first.
    pub recent: Vec<TitleRow>,
    /// Whether the viewer's scores will be queried too.
    pub scores: bool,
    /// The titles whose scores are enough; empty asks for all scores.
    pub lists: Arc<[TitleList]>,
}

/// A viewer as a model recognises them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownViewer<'a> {
    /// How the viewer was recognised.
    pub recognised: Recognised,
    /// The viewer in the model's rows.
    pub viewer: OwnedViewer,
    /// Title rows watched in training, ascending.
    pub history: Cow<'a, [TitleRow]>,
    /// The viewer's scores, if the client returned them in the same call: the page then does not query them again.
    pub scores: Option<Scores>,
}

/// Scores that a model gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Scores {
    /// Scores of all titles, by row.
    All(Vec<f32>),
    /// Scores of the titles in the lists of the query, ascending and unique.
    Listed(Vec<Candidate>),
}

/// Asks for scores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScoresQuery {
    /// Viewer to score titles for.
    pub viewer: Option<OwnedViewer>,
    /// The titles whose scores for the viewer are enough; empty asks for all scores.
    pub lists: Arc<[TitleList]>,
    /// Titles near which to score: for each, the scores for a viewer who watched only this title.
    pub near: Vec<NearQuery>,
    /// Viewer of the page. The lists of `near` leave out titles that this viewer watched.
    pub watched_by: OwnedViewer,
}

/// Asks for scores for a viewer who watched only one title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearQuery {
    /// Title row.
    pub title: TitleRow,
    /// The titles whose scores are enough; `None` asks for all scores.
    pub list: Option<TitleList>,
}

/// The scores, or the reason why the model gave no scores.
pub type ScoresResult = Result<Scores, RankError>;

/// The answer to a [`ScoresQuery`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoresAnswer {
    /// Scores for the viewer, if queried.
    pub viewer: Option<ScoresResult>,
    /// One result for each title in [`ScoresQuery::near`].
    pub near: Vec<ScoresResult>,
}

impl ScoresAnswer {
    /// The same error for every part of `query`.
    pub fn failed(query: &ScoresQuery, error: &RankError) -> Self {
        Self {
            viewer: query.viewer.as_ref().map(|_| Err(error.clone())),
            near: vec![Err(error.clone()); query.near.len()],
        }
    }
}

/// One revision of a model, as pages and the gRPC server query it.
pub trait RankerClient: Send + Sync {
    /// Name of the model in answers.
    fn info(&self) -> &ModelInfo;

    /// The title table, to which the rows in queries and answers refer.
    fn titles(&self) -> &IdTable<TitleRow>;

    /// Number of viewers that watched each title in training.
    fn plays(&self) -> &[f32];

    /// Whether it can answer at `now`: false while it has no pod, or none that answered its last queries.
    fn is_available(&self, _now: Instant) -> bool {
        true
    }

    /// Whether scores cross the network. Lists of the needed titles then save bytes.
    fn wants_lists(&self) -> bool {
        false
    }

    /// Recognises the viewer, by `until`. A client whose calls are expensive returns the viewer's scores too.
    fn recognise<'a: 'q, 'q>(
        &'a self,
        query: ViewerQuery<'q>,
        until: Instant,
    ) -> BoxFuture<'q, Result<KnownViewer<'a>, RankError>>;

    /// Scores titles, by `until`.
    fn scores(&self, query: ScoresQuery, until: Instant) -> BoxFuture<'_, ScoresAnswer>;

    /// Up to `limit` viewers with the longest history first. `None` if the viewers are in another process.
    fn busiest_viewers(&self, _limit: usize) -> Option<Vec<ViewerDescription>> {
        None
    }
}
