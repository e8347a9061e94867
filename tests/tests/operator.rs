//! The operator process on a real API server: crashes, failed requests, lost leadership, manual changes, and no work.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

#[path = "operator/drift.rs"]
mod drift;
#[path = "operator/faults.rs"]
mod faults;
#[path = "operator/foreign.rs"]
mod foreign;
#[path = "operator/leader.rs"]
mod leader;
#[path = "operator/namespace.rs"]
mod namespace;
#[path = "operator/silence.rs"]
mod silence;
#[path = "operator/sweep.rs"]
mod sweep;
