//! Types that two kinds or more share.

mod artifact_ref;
mod duration;

pub use artifact_ref::ArtifactRef;
pub use duration::{DurationError, Duration};
