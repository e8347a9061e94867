//! Bayesian personalized ranking (Rendle et al. 2009): a watched title should score above an unwatched one.
//!
//! A title scores pᵤ·qᵢ + bᵢ. Each step draws an interaction and a title that the viewer has not watched, and raises the first
//! above the second by gradient descent on the logistic loss.

mod epoch;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::context::{Fit, FitContext};
use crate::cost::{self, CostModel, SampledBy};
use crate::error::{AlgorithmError, require};
use crate::factors::Factors;
use crate::interactions::Interactions;
use crate::kernels::{self, Padded};
use crate::random::{Purpose, normal_factors, stream};
use crate::trainer::{self, FittedTensor, Hyperparameter, Trainer};

/// The algorithm.
pub static TRAINER: Trainer = Trainer {
    name: "bpr",
    about: "Plays: Bayesian personalised ranking, pairs by stochastic gradient descent",
    architecture: "bpr",
    is_explicit: false,
    depends_on_threads: true,
    resumes: true,
    hyperparameters: &[
        trainer::FACTORS,
        trainer::EPOCHS,
        trainer::LEARNING_RATE,
        trainer::LEARNING_RATE_DECAY,
        trainer::REGULARIZATION,
        trainer::INITIAL_DEVIATION,
        Hyperparameter::word("negatives", &["uniform", "plays"], "how unwatched titles are drawn"),
    ],
    defaults: || trainer::fields(&BprParams::default()),
    fit: |data, hyperparameters, context| {
        let found = fit(data, &trainer::params(hyperparameters)?, context)?;
        Ok(vec![
            FittedTensor::vector("title.bias", found.title_bias),
            FittedTensor::table("viewer.factors", found.viewer_factors),
            FittedTensor::table("title.factors", found.title_factors),
        ])
    },
    working_bytes: |shape, _| 2 * shape.factor_bytes(),
    cost: CostModel {
        cost: epoch::cost,
        shortened: |_, hyperparameters| cost::two_of("epochs", hyperparameters),
        sampled_by: SampledBy::Viewers,
    },
};

/// How the unwatched title of a step is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Negatives {
    /// Every title alike.
    #[default]
    Uniform,
    /// In proportion to how many watched it.
    Plays,
}

/// Parameters of the fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct BprParams {
    /// Length of a viewer's and a title's vector.
    pub factors: usize,
    /// An epoch has as many steps as there are interactions.
    pub epochs: u32,
    /// Length of the first epoch's steps.
    pub learning_rate: f32,
    /// By what the learning rate is multiplied after each epoch; 1 keeps it.
    pub learning_rate_decay: f32,
    /// Pull of factors and biases towards zero.
    pub regularization: f32,
    /// Standard deviation of the factors' first values.
    pub initial_deviation: f32,
    /// How the unwatched title of a step is drawn.
    pub negatives: Negatives,
}

impl Default for BprParams {
    fn default() -> Self {
        Self {
            factors: 64,
            epochs: 100,
            learning_rate: 0.05,
            learning_rate_decay: 1.0,
            regularization: 0.01,
            initial_deviation: 0.1,
            negatives: Negatives::Uniform,
        }
    }
}

/// What the fit found.
#[derive(Debug, Clone, PartialEq)]
pub struct Bpr {
    /// (viewers, factors). A viewer without interactions has zeros.
    pub viewer_factors: Factors,
    /// (titles, factors).
    pub title_factors: Factors,
    /// (titles).
    pub title_bias: Vec<f32>,
}

impl Bpr {
    /// Scores of all titles for one viewer.
    pub fn score(&self, viewer: u32, scores: &mut [f32]) {
        kernels::score(self.viewer_factors.row(viewer as usize), &self.title_factors, scores);
        scores.iter_mut().zip(&self.title_bias).for_each(|(score, bias)| *score += bias);
    }
}

/// The numbers that change during a fit.
struct Model {
    viewers: Padded,
    titles: Padded,
    bias: Vec<f32>,
}

/// Fits by gradient descent. One seed gives one result for each number of threads: each thread has its own viewers and a copy
/// of the titles' factors, and what the copies moved is added up in order, several times an epoch.
///
/// Errors: fewer than two viewers with interactions, a parameter out of range, a state of another fit, numbers that ran away, a
/// stop by the observer.
pub fn fit(
    data: &Interactions,
    params: &BprParams,
    context: &mut FitContext<'_>,
) -> Result<Bpr, AlgorithmError> {
    check(data, params)?;
    let (seed, threads) = (context.seed(), context.threads());
    let this = Fit::new("bpr", params.epochs, &(params, format!("{threads} threads")), data, seed);
    let mut model = Model::new(data, params, seed);
    let mut done = 0;
    if let Some(mut state) = context.take_resume(&this)? {
        model = Model {
            viewers: Padded::from_rows(
                params.factors,
                &state.take("viewer.factors", data.n_viewers() * params.factors)?,
            ),
            titles: Padded::from_rows(
                params.factors,
                &state.take("title.factors", data.n_titles() * params.factors)?,
            ),
            bias: state.take("title.bias", data.n_titles())?,
        };
        done = state.iteration;
    }
    let pool = context.pool().clone();
    let epochs = epoch::Epochs::new(data, params, seed, threads);
    for iteration in done + 1..=params.epochs {
        let loss = pool.install(|| epochs.run(iteration, &mut model));
        if !(model.viewers.is_finite() && model.titles.is_finite()) {
            return Err(AlgorithmError::Diverged {
                algorithm: this.algorithm,
                iteration,
                lower: "learningRate",
            });
        }
        context.observe(&this, iteration, Some(loss), &|| {
            BTreeMap::from([
                ("viewer.factors".to_owned(), model.viewers.to_rows(params.factors)),
                ("title.factors".to_owned(), model.titles.to_rows(params.factors)),
                ("title.bias".to_owned(), model.bias.clone()),
            ])
        })?;
    }
    for viewer in (0..data.n_viewers()).filter(|&viewer| data.span(viewer).is_empty()) {
        model.viewers.row_mut(viewer).fill(0.0);
    }
    Ok(Bpr {
        viewer_factors: model.viewers.to_factors(params.factors),
        title_factors: model.titles.to_factors(params.factors),
        title_bias: model.bias,
    })
}

impl Model {
    fn new(data: &Interactions, params: &BprParams, seed: u64) -> Self {
        let mut rng = stream(seed, Purpose::Initial, 0);
        let mut normal = |rows| {
            let factors = normal_factors(&mut rng, rows, params.factors, params.initial_deviation);
            Padded::from_rows(params.factors, factors.values())
        };
        let (viewers, titles) = (normal(data.n_viewers()), normal(data.n_titles()));
        Self { viewers, titles, bias: vec![0.0; data.n_titles()] }
    }
}

fn check(data: &Interactions, params: &BprParams) -> Result<(), AlgorithmError> {
    require((1..=4096).contains(&params.factors), "factors", params.factors, "a number from 1 to 4096")?;
    require(params.epochs > 0, "epochs", params.epochs, "1 or more")?;
    for (name, value) in
        [("learningRate", params.learning_rate), ("learningRateDecay", params.learning_rate_decay)]
    {
        require(value > 0.0 && value <= 1.0, name, value, "a number above 0, at most 1")?;
    }
    for (name, value) in
        [("regularization", params.regularization), ("initialDeviation", params.initial_deviation)]
    {
        require(value.is_finite() && value >= 0.0, name, value, "0 or more")?;
    }
    data.require_two_viewers()
}

#[cfg(test)]
mod tests;
