//! Marquee's control plane: watches RankingModels and PageLayouts, and keeps the cluster at what they say.
//!
//! A reconcile reads caches into [`observed`], decides purely ([`controllers`] with [`resources`] and [`rollout`]) what should be
//! ([`plan`], [`child`]), applies what differs, and reports.

pub mod args;
pub mod child;
pub mod controllers;
pub mod observed;
pub mod plan;
pub mod resources;
pub mod rollout;
