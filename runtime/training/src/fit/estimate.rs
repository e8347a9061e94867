//! How much memory a fit takes, before it is begun.

use crate::knobs::{Algorithm, Hyperparameters};

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
pub fn memory(algorithm: Algorithm, knobs: &Hyperparameters, shape: (usize, usize, usize)) -> Estimate {
    let (viewers, titles, rows) = (shape.0 as u64, shape.1 as u64, shape.2 as u64);
    let knob = |name: &str| knobs.get(name).and_then(serde_json::Value::as_u64).unwrap_or(1);
    let columns = knob("factors") * knob("ensemble");
    let base = 4 * (titles + viewers + 1 + rows);
    let factors = 4 * columns * (viewers + titles);
    let (weights, work) = match algorithm {
        Algorithm::Popularity => (base, 0),
        // While it descends and while its members are averaged the factors lie in memory twice.
        Algorithm::BiasedMf | Algorithm::Bpr => (base + factors, 2 * factors),
        Algorithm::SvdPlusPlus => {
            let implicit = 4 * columns * titles;
            (base + factors + implicit, 2 * (factors + implicit))
        }
        Algorithm::ImplicitAls => (base + factors, 2 * factors),
        Algorithm::Ease => (base + 4 * titles * titles, 2 * 8 * titles * titles),
    };
    Estimate { weights, peak: weights + work + rows * BYTES_A_ROW }
}
