//! What a model may offer beside scores of candidates. A service asks for what it needs.

use crate::error::ModelError;
use crate::rows::{Scored, TitleRow, ViewerRow};
use crate::viewer::{ViewerContext, ViewerEvent};

/// Scores of the whole catalogue.
pub trait ScoreAll: Send + Sync {
    /// Writes the score of every title for each viewer into `scores`, `(viewers, n_titles)` row-major.
    fn score_all_into(&self, viewers: &[ViewerContext<'_>], scores: &mut [f32]) -> Result<(), ModelError>;
}

/// Asks for the best titles.
#[derive(Clone, Copy, Debug)]
pub struct TopKQuery<'a> {
    /// For whom.
    pub viewer: ViewerContext<'a>,
    /// How many; fewer come back when fewer are left.
    pub k: usize,
    /// The titles to choose from, ascending, each once; `None` is the whole catalogue.
    pub candidates: Option<&'a [TitleRow]>,
    /// Titles that must not come back, besides those that the viewer watched.
    pub exclude: &'a [TitleRow],
    /// Whether titles that the viewer watched (in training, or by the events) may come back.
    pub include_watched: bool,
}

/// The best titles.
pub trait TopK: Send + Sync {
    /// The best titles of each query, best first; equal scores by ascending title.
    ///
    /// Queries for one viewer that follow one another share the work on the viewer, such as a fold-in.
    fn best(&self, queries: &[TopKQuery<'_>]) -> Result<Vec<Vec<Scored>>, ModelError>;
}

/// Answers that follow what a viewer did since training.
pub trait FoldIn: Send + Sync {
    /// Whether the model can tell this viewer from any other: false means that its answer is what a stranger gets.
    fn knows(&self, viewer: &ViewerContext<'_>) -> bool;
}

/// Asks for the titles nearest to one.
#[derive(Clone, Copy, Debug)]
pub struct NearQuery<'a> {
    /// Near which title. It does not come back.
    pub seed: TitleRow,
    /// How many; fewer come back when fewer are left.
    pub k: usize,
    /// The titles to choose from, ascending, each once; `None` is the whole catalogue.
    pub candidates: Option<&'a [TitleRow]>,
    /// Titles that must not come back, besides the seed.
    pub exclude: &'a [TitleRow],
}

/// Titles near another one: unless an architecture knows better, what somebody gets who watched that one and nothing else.
pub trait Neighbours: ScoreAll + TopK {
    /// Writes how near every title is to each seed into `scores`, `(seeds, n_titles)` row-major.
    fn near_into(&self, seeds: &[TitleRow], scores: &mut [f32]) -> Result<(), ModelError> {
        let events: Vec<_> = seeds.iter().map(|seed| [ViewerEvent::play(*seed)]).collect();
        let viewers: Vec<_> = events.iter().map(|events| ViewerContext::of_events(events)).collect();
        self.score_all_into(&viewers, scores)
    }

    /// The titles nearest to each seed, nearest first; equal scores by ascending title.
    fn best_near(&self, queries: &[NearQuery<'_>]) -> Result<Vec<Vec<Scored>>, ModelError> {
        let events: Vec<_> = queries.iter().map(|query| [ViewerEvent::play(query.seed)]).collect();
        let as_viewers = queries.iter().zip(&events).map(|(query, events)| TopKQuery {
            viewer: ViewerContext::of_events(events),
            k: query.k,
            candidates: query.candidates,
            exclude: query.exclude,
            include_watched: false,
        });
        self.best(&as_viewers.collect::<Vec<_>>())
    }
}

/// What each viewer watched in training.
pub trait History: Send + Sync {
    /// Titles that `viewer` watched in training, ascending. Empty for a row outside the table.
    fn watched(&self, viewer: ViewerRow) -> &[TitleRow];

    /// The same titles in the order of time, latest last; titles of one time ascend. `None` where the artifact keeps no order
    /// (format version 1), and for a row outside the table.
    fn watched_in_order(&self, viewer: ViewerRow) -> Option<&[TitleRow]>;
}

/// How many viewers watched each title in training.
pub trait Popularity: Send + Sync {
    /// Viewers that watched each title, `(n_titles)`.
    fn plays(&self) -> &[f32];
}

/// Vectors of titles: titles that are alike have vectors that are alike.
pub trait Embeddings: Send + Sync {
    /// Numbers in a vector.
    fn dimensions(&self) -> usize;

    /// The vector of `title`. `None` for a row outside the table.
    fn title_vector(&self, title: TitleRow) -> Option<&[f32]>;
}
