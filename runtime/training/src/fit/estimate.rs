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

/// Refuses a fit that would take more memory than the process may use, unless the config forces it.
pub fn check(
    config: &Config,
    hyperparameters: &Hyperparameters,
    data: &Interactions,
) -> Result<(), TrainingError> {
    let resolved = config.algorithm.0.resolve(hyperparameters);
    let shape = (data.n_viewers(), data.n_titles(), data.len());
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
            let estimate = memory(algorithm, &hyperparameters, (1_000_000, 60_000, 20_000_000));
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
        let config = Config::new(TRAINERS[5]);
        let estimate = memory(
            config.algorithm,
            &config.algorithm.0.resolve(&config.hyperparameters),
            (1000, 60_000, 1_000_000),
        );
        assert!((70e9..75e9).contains(&(estimate.peak as f64)), "{estimate:?}");
    }
}
