//! How much memory a fit takes, before it is begun.

use marquee_algorithms::{Hyperparameters, Interactions, trainer::FitShape};
use marquee_artifacts::layout::Sizes;
use marquee_models::registry::Registry;

use crate::{config::Config, error::TrainingError, memory::allowed, trainers::Algorithm};

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

/// Bytes of a row while it is read: once as read, once as algorithms take it.
const BYTES_A_ROW_READ: u64 = 24 * 2;

/// Refuses to read data that would take more memory than the process may use, unless the config forces it.
pub fn check_reading(config: &Config, rows: u64) -> Result<(), TrainingError> {
    reading_within(config, rows, allowed())
}

fn reading_within(config: &Config, rows: u64, allowed: Option<u64>) -> Result<(), TrainingError> {
    let needed = rows * BYTES_A_ROW_READ;
    match allowed {
        Some(allowed) if needed > allowed && !config.force => {
            Err(TrainingError::DataMemory { rows, needed, allowed })
        }
        _ => Ok(()),
    }
}

/// How large the data of a fit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataShape {
    /// Viewers.
    pub viewers: usize,
    /// Titles.
    pub titles: usize,
    /// Rows, those held out included.
    pub rows: usize,
}

/// Estimates a fit of `algorithm` on data of `shape`; every hyperparameter is given.
pub fn memory(algorithm: Algorithm, hyperparameters: &Hyperparameters, shape: DataShape) -> Estimate {
    let DataShape { viewers, titles, rows } = shape;
    let factors = factors(hyperparameters);
    let sizes = Sizes { viewers, titles, watched: rows, factors };
    let architecture = Registry::default().find(algorithm.0.architecture);
    let weights = architecture.map_or(0, |architecture| architecture.layout.bytes(&sizes));
    let shape = FitShape { viewers: viewers as u64, titles: titles as u64, factors: factors as u64 };
    let work = (algorithm.0.working_bytes)(&shape, hyperparameters);
    Estimate { weights, peak: weights + work + rows as u64 * BYTES_A_ROW }
}

/// Length of a vector of the model: that of each member of an ensemble, side by side.
pub(super) fn factors(hyperparameters: &Hyperparameters) -> usize {
    let number =
        |name: &str| hyperparameters.get(name).and_then(serde_json::Value::as_u64).unwrap_or(1) as usize;
    number("factors") * number("ensemble")
}

/// Refuses a fit that would take more memory than the process may use, unless the config forces it.
pub fn check(
    config: &Config,
    hyperparameters: &Hyperparameters,
    data: &Interactions,
) -> Result<(), TrainingError> {
    let resolved = config.algorithm.0.resolve(hyperparameters);
    let shape = DataShape { viewers: data.n_viewers(), titles: data.n_titles(), rows: data.len() };
    within(config, memory(config.algorithm, &resolved, shape), allowed())
}

fn within(config: &Config, estimate: Estimate, allowed: Option<u64>) -> Result<(), TrainingError> {
    match allowed {
        Some(allowed) if estimate.peak > allowed && !config.force => {
            Err(TrainingError::Memory { algorithm: config.algorithm.name(), needed: estimate.peak, allowed })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainers::TRAINERS;

    #[test]
    fn a_fit_that_cannot_fit_is_refused_with_numbers_for_every_algorithm() {
        for algorithm in TRAINERS.iter().copied() {
            let mut config = Config::new(algorithm);
            let hyperparameters = algorithm.0.resolve(&config.hyperparameters);
            let shape = DataShape { viewers: 1_000_000, titles: 60_000, rows: 20_000_000 };
            let estimate = memory(algorithm, &hyperparameters, shape);
            assert!(within(&config, estimate, None).is_ok());
            assert!(within(&config, estimate, Some(estimate.peak)).is_ok());
            let error = within(&config, estimate, Some(1_000_000_000)).unwrap_err();
            let text = error.to_string();
            assert!(
                text.starts_with(algorithm.name()) && text.contains("the process may use 1.0 GB"),
                "{text}"
            );
            assert_eq!(error.exit_code(), 3);
            config.force = true;
            assert!(within(&config, estimate, Some(1)).is_ok(), "forced");
        }
    }

    #[test]
    fn data_that_cannot_fit_is_refused_before_it_is_read() {
        let mut config = Config::new(TRAINERS[0]);
        assert!(reading_within(&config, 1_000_000, None).is_ok());
        assert!(reading_within(&config, 1_000_000, Some(48_000_000)).is_ok());
        let error = reading_within(&config, 1_000_000, Some(47_000_000)).unwrap_err();
        let expected = "the data has about 1000000 rows, which take about 48.0 MB of memory when they are read, and the \
                        process may use 47.0 MB: train on fewer rows, raise the limit, or give --force to try all the same";
        assert_eq!((error.to_string().as_str(), error.exit_code()), (expected, 3));
        config.force = true;
        assert!(reading_within(&config, 1_000_000, Some(1)).is_ok(), "forced");
    }

    #[test]
    fn ease_in_single_precision_works_in_half_the_memory() {
        let ease = TRAINERS[5];
        let shape = DataShape { viewers: 1000, titles: 60_000, rows: 1_000_000 };
        let square = 60_000_u64 * 60_000;
        #[rustfmt::skip]
        let cases = [
            // precision  bytes a number of the two matrices
            ("auto",      8),
            ("double",    8),
            ("single",    4),
        ];
        for (precision, bytes) in cases {
            let set = Hyperparameters::from_iter([("precision".to_owned(), precision.into())]);
            let estimate = memory(ease, &ease.0.resolve(&set), shape);
            let rest = 1_000_000 * BYTES_A_ROW + estimate.weights;
            assert_eq!(estimate.peak, rest + 2 * bytes * square, "{precision}");
            assert!((14.4e9..14.6e9).contains(&(estimate.weights as f64)), "{estimate:?}");
        }
    }
}
