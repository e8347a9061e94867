//! The name of a revision.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// Name of a revision: the operator's hash of a spec and its artifact. It is neither an artifact digest nor the name of a child.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(from = "String", into = "String")]
pub struct RevisionName(Arc<str>);

impl RevisionName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for RevisionName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for RevisionName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<RevisionName> for String {
    fn from(name: RevisionName) -> Self {
        name.0.as_ref().to_owned()
    }
}

/// The API has names as text.
impl PartialEq<str> for RevisionName {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for RevisionName {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for RevisionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
