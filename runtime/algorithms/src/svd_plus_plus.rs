//! SVD++ (Koren 2008): biased matrix factorization that also learns from *which* titles a viewer rated.
//!
//! A rating is predicted as mean + bᵤ + bᵢ + qᵢ·(pᵤ + |N(u)|^-½ Σ yⱼ over the titles j that u rated in training).

use serde::{Deserialize, Serialize};

use crate::biased_mf::BiasedMf;
use crate::context::FitContext;
use crate::cost::{self, CostModel, SampledBy};
use crate::error::AlgorithmError;
use crate::factors::Factors;
use crate::interactions::Interactions;
use crate::rating_sgd::{self, Descent};
use crate::trainer::{self, FittedTensor, Hyperparameter, Trainer};

/// The algorithm.
pub static TRAINER: Trainer = Trainer {
    name: "svd-plus-plus",
    about: "Biased MF that also learns from which titles were rated",
    architecture: "svd-plus-plus",
    is_explicit: true,
    depends_on_threads: false,
    resumes: true,
    hyperparameters: &[
        trainer::FACTORS,
        trainer::EPOCHS,
        trainer::LEARNING_RATE,
        trainer::LEARNING_RATE_DECAY,
        trainer::REGULARIZATION,
        Hyperparameter::real("implicitRegularization", 0.0, 1e9, "pull of the implicit factors towards zero"),
        trainer::BIAS_REGULARIZATION,
        trainer::INITIAL_DEVIATION,
        trainer::ENSEMBLE,
    ],
    defaults: || trainer::fields(&SvdPlusPlusParams::default()),
    fit: |data, hyperparameters, context| {
        let found = fit(data, &trainer::params(hyperparameters)?, context)?;
        let mut tensors = found.explicit.into_tensors();
        tensors.push(FittedTensor::table("title.implicit", found.title_implicit));
        Ok(tensors)
    },
    // As of biased MF, and the implicit factors too.
    working_bytes: |shape, _| 2 * (shape.factor_bytes() + 4 * shape.factors * shape.titles),
    cost: CostModel {
        cost: |data, hyperparameters, _| cost::descent(data, hyperparameters),
        shortened: |_, hyperparameters| cost::two_of("epochs", hyperparameters),
        sampled_by: SampledBy::Viewers,
    },
};

/// Parameters of the fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct SvdPlusPlusParams {
    /// Length of a viewer's and a title's vectors, for each member of the ensemble.
    pub factors: usize,
    /// How often every rating is met.
    pub epochs: u32,
    /// Length of the first epoch's steps.
    pub learning_rate: f32,
    /// By what the learning rate is multiplied after each epoch; 1 keeps it.
    pub learning_rate_decay: f32,
    /// Pull of the viewers' and titles' factors towards zero.
    pub regularization: f32,
    /// Pull of the implicit factors towards zero.
    pub implicit_regularization: f32,
    /// Pull of the biases towards zero.
    pub bias_regularization: f32,
    /// Standard deviation of the factors' first values.
    pub initial_deviation: f32,
    /// Models fitted from different first values and averaged. The average of several is itself a model of this kind, with
    /// `ensemble` × `factors` factors: better, and that much larger.
    pub ensemble: u32,
}

impl Default for SvdPlusPlusParams {
    fn default() -> Self {
        Self {
            factors: 64,
            epochs: 60,
            learning_rate: 0.01,
            learning_rate_decay: 0.97,
            regularization: 0.1,
            implicit_regularization: 0.005,
            bias_regularization: 0.02,
            initial_deviation: 0.1,
            ensemble: 1,
        }
    }
}

/// What the fit found.
#[derive(Debug, Clone, PartialEq)]
pub struct SvdPlusPlus {
    /// Mean, biases, p and q: what biased matrix factorization has too.
    pub explicit: BiasedMf,
    /// (titles, ensemble × factors): y.
    pub title_implicit: Factors,
}

impl SvdPlusPlus {
    /// The same model for the viewers of `data`, with what they rated folded into their vectors: predicts the same ratings.
    pub fn to_biased_mf(&self, data: &Interactions) -> BiasedMf {
        let mut viewer_factors = self.explicit.viewer_factors.clone();
        for viewer in 0..data.n_viewers() {
            let history = data.history(viewer);
            let scale = 1.0 / (history.len().max(1) as f32).sqrt();
            let vector = viewer_factors.row_mut(viewer);
            for &title in history {
                let implicit = self.title_implicit.row(title as usize);
                vector.iter_mut().zip(implicit).for_each(|(value, y)| *value += scale * y);
            }
        }
        BiasedMf { viewer_factors, ..self.explicit.clone() }
    }
}

/// Fits by gradient descent. Members of an ensemble run in parallel; the result does not depend on the number of threads.
///
/// Errors: fewer than two viewers with ratings, a parameter out of range, a state of another fit, numbers that ran away, a
/// stop by the observer.
pub fn fit(
    data: &Interactions,
    params: &SvdPlusPlusParams,
    context: &mut FitContext<'_>,
) -> Result<SvdPlusPlus, AlgorithmError> {
    let descent = Descent {
        algorithm: "svd-plus-plus",
        implicit: Some(params.implicit_regularization),
        factors: params.factors,
        epochs: params.epochs,
        learning_rate: params.learning_rate,
        learning_rate_decay: params.learning_rate_decay,
        regularization: params.regularization,
        bias_regularization: params.bias_regularization,
        initial_deviation: params.initial_deviation,
        ensemble: params.ensemble,
    };
    let (explicit, title_implicit) = BiasedMf::of(rating_sgd::fit(data, &descent, context)?);
    Ok(SvdPlusPlus { explicit, title_implicit })
}

#[cfg(test)]
mod tests;
