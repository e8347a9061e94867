//! Implicit alternating least squares (Hu, Koren and Volinsky 2008): every unwatched title is a weak no, every watched one a
//! strong yes, and factors of viewers and titles are solved for in turn.
//!
//! The objective is that of PyPI `implicit`: Σ over all cells of c (p − x·y)² + λ (|X|² + |Y|²), where p is 1 and
//! c = 1 + alpha·r for a watched title (r its rating under [`Weight::Rating`], else 1), and p = 0, c = 1 elsewhere.
//! `implicit` takes the confidence c itself: its `alpha` of a is this one's a − 1.

mod loss;
mod solve;

use std::collections::BTreeMap;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::context::{Fit, FitContext};
use crate::cost::{self, CostModel, SampledBy};
use crate::error::{AlgorithmError, require};
use crate::factors::Factors;
use crate::interactions::Interactions;
use crate::kernels::Padded;
use crate::random::{Purpose, stream};
use crate::trainer::{self, FittedTensor, Hyperparameter, Hyperparameters, Trainer};

pub use loss::loss;

/// The algorithm.
pub static TRAINER: Trainer = Trainer {
    name: "implicit-als",
    about: "Plays: alternating least squares with confidence weights",
    architecture: "implicit-als",
    is_explicit: false,
    depends_on_threads: false,
    resumes: true,
    hyperparameters: &[
        trainer::FACTORS,
        Hyperparameter::count("iterations", 100_000, "how often viewers and then titles are solved for"),
        Hyperparameter::real("regularization", trainer::SMALLEST, 1e9, "pull of the factors towards zero"),
        Hyperparameter::real(
            "alpha",
            0.0,
            1e9,
            "confidence of a watched title beyond that of an unwatched one",
        ),
        Hyperparameter::word("weight", &["watched", "rating"], "what raises the confidence"),
        Hyperparameter::word("solver", &["conjugate-gradient", "exact"], "how each row is solved"),
        Hyperparameter::count("solverSteps", 1000, "steps of conjugate gradient a row and iteration"),
    ],
    defaults,
    fit: |data, hyperparameters, context| {
        let found = fit(data, &trainer::params(&nested(hyperparameters))?, context)?;
        Ok(vec![
            FittedTensor::table("viewer.factors", found.viewer_factors),
            FittedTensor::table("title.factors", found.title_factors),
        ])
    },
    working_bytes: |shape, _| 2 * shape.factor_bytes(),
    cost: CostModel {
        cost: |data, hyperparameters, _| solve::cost(data, hyperparameters),
        shortened: |_, hyperparameters| cost::two_of("iterations", hyperparameters),
        sampled_by: SampledBy::Viewers,
    },
};

/// Solver and steps are one parameter of the fit, and two hyperparameters for people.
fn defaults() -> Hyperparameters {
    let mut defaults = trainer::fields(&ImplicitAlsParams::default());
    if let Some(Value::Object(solver)) = defaults.remove("solver") {
        defaults.extend(solver.get("method").map(|method| ("solver".to_owned(), method.clone())));
        defaults.extend(solver.get("steps").map(|steps| ("solverSteps".to_owned(), steps.clone())));
    }
    defaults
}

/// The reverse of what [`defaults`] does to solver and steps.
fn nested(flat: &Hyperparameters) -> Hyperparameters {
    let mut params = flat.clone();
    let steps = params.remove("solverSteps");
    let solver = match params.remove("solver") {
        Some(Value::String(word)) if word == "exact" => json!({ "method": "exact" }),
        _ => json!({ "method": "conjugate-gradient", "steps": steps }),
    };
    params.insert("solver".to_owned(), solver);
    params
}

/// How each row's least squares are solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case")]
pub enum Solver {
    /// A few steps of conjugate gradient from the factors of the iteration before: fast, and as good after some iterations.
    ConjugateGradient {
        /// Steps a row and iteration; 3 is enough when iterations are many.
        steps: u32,
    },
    /// Cholesky: exact in each iteration.
    Exact,
}

impl Default for Solver {
    fn default() -> Self {
        Self::ConjugateGradient { steps: 3 }
    }
}

/// What raises the confidence of a watched title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// That it was watched: c = 1 + alpha.
    #[default]
    Watched,
    /// How it was rated: c = 1 + alpha · rating. Ratings must not be negative.
    Rating,
}

/// Parameters of the fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ImplicitAlsParams {
    /// Length of a viewer's and a title's vector.
    pub factors: usize,
    /// How often viewers and then titles are solved for.
    pub iterations: u32,
    /// Pull towards zero, λ.
    pub regularization: f32,
    /// Confidence of a watched title beyond that of an unwatched one.
    pub alpha: f32,
    /// What raises the confidence.
    pub weight: Weight,
    /// How each row is solved.
    pub solver: Solver,
}

impl Default for ImplicitAlsParams {
    fn default() -> Self {
        Self {
            factors: 64,
            iterations: 15,
            regularization: 0.01,
            alpha: 1.0,
            weight: Weight::Watched,
            solver: Solver::default(),
        }
    }
}

/// What the fit found.
#[derive(Debug, Clone, PartialEq)]
pub struct ImplicitAls {
    /// (viewers, factors). A viewer without interactions has zeros.
    pub viewer_factors: Factors,
    /// (titles, factors). A title without interactions has zeros.
    pub title_factors: Factors,
}

impl ImplicitAls {
    /// Scores of all titles for one viewer.
    pub fn score(&self, viewer: u32, scores: &mut [f32]) {
        crate::kernels::score(self.viewer_factors.row(viewer as usize), &self.title_factors, scores);
    }
}

/// Fits from random factors, small and not negative, that follow from the seed.
///
/// The result does not depend on the number of threads. Errors: fewer than two viewers with interactions, a parameter out of
/// range, a state of another fit, numbers that ran away, a stop by the observer.
pub fn fit(
    data: &Interactions,
    params: &ImplicitAlsParams,
    context: &mut FitContext<'_>,
) -> Result<ImplicitAls, AlgorithmError> {
    check(data, params)?;
    let mut rng = stream(context.seed(), Purpose::Initial, 0);
    let mut random = |rows: usize| {
        let mut factors = Factors::zeros(rows, params.factors);
        factors.values_mut().iter_mut().for_each(|value| *value = rng.random::<f32>() * 0.01);
        factors
    };
    let initial =
        ImplicitAls { viewer_factors: random(data.n_viewers()), title_factors: random(data.n_titles()) };
    fit_from(data, params, &initial, context)
}

/// Fits from given factors, as when two implementations are to start equal, or a former model is brought up to date.
///
/// Errors as [`fit`], and factors of another shape than the data and parameters have.
pub fn fit_from(
    data: &Interactions,
    params: &ImplicitAlsParams,
    initial: &ImplicitAls,
    context: &mut FitContext<'_>,
) -> Result<ImplicitAls, AlgorithmError> {
    check(data, params)?;
    check_shape("initial viewer factors", &initial.viewer_factors, data.n_viewers(), params.factors)?;
    check_shape("initial title factors", &initial.title_factors, data.n_titles(), params.factors)?;
    let this = Fit::new("implicit-als", params.iterations, params, data, context.seed());
    let (mut viewers, mut titles, mut done) = (
        Padded::from_rows(params.factors, initial.viewer_factors.values()),
        Padded::from_rows(params.factors, initial.title_factors.values()),
        0,
    );
    if let Some(mut state) = context.take_resume(&this)? {
        let mut take = |name, rows| state.take(name, rows * params.factors);
        viewers = Padded::from_rows(params.factors, &take("viewer.factors", data.n_viewers())?);
        titles = Padded::from_rows(params.factors, &take("title.factors", data.n_titles())?);
        done = state.iteration;
    }
    let pool = context.pool().clone();
    let by_title = pool.install(|| data.transpose());
    for iteration in done + 1..=params.iterations {
        pool.install(|| {
            solve::side(data, params, &mut viewers, &titles)?;
            solve::side(&by_title, params, &mut titles, &viewers)
        })?;
        if !(viewers.is_finite() && titles.is_finite()) {
            return Err(AlgorithmError::Diverged { algorithm: this.algorithm, iteration, lower: "alpha" });
        }
        let loss = context
            .wants_loss(iteration)
            .then(|| pool.install(|| loss::of_padded(data, params, &viewers, &titles)));
        context.observe(&this, iteration, loss, &|| {
            BTreeMap::from([
                ("viewer.factors".to_owned(), viewers.to_rows(params.factors)),
                ("title.factors".to_owned(), titles.to_rows(params.factors)),
            ])
        })?;
    }
    Ok(ImplicitAls {
        viewer_factors: viewers.to_factors(params.factors),
        title_factors: titles.to_factors(params.factors),
    })
}

fn check(data: &Interactions, params: &ImplicitAlsParams) -> Result<(), AlgorithmError> {
    require((1..=4096).contains(&params.factors), "factors", params.factors, "a number from 1 to 4096")?;
    require(params.iterations > 0, "iterations", params.iterations, "1 or more")?;
    let regularization = params.regularization;
    require(
        regularization.is_finite() && regularization > 0.0,
        "regularization",
        regularization,
        "a number above 0, such as 0.01",
    )?;
    let alpha = params.alpha;
    require(alpha.is_finite() && alpha >= 0.0, "alpha", alpha, "0 or more, such as 1")?;
    if let Solver::ConjugateGradient { steps } = params.solver {
        require(steps > 0, "steps", steps, "1 or more")?;
    }
    if params.weight == Weight::Rating
        && let Some(rating) = data.ratings().iter().find(|rating| **rating < 0.0)
    {
        require(
            false,
            "weight",
            format!("rating, with a rating of {rating}"),
            "watched where a rating is negative",
        )?;
    }
    data.require_two_viewers()
}

fn check_shape(name: &'static str, factors: &Factors, rows: usize, dim: usize) -> Result<(), AlgorithmError> {
    require(
        factors.rows() == rows && factors.dim() == dim,
        name,
        format!("a table of {} x {}", factors.rows(), factors.dim()),
        "one row a viewer or title, as wide as parameter factors says",
    )
}

#[cfg(test)]
mod tests;
