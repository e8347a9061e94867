//! What a single process does not do of the manifests.

use std::{fmt, path::PathBuf};

/// Something in the manifests that a cluster would heed and a single process does not. Not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Resources of several namespaces are served side by side.
    NamespacesMerged {
        /// Which, sorted.
        namespaces: Vec<String>,
    },
    /// `status`, which only a controller writes.
    StatusIgnored {
        /// Kind, namespace and name.
        resource: String,
    },
    /// `ownerReferences` and the like.
    MetadataIgnored {
        /// Kind, namespace and name.
        resource: String,
        /// Which, sorted.
        fields: Vec<String>,
    },
    /// Fields that say how pods run.
    OfPods {
        /// Paths, sorted, each once.
        fields: Vec<String>,
    },
    /// A folder within the folder.
    SubFolder {
        /// Its path.
        path: PathBuf,
    },
    /// A manifest by a name that begins with a dot.
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
                "namespaces are merged: surfaces and objectives of {} are served side by side; in a cluster each \
                 namespace stands by itself",
                namespaces.join(", ")
            ),
            Self::StatusIgnored { resource } => {
                write!(f, "{resource}: status is ignored: only a cluster writes it")
            }
            Self::MetadataIgnored { resource, fields } => {
                write!(f, "{resource}: metadata of a cluster is ignored: {}", fields.join(", "))
            }
            Self::OfPods { fields } => {
                write!(f, "a single process has no pods, and does not use {}", fields.join(", "))
            }
            Self::SubFolder { path } => write!(f, "{}: the sub-folder is not read", path.display()),
            Self::HiddenFile { path } => {
                write!(f, "{}: is not read, because its name begins with a dot", path.display())
            }
        }
    }
}
