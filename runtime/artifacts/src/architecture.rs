//! Names of architectures. The format does not know which there are: whoever runs models does.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Bytes of a name.
const MAX_NAME_BYTES: usize = 64;

/// Name of what the weights are for, such as `implicit-als`.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(transparent)]
pub struct Architecture(Cow<'static, str>);

impl Architecture {
    /// Title metadata: no model.
    pub const CATALOGUE: Self = Self::named("catalogue");

    /// The architecture of that name.
    pub const fn named(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// As the manifest writes it.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether the artifact holds title metadata and no model.
    pub fn is_catalogue(&self) -> bool {
        *self == Self::CATALOGUE
    }

    /// Lower-case letters, digits and hyphens.
    pub(crate) fn is_well_formed(&self) -> bool {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !self.0.is_empty() && self.0.len() <= MAX_NAME_BYTES && self.0.chars().all(fits)
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
