//! Marquee's control plane: watches RankingModels and PageLayouts, and keeps the cluster at what they say.
//!
//! A reconcile reads caches ([`world`]) into [`observed`], decides purely ([`controllers`] with [`resources`] and [`rollout`]) which children and
//! which status should exist ([`child`]), applies what differs ([`apply`]), and reports ([`report`]).

pub mod args;
pub mod operator;

pub mod controllers;

pub mod child;
pub mod observed;
pub mod resources;
pub mod rollout;
pub mod transition;

pub mod apply;
pub mod loading;
pub mod report;
pub mod watch;

pub mod backoff;
pub mod capabilities;
pub mod chance;
pub mod context;
pub mod error;
pub mod events;
pub mod queue;
pub mod world;

pub mod check;
pub mod client;
pub mod http;
pub mod leader;
pub mod logs;
pub mod metrics;
