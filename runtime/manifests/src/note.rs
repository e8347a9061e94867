//! What a single process ignores in the manifests.

use std::{fmt, path::PathBuf};

/// Part of the manifests that matters in a cluster but not in a single process. Not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// One process serves resources of several namespaces.
    NamespacesMerged {
        /// Their names, sorted.
        namespaces: Vec<String>,
    },
    /// The resource has a `status`, which only a controller writes.
    StatusIgnored {
        /// Kind, namespace and name.
        resource: String,
    },
    /// The resource has metadata that only a cluster uses, e.g. `ownerReferences`.
    MetadataIgnored {
        /// Kind, namespace and name.
        resource: String,
        /// Their names, sorted.
        fields: Vec<String>,
    },
    /// Some fields configure pods.
    PodFieldsIgnored {
        /// Paths, sorted, each once.
        fields: Vec<String>,
    },
    /// The folder contains another folder.
    SubFolder {
        /// Its path.
        path: PathBuf,
    },
    /// The name of a manifest starts with a dot.
    HiddenFile {
        /// Its path.
        path: PathBuf,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NamespacesMerged { namespaces } => write!(
                f,
                "namespaces are merged: this process serves the surfaces and objectives of {}; a cluster keeps namespaces \
                 apart",
                namespaces.join(", ")
            ),
            Self::StatusIgnored { resource } => {
                write!(f, "{resource}: ignores status: only a cluster writes it")
            }
            Self::MetadataIgnored { resource, fields } => {
                write!(f, "{resource}: ignores metadata that only a cluster uses: {}", fields.join(", "))
            }
            Self::PodFieldsIgnored { fields } => {
                write!(
                    f,
                    "ignores fields that configure pods, because a single process has none: {}",
                    fields.join(", ")
                )
            }
            Self::SubFolder { path } => write!(f, "{}: ignores the sub-folder", path.display()),
            Self::HiddenFile { path } => {
                write!(f, "{}: ignores the file, because its name starts with a dot", path.display())
            }
        }
    }
}
