//! The contract: Marquee's API types (group `marquee.dev`, version `v1alpha1`) and everything that operator and runtime share.
//!
//! No I/O, no async. `operator` and `runtime` depend on this crate and never on each other. Read in this order: the kinds,
//! the types that both kinds share, conditions, names of children and revisions, labels, the definitions to install, the
//! configuration of a process ([`pod_config`]), the reason why a pod ended ([`termination`]), the status of a pod
//! ([`runtime_status`]), addresses to listen on ([`listen_address`]), errors with their causes ([`causes`]),
//! why a row is degraded ([`degraded`]), the names of metrics.

#![allow(
    clippy::duplicated_attributes,
    reason = "a kind has one attribute of the same form per printer column"
)]

pub mod page_layout;
pub mod ranking_model;

pub mod shared;

pub mod conditions;

pub mod names;

pub mod revision_name;

pub mod labels;

pub mod definitions;

pub mod pod_config;

pub mod termination;

pub mod runtime_status;

pub mod spelling;

pub mod causes;

pub mod degraded;

pub mod listen_address;

pub mod metrics;

pub use page_layout::{PageLayout, PageLayoutSpec};
pub use ranking_model::{RankingModel, RankingModelSpec};

/// The API group of every kind.
pub const GROUP: &str = "marquee.dev";
/// The API version of every kind.
pub const VERSION: &str = "v1alpha1";
