//! Biased matrix factorization of explicit ratings, by stochastic gradient descent (Koren, Bell and Volinsky 2009).
//!
//! A rating is predicted as mean + bᵤ + bᵢ + pᵤ·qᵢ. Each epoch meets every training rating once, in an order that follows from
//! seed and epoch.

use serde::{Deserialize, Serialize};

use crate::context::FitContext;
use crate::cost::{self, CostModel, SampledBy};
use crate::error::AlgorithmError;
use crate::factors::Factors;
use crate::interactions::Interactions;
use crate::kernels;
use crate::rating_sgd::{self, Descent};
use crate::trainer::{self, FittedTensor, Trainer};

/// The algorithm.
pub static TRAINER: Trainer = Trainer {
    name: "biased-mf",
    about: "Explicit ratings: biases and factors by stochastic gradient descent",
    architecture: "biased-mf",
    is_explicit: true,
    depends_on_threads: false,
    resumes: true,
    hyperparameters: &[
        trainer::FACTORS,
        trainer::EPOCHS,
        trainer::LEARNING_RATE,
        trainer::LEARNING_RATE_DECAY,
        trainer::REGULARIZATION,
        trainer::BIAS_REGULARIZATION,
        trainer::INITIAL_DEVIATION,
        trainer::ENSEMBLE,
    ],
    defaults: || trainer::fields(&BiasedMfParams::default()),
    fit: |data, hyperparameters, context| {
        Ok(fit(data, &trainer::params(hyperparameters)?, context)?.into_tensors())
    },
    // While it descends and while its members are averaged the factors lie in memory twice.
    working_bytes: |shape, _| 2 * shape.factor_bytes(),
    cost: CostModel {
        cost: |data, hyperparameters, _| cost::descent(data, hyperparameters),
        shortened: |_, hyperparameters| cost::two_of("epochs", hyperparameters),
        sampled_by: SampledBy::Viewers,
    },
};

/// Parameters of the fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct BiasedMfParams {
    /// Length of a viewer's and a title's vector, for each member of the ensemble.
    pub factors: usize,
    /// How often every rating is met.
    pub epochs: u32,
    /// Length of the first epoch's steps.
    pub learning_rate: f32,
    /// By what the learning rate is multiplied after each epoch; 1 keeps it.
    pub learning_rate_decay: f32,
    /// Pull of the factors towards zero.
    pub regularization: f32,
    /// Pull of the biases towards zero.
    pub bias_regularization: f32,
    /// Standard deviation of the factors' first values.
    pub initial_deviation: f32,
    /// Models fitted from different first values and averaged. The average of several is itself a model of this kind, with
    /// `ensemble` × `factors` factors: better, and that much larger.
    pub ensemble: u32,
}

impl Default for BiasedMfParams {
    fn default() -> Self {
        Self {
            factors: 64,
            epochs: 60,
            learning_rate: 0.01,
            learning_rate_decay: 0.97,
            regularization: 0.1,
            bias_regularization: 0.02,
            initial_deviation: 0.1,
            ensemble: 1,
        }
    }
}

/// What the fit found.
#[derive(Debug, Clone, PartialEq)]
pub struct BiasedMf {
    /// Mean of the training ratings.
    pub global_mean: f32,
    /// (viewers): what each viewer adds to it.
    pub viewer_bias: Vec<f32>,
    /// (titles): what each title adds to it.
    pub title_bias: Vec<f32>,
    /// (viewers, ensemble × factors).
    pub viewer_factors: Factors,
    /// (titles, ensemble × factors).
    pub title_factors: Factors,
}

impl BiasedMf {
    /// The rating that `viewer` would give `title`, not clipped to the scale.
    ///
    /// A viewer or title without training ratings has no bias and, its factors being random still, none of those either.
    pub fn predict(&self, viewer: u32, title: u32) -> f32 {
        let (viewer, title) = (viewer as usize, title as usize);
        let (p, q) = (self.viewer_factors.row(viewer), self.title_factors.row(title));
        let product: f32 = p.iter().zip(q).map(|(p, q)| p * q).sum();
        self.global_mean + self.viewer_bias[viewer] + self.title_bias[title] + product
    }

    /// The predicted ratings of all titles for one viewer.
    pub fn score(&self, viewer: u32, scores: &mut [f32]) {
        kernels::score(self.viewer_factors.row(viewer as usize), &self.title_factors, scores);
        let base = self.global_mean + self.viewer_bias[viewer as usize];
        scores.iter_mut().zip(&self.title_bias).for_each(|(score, bias)| *score += base + bias);
    }
}

impl BiasedMf {
    /// The model that descent found, and its implicit factors.
    pub(crate) fn of(fitted: rating_sgd::Fitted) -> (Self, Factors) {
        let found = Self {
            global_mean: fitted.global_mean,
            viewer_bias: fitted.viewer_bias,
            title_bias: fitted.title_bias,
            viewer_factors: fitted.viewer_factors,
            title_factors: fitted.title_factors,
        };
        (found, fitted.title_implicit)
    }

    /// The tensors under their names in an artifact.
    pub(crate) fn into_tensors(self) -> Vec<FittedTensor> {
        vec![
            FittedTensor::vector("global.mean", vec![self.global_mean]),
            FittedTensor::vector("viewer.bias", self.viewer_bias),
            FittedTensor::vector("title.bias", self.title_bias),
            FittedTensor::table("viewer.factors", self.viewer_factors),
            FittedTensor::table("title.factors", self.title_factors),
        ]
    }
}

/// Fits by gradient descent. Members of an ensemble run in parallel; the result does not depend on the number of threads.
///
/// Errors: fewer than two viewers with ratings, a parameter out of range, a state of another fit, numbers that ran away, a
/// stop by the observer.
pub fn fit(
    data: &Interactions,
    params: &BiasedMfParams,
    context: &mut FitContext<'_>,
) -> Result<BiasedMf, AlgorithmError> {
    let descent = Descent {
        algorithm: "biased-mf",
        implicit: None,
        factors: params.factors,
        epochs: params.epochs,
        learning_rate: params.learning_rate,
        learning_rate_decay: params.learning_rate_decay,
        regularization: params.regularization,
        bias_regularization: params.bias_regularization,
        initial_deviation: params.initial_deviation,
        ensemble: params.ensemble,
    };
    Ok(BiasedMf::of(rating_sgd::fit(data, &descent, context)?).0)
}

#[cfg(test)]
mod tests;
