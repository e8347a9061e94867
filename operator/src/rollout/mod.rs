//! Which revisions answer, and when: pure.
//!
//! [`revisions`] lists the revisions that exist, [`decide`] says which of them answer and which keep their pods, and [`diagnosis`] finds
//! why pods are not ready.

pub mod decision;

pub mod diagnosis;

mod revisions;

pub use decision::{Desired, Phase, RolloutDecision, Target, decide, main_target};
pub use diagnosis::{Finding, Needs, diagnose};
pub use revisions::{Revision, Revisions, history, revisions};
