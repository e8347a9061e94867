//! The operator's decisions without a cluster: children as YAML, and clusters that come to rest.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod cluster;
mod goldens;
mod messages;
mod mutations;
mod pages;
mod rest;
mod stories;
mod surface;
mod targets;
