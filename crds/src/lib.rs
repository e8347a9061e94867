//! The contract: Marquee's API types (group `marquee.dev`, `v1alpha1`) and what both sides must agree on.
//!
//! No I/O, no async. `operator` and `runtime` know this crate and never each other. Read in this order:
//! the kinds, what two kinds share, conditions, the names and labels of children, the definitions as they are installed, what a process
//! serves ([`pod_config`]), why a pod ended ([`termination`]), what a pod says of itself ([`runtime_status`]), the names of metrics.

#![allow(
    clippy::duplicated_attributes,
    reason = "every printer column of a kind is an attribute of the same form"
)]

pub mod page_layout;
pub mod ranking_model;

pub mod shared;

pub mod conditions;

pub mod names;

pub mod labels;

pub mod definitions;

pub mod pod_config;

pub mod termination;

pub mod runtime_status;

pub mod spelling;

pub mod metrics;

pub use page_layout::{PageLayout, PageLayoutSpec};
pub use ranking_model::{RankingModel, RankingModelSpec};

/// The API group of every kind.
pub const GROUP: &str = "marquee.dev";
/// The API version of every kind.
pub const VERSION: &str = "v1alpha1";
