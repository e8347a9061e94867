//! One folder a kind: `mod` (reconcile and wiring), `observe`, `decide`, `status`.

pub mod page_layout;
pub mod ranking_model;

mod workers;

pub use workers::{Workers, run};
