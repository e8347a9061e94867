//! One folder a kind: `mod` (reconcile and wiring), `observe`, `decide`, `status`. What both kinds decide alike is in `serving`.

pub mod page_layout;
pub mod ranking_model;
pub mod serving;

mod workers;

pub use workers::{Workers, run};
