//! EASE (Steck 2019): a linear model from titles to titles, in closed form.
//!
//! With G = XᵀX + λI and P = G⁻¹, the weight from title i to title j is −Pᵢⱼ / Pⱼⱼ, and 0 from a title to itself. G is symmetric
//! and positive definite: Cholesky, inverse of the triangle and its square take n³ operations, where a general inverse takes 8/3 n³.

mod co_occurrence;
mod inverse;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::context::{Fit, FitContext};
use crate::cost::{CostModel, FitCost, SampledBy};
use crate::error::{AlgorithmError, require};
use crate::factors::Factors;
use crate::interactions::Interactions;
use crate::trainer::{self, FittedTensor, Hyperparameter, Trainer};

/// The algorithm.
pub static TRAINER: Trainer = Trainer {
    name: "ease",
    about: "Plays: title-title weights in closed form",
    architecture: "ease",
    is_explicit: false,
    depends_on_threads: false,
    resumes: false,
    hyperparameters: &[
        Hyperparameter::real(
            "regularization",
            trainer::SMALLEST,
            1e9,
            "pull of the weights towards zero, in viewers",
        ),
        Hyperparameter::word(
            "precision",
            &["auto", "single", "double"],
            "numbers that the inverse is computed in",
        ),
    ],
    defaults: || trainer::fields(&EaseParams::default()),
    fit: |data, hyperparameters, context| {
        let found = fit(data, &trainer::params(hyperparameters)?, context)?;
        Ok(vec![FittedTensor::table("weights", found.weights)])
    },
    working_bytes: |shape, hyperparameters| {
        // Single precision that is chosen automatically may turn out too coarse.
        let is_single = hyperparameters.get("precision").is_some_and(|precision| precision == "single");
        2 * if is_single { 4 } else { 8 } * shape.titles * shape.titles
    },
    cost: CostModel {
        cost: |data, _, _| cost(data),
        shortened: |data, hyperparameters| {
            let mut short = hyperparameters.clone();
            if data.n_titles() > DOUBLE_UP_TO
                && short.get("precision").is_none_or(|precision| precision == "auto")
            {
                short.insert("precision".to_owned(), "single".into());
            }
            short
        },
        sampled_by: SampledBy::Titles,
    },
};

/// The numbers that the inverse is computed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Double for few titles; else single, checked by multiplying back, and double should that show an error above 1 %.
    #[default]
    Auto,
    /// 32 bits: half the time and memory.
    Single,
    /// 64 bits.
    Double,
}

/// Parameters of the fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct EaseParams {
    /// Pull of the weights towards zero, λ: in units of viewers.
    pub regularization: f32,
    /// The numbers that the inverse is computed in.
    pub precision: Precision,
}

impl Default for EaseParams {
    fn default() -> Self {
        Self { regularization: 500.0, precision: Precision::Auto }
    }
}

/// What the fit found.
#[derive(Debug, Clone, PartialEq)]
pub struct Ease {
    /// (titles, titles): row i holds what having watched title i adds to the score of each title. The diagonal is 0.
    pub weights: Factors,
}

impl Ease {
    /// Scores of all titles for a viewer who watched `history`.
    pub fn score(&self, history: &[u32], scores: &mut [f32]) {
        scores.fill(0.0);
        for &title in history {
            let row = self.weights.row(title as usize);
            scores.iter_mut().zip(row).for_each(|(score, weight)| *score += weight);
        }
    }
}

/// Up to this many titles, double precision costs less than a second.
const DOUBLE_UP_TO: usize = 2048;

/// What multiplying back may miss by before single precision is given up.
const TOLERANCE: f64 = 0.01;

/// The steps that the observer sees: counting, factoring, inverting.
const STEPS: u32 = 3;

/// Solves for all weights. Memory: two matrices of titles × titles.
///
/// The observer is called after each of three steps; there is no state to keep, and a fit that is resumed starts anew.
/// Errors: fewer than two viewers with interactions, λ out of range, a matrix that cannot be inverted, a stop by the observer.
pub fn fit(
    data: &Interactions,
    params: &EaseParams,
    context: &mut FitContext<'_>,
) -> Result<Ease, AlgorithmError> {
    let lambda = params.regularization;
    require(lambda.is_finite() && lambda > 0.0, "regularization", lambda, "a number above 0, such as 500")?;
    data.require_two_viewers()?;
    let n = data.n_titles();
    // A square of so many titles is 16 GiB in single precision.
    let limit = 1 << 16;
    if n > limit {
        return Err(AlgorithmError::TooLarge { what: "titles", found: n, limit });
    }
    let fit = Fit::new("ease", STEPS, params, data, context.seed());
    context.take_resume(&fit)?;
    let weights = match params.precision {
        Precision::Double => weights::<f64>(data, lambda, &fit, context)?,
        Precision::Auto if n <= DOUBLE_UP_TO => weights::<f64>(data, lambda, &fit, context)?,
        Precision::Single => weights::<f32>(data, lambda, &fit, context)?,
        Precision::Auto => match checked(data, lambda, &fit, context)? {
            Some(weights) => weights,
            None => weights::<f64>(data, lambda, &fit, context)?,
        },
    };
    Factors::from_values(n, weights).map(|weights| Ease { weights }).ok_or(AlgorithmError::TooLarge {
        what: "titles",
        found: n,
        limit,
    })
}

/// Counting pairs of titles comes before the first call of the observer, factor and inverse after it.
fn cost(data: &Interactions) -> FitCost {
    let pairs: f64 = (0..data.n_viewers()).map(|viewer| (data.span(viewer).len() as f64).powi(2)).sum();
    let titles = data.n_titles() as f64;
    // Beside the pairs: the transpose, and zeros for the matrix.
    FitCost { first: pairs / 2.0 + 20.0 * data.len() as f64 + titles * titles, later: titles.powi(3) }
}

/// Single precision, `None` where it is not good enough.
fn checked(
    data: &Interactions,
    lambda: f32,
    fit: &Fit,
    context: &mut FitContext<'_>,
) -> Result<Option<Vec<f32>>, AlgorithmError> {
    let inverse = match inverse::<f32>(data, lambda, fit, context) {
        Err(AlgorithmError::NotPositiveDefinite { .. }) => return Ok(None),
        other => other?,
    };
    let pool = context.pool().clone();
    if pool.install(|| inverse.error(data, lambda)) > TOLERANCE {
        return Ok(None);
    }
    let weights = pool.install(|| inverse.into_weights());
    context.observe(fit, STEPS, None, &BTreeMap::new)?;
    Ok(Some(weights))
}

fn weights<T: inverse::Real>(
    data: &Interactions,
    lambda: f32,
    fit: &Fit,
    context: &mut FitContext<'_>,
) -> Result<Vec<f32>, AlgorithmError> {
    let inverse = inverse::<T>(data, lambda, fit, context)?;
    let weights = context.pool().clone().install(|| inverse.into_weights());
    context.observe(fit, STEPS, None, &BTreeMap::new)?;
    Ok(weights)
}

fn inverse<T: inverse::Real>(
    data: &Interactions,
    lambda: f32,
    fit: &Fit,
    context: &mut FitContext<'_>,
) -> Result<inverse::Inverse<T>, AlgorithmError> {
    let pool = context.pool().clone();
    let mut gram = pool.install(|| co_occurrence::lower::<T>(data));
    let n = data.n_titles();
    for i in 0..n {
        gram[i * n + i] += T::of(lambda);
    }
    context.observe(fit, 1, None, &BTreeMap::new)?;
    let factor = pool.install(|| inverse::Factor::new(gram, n))?;
    context.observe(fit, 2, None, &BTreeMap::new)?;
    Ok(pool.install(|| factor.inverse()))
}

#[cfg(test)]
mod tests;
