//! The one trait behind which every architecture answers.

use candle_core::Tensor;
use marquee_artifacts::manifest::Architecture;

/// Who is ranked for. Both empty is a viewer of whom nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Viewer<'a> {
    /// Row in the viewer table, for one seen in training.
    pub known: Option<u32>,
    /// Titles watched since (rows of the title table), latest first. Folded in.
    pub recent: &'a [u32],
}

/// A title and its score; larger is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Row in the title table.
    pub title: u32,
    /// Finite.
    pub score: f32,
}

/// Asks for the best titles.
#[derive(Clone, Copy, Debug)]
pub struct TopKQuery<'a> {
    /// Who is ranked for.
    pub viewer: Viewer<'a>,
    /// How many; fewer come back when fewer are left.
    pub k: usize,
    /// Titles that must not come back, besides those the viewer watched (see [`Model::history`] and `recent`).
    pub exclude: &'a [u32],
    /// Whether titles that the viewer watched (history and recent) may come back.
    pub include_watched: bool,
}

/// Why a model could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Candle refused an operation.
    #[error("tensor operation failed")]
    Tensor(#[from] candle_core::Error),
    /// The weights or hyper-parameters are not what the architecture needs.
    #[error("{0}")]
    Weights(String),
    /// A viewer or title index is outside the table.
    #[error("{what} {index} is outside the model's {count}")]
    OutOfRange {
        /// `viewer` or `title`.
        what: &'static str,
        /// What was asked.
        index: u32,
        /// How many there are.
        count: usize,
    },
}

/// A trained model. Larger scores are better; the batch equals the singles bit for bit, and padding changes nothing.
pub trait Model: Send + Sync {
    /// What it is.
    fn architecture(&self) -> Architecture;

    /// Titles that it can score.
    fn n_titles(&self) -> usize;

    /// Viewers seen in training.
    fn n_viewers(&self) -> usize;

    /// Titles that `viewer` watched in training, ascending. Empty for a row outside the table.
    fn history(&self, viewer: u32) -> &[u32];

    /// Viewers that watched each title in training, `(n_titles)`: what is popular.
    fn plays(&self) -> &[f32];

    /// Whether it can tell this viewer from any other: false means that its answer is what a stranger gets.
    fn knows(&self, viewer: &Viewer<'_>) -> bool;

    /// Scores of every title, `(batch, n_titles)`, f32.
    fn score_all(&self, viewers: &[Viewer<'_>]) -> Result<Tensor, ModelError>;

    /// Scores of the given titles, one list a viewer (lists may differ in length).
    fn score(&self, viewers: &[Viewer<'_>], titles: &[&[u32]]) -> Result<Vec<Vec<f32>>, ModelError>;

    /// The best titles, best first; equal scores by ascending title.
    fn top_k(&self, queries: &[TopKQuery<'_>]) -> Result<Vec<Vec<Scored>>, ModelError>;

    /// Bytes of heap that the model holds beside its mapped file.
    fn heap_bytes(&self) -> usize;
}
