//! What a decision comes to: children as they should be, a status, and what to tell.

use std::time::Duration;

use marquee_crds::conditions::Reason;

use crate::child::Child;

/// What should be, for one parent; `S` is its status.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<S> {
    /// Every child that should exist. Whatever else the operator made for this parent is pruned.
    pub children: Vec<Child>,
    /// The status, stamped: the same observations give the same status, times included.
    pub status: S,
    /// What changed since the status before, each worth an event.
    pub happenings: Vec<Happening>,
    /// When to look again although nothing changed, e.g. at a deadline.
    pub look_again: Option<Duration>,
}

/// A transition that people should hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Whether it is a warning.
    pub warning: bool,
    /// One word.
    pub reason: Reason,
    /// What was done or found, in UpperCamelCase verbs, e.g. `MoveTraffic`.
    pub action: &'static str,
    /// One sentence.
    pub note: String,
}
