//! Why a model could not be loaded or run.

use marquee_artifacts::{Architecture, ArtifactError};

use crate::capability::Capability;

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
