//! Popularity: what most viewers watched. The baseline, and the fallback for viewers never seen.

use crate::cost::{CostModel, FitCost, SampledBy};
use crate::error::AlgorithmError;
use crate::interactions::Interactions;
use crate::trainer::{Hyperparameters, Trainer};

/// The algorithm.
pub static TRAINER: Trainer = Trainer {
    name: "popularity",
    about: "Titles by how many viewers watched them; the baseline",
    architecture: "popularity",
    is_explicit: false,
    depends_on_threads: false,
    resumes: false,
    hyperparameters: &[],
    defaults: Hyperparameters::new,
    // The plays of titles are counted for every architecture.
    fit: |_, _, _| Ok(Vec::new()),
    working_bytes: |_, _| 0,
    cost: CostModel {
        cost: |data, _, _| FitCost { first: data.len() as f64, later: 0.0 },
        shortened: |_, hyperparameters| hyperparameters.clone(),
        sampled_by: SampledBy::Viewers,
    },
};

/// How many viewers watched each title: `n_titles` numbers.
///
/// Errors: [`AlgorithmError::Empty`] when there is no interaction. One viewer is enough here.
pub fn fit(data: &Interactions) -> Result<Vec<f32>, AlgorithmError> {
    if data.is_empty() {
        return Err(AlgorithmError::Empty);
    }
    Ok(data.plays())
}
