//! Popularity: what most viewers watched. The baseline, and the fallback for viewers never seen.

use crate::error::AlgorithmError;
use crate::interactions::Interactions;

/// How many viewers watched each title: `n_titles` numbers.
///
/// Errors: [`AlgorithmError::Empty`] when there is no interaction. One viewer is enough here.
pub fn fit(data: &Interactions) -> Result<Vec<f32>, AlgorithmError> {
    if data.is_empty() {
        return Err(AlgorithmError::Empty);
    }
    Ok(data.plays())
}
