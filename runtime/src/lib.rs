//! Marquee's data plane: one binary, roles by configuration.
//!
//! Rooms that are crates of their own (Cargo enforces their direction): `marquee-artifacts`, `marquee-models`,
//! `marquee-algorithms`, `marquee-training`, `marquee-pages`, `marquee-manifests`. Here are the rooms that do I/O.

pub mod args;
pub mod commands;
pub mod contract;
pub mod cpu;
pub mod discovery;
pub mod engine;
pub mod preview;
pub mod rankers;
pub mod service;
pub mod serving;
pub mod telemetry;
pub mod transport;
