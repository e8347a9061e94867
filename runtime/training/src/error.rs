//! Why a command stopped, and its exit code.

use std::{io, path::PathBuf};

use marquee_algorithms::AlgorithmError;
use marquee_artifacts::{ArtifactError, WriteError};
use marquee_models::ModelError;

use crate::{config::ConfigError, data::DataError, progress::bytes};

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The config file cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The flags cannot be used, alone or with the config.
    #[error("{0}")]
    Usage(String),
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The data can be read and not learnt from, or the fit went astray.
    #[error("{algorithm} cannot be fitted")]
    Fit {
        /// What was fitted.
        algorithm: &'static str,
        /// The cause.
        source: AlgorithmError,
    },
    /// The fit would take more memory than there is.
    #[error(
        "{algorithm} would take about {} of memory, and the process may use {}: train on fewer rows or titles, choose another \
         algorithm or fewer factors, raise the limit, or give --force to try all the same",
        bytes(*needed), bytes(*allowed)
    )]
    Memory {
        /// What was to be fitted.
        algorithm: &'static str,
        /// Bytes at most, estimated.
        needed: u64,
        /// Bytes that the machine and its control groups allow.
        allowed: u64,
    },
    /// The data would take more memory than there is, before anything is fitted.
    #[error(
        "the data has about {rows} rows, which take about {} of memory when they are read, and the process may use {}: train on \
         fewer rows, raise the limit, or give --force to try all the same",
        bytes(*needed), bytes(*allowed)
    )]
    DataMemory {
        /// Rows, told from the beginning of the files.
        rows: u64,
        /// Bytes, estimated.
        needed: u64,
        /// Bytes that the machine and its control groups allow.
        allowed: u64,
    },
    /// Quality cannot be measured.
    #[error("quality cannot be measured by {protocol}")]
    Measure {
        /// The protocol.
        protocol: String,
        /// The cause.
        source: AlgorithmError,
    },
    /// A model refused its weights or a request: the weights came from here, so this is a defect, or a damaged artifact.
    #[error("the model of {what} cannot be used")]
    Model {
        /// The artifact or the algorithm.
        what: String,
        /// The cause.
        source: ModelError,
    },
    /// An artifact cannot be opened.
    #[error("artifact {} cannot be opened", dir.display())]
    Artifact {
        /// Its folder.
        dir: PathBuf,
        /// The cause.
        source: Box<ArtifactError>,
    },
    /// The artifact was not written.
    #[error(transparent)]
    Write(Box<WriteError>),
    /// What was written does not reproduce its own golden outputs.
    #[error("golden outputs of {} are not reproduced: nothing was published", dir.display())]
    Golden {
        /// The folder.
        dir: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A report, config or checkpoint was not written.
    #[error("{what} {} cannot be written", path.display())]
    Output {
        /// What it is.
        what: &'static str,
        /// Where it was to be.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A checkpoint cannot be resumed from.
    #[error("checkpoint {} {problem}: resume with the config and data it was written under, or remove it to start anew",
        path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// Stopped on request.
    #[error("stopped on request{}", checkpoint.as_ref().map_or_else(
        || ": nothing was written".to_owned(),
        |path| format!(": go on with the same command, from checkpoint {}", path.display())))]
    Cancelled {
        /// Where the state was saved.
        checkpoint: Option<PathBuf>,
    },
    /// Standard output is gone.
    #[error("output cannot be printed")]
    Print(#[from] io::Error),
}

impl TrainingError {
    /// Exit code of the process: 2 usage or config, 3 data, 4 output, 130 stopped on request, 1 anything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Usage(_) | Self::Checkpoint { .. } => 2,
            Self::Data(_) | Self::Artifact { .. } | Self::Memory { .. } | Self::DataMemory { .. } => 3,
            Self::Fit { source, .. } | Self::Measure { source, .. } => match source {
                AlgorithmError::Parameter { .. } | AlgorithmError::Diverged { .. } => 2,
                AlgorithmError::Threads { .. } => 1,
                _ => 3,
            },
            Self::Write(_) | Self::Output { .. } | Self::Print(_) => 4,
            Self::Cancelled { .. } => 130,
            Self::Model { .. } | Self::Golden { .. } => 1,
        }
    }
}

impl From<WriteError> for TrainingError {
    fn from(error: WriteError) -> Self {
        Self::Write(Box::new(error))
    }
}
