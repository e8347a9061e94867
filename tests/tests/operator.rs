//! The operator's process on a real API server, in trouble: it crashes, it is answered badly, it is frozen, it has nothing to do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

#[path = "operator/faults.rs"]
mod faults;
#[path = "operator/leader.rs"]
mod leader;
#[path = "operator/proxy.rs"]
mod proxy;
#[path = "operator/silence.rs"]
mod silence;
#[path = "operator/stage.rs"]
mod stage;
#[path = "operator/sweep.rs"]
mod sweep;
