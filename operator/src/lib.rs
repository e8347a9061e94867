//! Marquee's control plane: watches RankingModels and PageLayouts, and brings the cluster to the state that they describe.
//!
//! A reconcile reads the caches ([`context`], [`cache`]) into [`observed`], decides in pure code ([`controllers`] with [`resources`] and
//! [`rollout`]) which children should exist ([`child`]), applies what differs, says in the status what was applied, and reports ([`report`]).
//! `marquee-operator-kit` has what any operator needs; [`controllers::kinds`] lists the kinds.

pub mod args;
pub mod operator;

pub mod controllers;

pub use marquee_operator_kit::child;
pub mod observed;
pub mod resources;
pub mod rollout;
pub mod transition;

pub mod listener;
pub mod pod_status;
pub mod report;
pub mod served;

pub mod cache;
pub mod capabilities;
pub mod context;

pub mod check;
pub mod logs;
pub mod metrics;
