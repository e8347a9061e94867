//! The contract of a model: a small required core, and capabilities that a service asks for.
//!
//! Every model scores candidates. What else it can do it says by [`Model::score_all`], [`Model::top_k`] and the other
//! queries: each gives the capability, or `None`. A caller that cannot do without one turns `None` into
//! [`ModelError::Lacks`], which names the architecture and the capability.

use candle_core::DeviceLocation;
use marquee_artifacts::{Architecture, ArtifactError};

use crate::capability::{Capability, Embeddings, FoldIn, History, Neighbours, Popularity, ScoreAll, TopK};
use crate::rows::TitleRow;
use crate::viewer::ViewerContext;

/// A title and its score; larger is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Row of the title table.
    pub title: TitleRow,
    /// Finite.
    pub score: f32,
}

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
        None
    }

    /// Titles near another one.
    fn neighbours(&self) -> Option<&dyn Neighbours> {
        None
    }

    /// What each viewer watched in training.
    fn history(&self) -> Option<&dyn History> {
        None
    }

    /// How many viewers watched each title in training.
    fn popularity(&self) -> Option<&dyn Popularity> {
        None
    }

    /// Vectors of titles.
    fn embeddings(&self) -> Option<&dyn Embeddings> {
        None
    }
}

/// Why a model could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Candle refused an operation.
    #[error("tensor operation failed")]
    Tensor(#[from] candle_core::Error),
    /// The architecture is unknown, or the artifact does not hold its tensors.
    #[error(transparent)]
    Artifact(Box<ArtifactError>),
    /// The weights or hyperparameters are not what the architecture needs.
    #[error("{0}")]
    Weights(String),
    /// A viewer or title row is outside the table.
    #[error("{what} {index} is outside the model's {count}")]
    OutOfRange {
        /// `viewer` or `title`.
        what: &'static str,
        /// The row asked for.
        index: u32,
        /// Rows of the table.
        count: usize,
    },
    /// The caller's lists do not belong together.
    #[error("{what}: expected {expected}, found {found}")]
    Lengths {
        /// Which list.
        what: &'static str,
        /// Its right length.
        expected: usize,
        /// Its length.
        found: usize,
    },
    /// The model cannot do what was asked for.
    #[error(
        "a model of architecture {architecture} cannot {capability}: serve one of an architecture that can"
    )]
    Lacks {
        /// Of the model.
        architecture: Architecture,
        /// What it was asked for.
        capability: Capability,
    },
}

impl From<ArtifactError> for ModelError {
    fn from(error: ArtifactError) -> Self {
        Self::Artifact(Box::new(error))
    }
}

impl ModelError {
    /// `model` does not offer `capability`.
    pub fn lacks(model: &dyn Model, capability: Capability) -> Self {
        Self::Lacks { architecture: model.architecture(), capability }
    }
}
