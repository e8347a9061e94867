//! Confidence intervals by resampling, from a seed.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::random::{Purpose, stream};

/// A figure and the interval in which 95 % of its resamples lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The figure on the data as they are.
    pub value: f64,
    /// The 2.5th percentile of the resamples.
    pub low: f64,
    /// The 97.5th percentile of the resamples.
    pub high: f64,
}

/// How to resample: the cases are drawn with replacement, as many as there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// How many resamples; 0 makes every interval its figure.
    pub resamples: usize,
    /// The seed that the draws follow from.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 1000, seed: 0 }
    }
}

impl Bootstrap {
    /// The interval of `statistic(mean of values)`: the identity for a mean, a root for a root mean square.
    pub fn estimate(&self, values: &[f64], statistic: impl Fn(f64) -> f64) -> Estimate {
        let n = values.len();
        let value = statistic(mean(values.iter().copied(), n));
        if n == 0 || self.resamples == 0 {
            return Estimate { value, low: value, high: value };
        }
        let mut drawn: Vec<f64> = (0..self.resamples)
            .map(|number| {
                let mut rng = stream(self.seed, Purpose::Bootstrap, number as u64);
                statistic(mean((0..n).map(|_| values[rng.random_range(0..n)]), n))
            })
            .collect();
        drawn.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| drawn[((drawn.len() - 1) as f64 * share).round() as usize];
        Estimate { value, low: at(0.025), high: at(0.975) }
    }
}

fn mean(values: impl Iterator<Item = f64>, n: usize) -> f64 {
    values.sum::<f64>() / n.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_agrees_with_its_standard_error() {
        let values: Vec<f64> = (0..1000).map(|i| f64::from(i % 2)).collect();
        let found = Bootstrap::default().estimate(&values, |mean| mean);
        let standard_error = 0.5 / 1000f64.sqrt();
        assert_eq!(found.value, 0.5);
        for (side, distance) in [("low", found.value - found.low), ("high", found.high - found.value)] {
            let ratio = distance / (1.96 * standard_error);
            assert!((0.85..1.15).contains(&ratio), "{side}: {ratio}");
        }
        assert_eq!(found, Bootstrap::default().estimate(&values, |mean| mean), "the seed decides");
    }

    #[test]
    fn no_values_and_no_resamples_give_an_interval_of_no_width() {
        let none = Bootstrap { resamples: 0, seed: 1 }.estimate(&[4.0, 16.0], f64::sqrt);
        assert_eq!((none.low, none.high), (none.value, none.value));
        assert_eq!(Bootstrap::default().estimate(&[], |mean| mean).value, 0.0);
    }
}
