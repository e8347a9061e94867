//! Models that answer in other processes: what a page holds of one, and what it asks.

use std::{sync::Arc, time::Instant};

use futures::future::BoxFuture;
use marquee_artifacts::IdTable;

use super::{
    passes::RankError,
    types::{ModelInfo, Recognised},
};

/// What a page asks of a model in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Who the viewer is, and their scores.
    pub who: Option<Who>,
    /// Title rows, for each of which somebody who watched only this is scored.
    pub near: Vec<u32>,
}

/// A viewer, in the rows of the model that is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// Viewer id; empty for nobody known.
    pub viewer: String,
    /// Title rows, latest first.
    pub recent: Vec<u32>,
    /// Whether scores of all titles are wanted.
    pub scores: bool,
}

/// What the model says.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// Of [`Ask::who`].
    pub who: Option<Known>,
    /// Scores by title row, one answer a row of [`Ask::near`].
    pub near: Vec<Vec<f32>>,
}

/// Who a viewer is to a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// How the viewer was recognised.
    pub recognised: Recognised,
    /// Row in the viewer table, of a viewer seen in training.
    pub viewer: Option<u32>,
    /// Title rows watched in training, ascending.
    pub history: Vec<u32>,
    /// Scores by title row; none of a stranger, nor when none were asked for.
    pub scores: Option<Vec<f32>>,
}

/// The pods of one revision of a model, as one.
pub trait RemoteRanker: Send + Sync {
    /// Asks one of them, by `until`.
    fn consult(&self, ask: Ask, until: Instant) -> BoxFuture<'_, Result<Heard, RankError>>;
}

/// A revision of a model that answers in other processes, with what a page needs of it beside answers.
pub struct RemoteModel {
    /// By which answers name it.
    pub info: ModelInfo,
    /// Of the title table: the rows of every question and answer.
    pub titles: IdTable,
    /// Viewers that watched each title in training.
    pub plays: Vec<f32>,
    /// Whom to ask.
    pub ranker: Arc<dyn RemoteRanker>,
}
