//! Figures by which models are judged: error of ratings, quality of rankings, each with a bootstrap interval.
//!
//! Models come in as closures, so that every one can be judged, also one that is served elsewhere.

mod bootstrap;
mod ranking;
mod rating;

pub use bootstrap::{Bootstrap, Estimate};
pub use ranking::{AtK, RankingOptions, RankingReport, rank};
pub use rating::{RatingReport, RatingScale, rate};
