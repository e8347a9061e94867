//! The contract of a model: a small required core, and capabilities that a service asks for.
//!
//! Every model scores candidates. What else it can do it says by [`Model::score_all`], [`Model::top_k`] and the other
//! queries: each gives the capability, or `None`. A caller that cannot do without one turns `None` into
//! [`ModelError::Lacks`], which names the architecture and the capability.

use candle_core::DeviceLocation;
use marquee_artifacts::Architecture;

use crate::capabilities::{Embeddings, FoldIn, History, Neighbours, Popularity, ScoreAll, TopK};
use crate::capability::Capability;
use crate::error::ModelError;
use crate::rows::TitleRow;
use crate::viewer::ViewerContext;
use crate::watch_history::WatchHistory;

/// A trained model. Larger scores are better.
///
/// A batch gives the scores that its viewers get one by one, and neither the other candidates nor their number change a
/// score: bit for bit on the CPU, within [`Tolerance::batch`](crate::device::Tolerance::batch) elsewhere.
pub trait Model: Send + Sync {
    /// What the weights are for.
    fn architecture(&self) -> Architecture;

    /// Titles that it can score.
    fn n_titles(&self) -> usize;

    /// Viewers seen in training.
    fn n_viewers(&self) -> usize;

    /// Where it computes: says how exact its scores are (see [`crate::device::Tolerance`]).
    fn device(&self) -> DeviceLocation {
        DeviceLocation::Cpu
    }

    /// Bytes of heap that the model holds beside its mapped file.
    fn heap_bytes(&self) -> usize;

    /// Scores these candidates for these viewers: one list a viewer. Lists may differ in length.
    fn score(
        &self,
        viewers: &[ViewerContext<'_>],
        candidates: &[&[TitleRow]],
    ) -> Result<Vec<Vec<f32>>, ModelError>;

    /// Plays and histories, where the model keeps them: they give it fold-in, history and popularity.
    fn kept_history(&self) -> Option<&WatchHistory> {
        None
    }

    /// Scores of the whole catalogue.
    fn score_all(&self) -> Option<&dyn ScoreAll> {
        None
    }

    /// The best titles, of the whole catalogue or of a part.
    fn top_k(&self) -> Option<&dyn TopK> {
        None
    }

    /// Answers that follow what a viewer did since training.
    fn fold_in(&self) -> Option<&dyn FoldIn> {
        self.kept_history().map(|kept| kept as &dyn FoldIn)
    }

    /// Titles near another one.
    fn neighbours(&self) -> Option<&dyn Neighbours> {
        None
    }

    /// What each viewer watched in training.
    fn history(&self) -> Option<&dyn History> {
        self.kept_history().map(|kept| kept as &dyn History)
    }

    /// How many viewers watched each title in training.
    fn popularity(&self) -> Option<&dyn Popularity> {
        self.kept_history().map(|kept| kept as &dyn Popularity)
    }

    /// Vectors of titles.
    fn embeddings(&self) -> Option<&dyn Embeddings> {
        None
    }
}

impl Capability {
    /// Whether `model` offers it.
    pub fn is_offered_by(self, model: &dyn Model) -> bool {
        match self {
            Self::ScoreAll => model.score_all().is_some(),
            Self::TopK => model.top_k().is_some(),
            Self::FoldIn => model.fold_in().is_some(),
            Self::Neighbours => model.neighbours().is_some(),
            Self::History => model.history().is_some(),
            Self::Popularity => model.popularity().is_some(),
            Self::Embeddings => model.embeddings().is_some(),
        }
    }
}

impl ModelError {
    /// `model` does not offer `capability`.
    pub fn lacks(model: &dyn Model, capability: Capability) -> Self {
        Self::Lacks { architecture: model.architecture(), capability }
    }
}
