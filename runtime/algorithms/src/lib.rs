//! Marquee's training algorithms and ranking metrics: pure computation.
//!
//! No I/O, no clock and no global random source: data, parameters, seed, threads and an observer come in, factors and
//! figures go out. One algorithm a file, all of one shape: `fit(&data, &params, &mut context) -> Result<factors>`, and a
//! [`Trainer`] that says what hyperparameters it has and under which names the architecture reads the factors.
//!
//! - [`Interactions`] is what every algorithm learns from; [`split`] cuts it into training and test parts.
//! - [`FitContext`] carries seed, threads, observer (progress, checkpoint, cancel) and the state to resume from.
//! - [`popularity`], [`biased_mf`], [`svd_plus_plus`] (explicit ratings); [`implicit_als`], [`bpr`], [`ease`] (watched or not).
//! - [`metrics`] judges any model through a scorer closure.

pub mod interactions;
pub mod split;

pub mod cost;
pub mod trainer;

pub mod context;
pub mod error;
pub mod factors;

pub mod biased_mf;
pub mod bpr;
pub mod ease;
pub mod implicit_als;
pub mod popularity;
pub mod svd_plus_plus;

pub mod metrics;

#[cfg(test)]
mod fixtures;
mod kernels;
mod random;
mod rating_sgd;

pub use context::{FitContext, Progress, State};
pub use error::AlgorithmError;
pub use factors::Factors;
pub use interactions::{Interaction, Interactions};
pub use trainer::{Hyperparameters, Trainer};
