//! What the operator decides, without a cluster: children as YAML, and clusters that come to rest.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod cluster;
mod goldens;
mod mutations;
mod permits;
mod rest;
mod stories;
mod targets;
