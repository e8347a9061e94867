//! Which revision answers, and when: pure.
//!
//! [`revisions`] gathers what there is, [`course`] decides which revision answers and which keep their pods, [`diagnosis`] says what is
//! in the way of pods that are not ready.

pub mod course;

pub mod diagnosis;

mod revisions;

pub use course::{Before, Course, Phase, Wish, course};
pub use diagnosis::{Finding, Needs, diagnose};
pub use revisions::{Revision, Revisions, history, revisions};
