//! Why an artifact could not be had.

use std::io;
use std::path::{Path, PathBuf};

use super::cause::StoreCause;
use crate::error::ArtifactError;

/// Why an artifact could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The uri names no place that artifacts come from.
    #[error("uri `{uri}` {problem}")]
    Uri {
        /// As given.
        uri: String,
        /// What is wrong with it, and the mend.
        problem: String,
    },
    /// A remote artifact without a digest could be anything.
    #[error("{uri} is remote and not pinned: set `sha256` of the artifact to the sha256 of its marquee.json")]
    Unpinned {
        /// As given.
        uri: String,
    },
    /// The settings do not fit the store, or each other. No retry mends this.
    #[error("the store of {uri} cannot be used: {problem}")]
    Settings {
        /// As given.
        uri: String,
        /// What is wrong with them, and the mend.
        problem: String,
    },
    /// No such object.
    #[error("{object} does not exist: correct the uri, or upload the whole folder")]
    NotFound {
        /// The file's uri.
        object: String,
        /// The store's word.
        source: StoreCause,
    },
    /// The store refuses these credentials.
    #[error("{object} may not be read: check the credentials and what they may read")]
    Denied {
        /// The file's uri.
        object: String,
        /// The store's word.
        source: StoreCause,
    },
    /// The store does not answer, or stops in the middle, again and again.
    #[error("{object} cannot be read now: {bytes} bytes are kept, and the next try goes on from there")]
    Unavailable {
        /// The file's uri.
        object: String,
        /// How much of it is here.
        bytes: u64,
        /// The store's word.
        source: StoreCause,
    },
    /// The artifact is larger than allowed; nothing of it but the manifest was fetched.
    #[error(
        "{uri} has {found} bytes, over the {limit} allowed for one artifact: raise the limit if it is meant to be so large"
    )]
    TooLarge {
        /// As given.
        uri: String,
        /// By its manifest.
        found: u64,
        /// `max_artifact_bytes`, or the size of the whole cache.
        limit: u64,
    },
    /// Everything in the cache is in use.
    #[error(
        "{uri} needs {needed} bytes, and the cache of {limit} bytes holds {in_use} that are in use: enlarge the cache"
    )]
    CacheFull {
        /// As given.
        uri: String,
        /// Bytes yet to be fetched.
        needed: u64,
        /// `max_cache_bytes`.
        limit: u64,
        /// Bytes that cannot be evicted.
        in_use: u64,
    },
    /// The cache's own files.
    #[error("cannot {verb} {} in the artifact cache", path.display())]
    Cache {
        /// Such as `write`.
        verb: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// It was fetched, or lies in place, and is not sound.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
}

impl FetchError {
    /// CamelCase word for a condition's reason and the metric label: few values, ever.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Uri { .. } => "BadUri",
            Self::Unpinned { .. } => "Unpinned",
            Self::Settings { .. } => "BadStoreSettings",
            Self::NotFound { .. } => "NotFound",
            Self::Denied { .. } => "AccessDenied",
            Self::Unavailable { .. } => "StoreUnavailable",
            Self::TooLarge { .. } => "TooLarge",
            Self::CacheFull { .. } => "CacheFull",
            Self::Cache { .. } => "CacheUnusable",
            Self::Artifact(error) => error.reason(),
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::CacheFull { .. })
    }

    pub(crate) fn cache(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Cache { verb, path: path.to_owned(), source }
    }
}
