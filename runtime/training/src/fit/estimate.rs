//! How much memory a fit takes, before it is begun.

use marquee_algorithms::{Hyperparameters, trainer::FitShape};
use marquee_artifacts::layout::Sizes;
use marquee_models::registry::Registry;

use crate::trainers::Algorithm;

/// Bytes, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Of the artifact's tensors.
    pub weights: u64,
    /// Of everything at once: rows, tables, weights and what the fit works in.
    pub peak: u64,
}

/// Bytes of a row as read, and as it lies in the table, its transpose and the split.
const BYTES_A_ROW: u64 = 24 * 3 + 16 * 2;

/// Estimates a fit of `algorithm` on so many viewers, titles and rows.
pub fn memory(
    algorithm: Algorithm,
    hyperparameters: &Hyperparameters,
    (viewers, titles, rows): (usize, usize, usize),
) -> Estimate {
    let number =
        |name: &str| hyperparameters.get(name).and_then(serde_json::Value::as_u64).unwrap_or(1) as usize;
    let factors = number("factors") * number("ensemble");
    let sizes = Sizes { viewers, titles, watched: rows, factors };
    let architecture = Registry::default().find(algorithm.0.architecture);
    let weights = architecture.map_or(0, |architecture| architecture.layout.bytes(&sizes));
    let shape = FitShape { viewers: viewers as u64, titles: titles as u64, factors: factors as u64 };
    let work = (algorithm.0.working_bytes)(&shape);
    Estimate { weights, peak: weights + work + rows as u64 * BYTES_A_ROW }
}
