//! Types that two kinds or more share.

mod artifact_ref;
mod duration;
pub(crate) mod rules;

pub use artifact_ref::ArtifactRef;
pub use duration::{Duration, DurationError};
