//! The operator's process on a real API server, in trouble: it crashes, it is answered badly, it is frozen, it has nothing to do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

#[path = "operator/drift.rs"]
mod drift;
#[path = "operator/faults.rs"]
mod faults;
#[path = "operator/foreign.rs"]
mod foreign;
#[path = "operator/leader.rs"]
mod leader;
#[path = "operator/silence.rs"]
mod silence;
#[path = "operator/sweep.rs"]
mod sweep;
