//! What an algorithm says of itself: its hyperparameters, and how it gets from interactions to named tensors. Each
//! algorithm has its [`Trainer`] in its own file; `marquee-training` lists them.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::context::FitContext;
use crate::cost::CostModel;
use crate::error::AlgorithmError;
use crate::factors::Factors;
use crate::interactions::Interactions;

/// Values of hyperparameters by name; those not named have their defaults.
pub type Hyperparameters = Map<String, Value>;

/// An algorithm.
#[derive(Debug)]
pub struct Trainer {
    /// As a config writes it.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Name of the architecture that serves what it finds.
    pub architecture: &'static str,
    /// Whether it learns from how titles were rated, and predicts ratings.
    pub is_explicit: bool,
    /// Whether another number of threads gives another result.
    pub depends_on_threads: bool,
    /// Whether a fit that was stopped goes on from where it was.
    pub resumes: bool,
    /// The hyperparameters that it has.
    pub hyperparameters: &'static [Hyperparameter],
    /// Their values unless others are given.
    pub defaults: fn() -> Hyperparameters,
    /// Learns from interactions.
    pub fit: Fit,
    /// Bytes that a fit works in, beside the data and the tensors it finds.
    pub working_bytes: fn(&FitShape, &Hyperparameters) -> u64,
    /// How long a fit takes.
    pub cost: CostModel,
}

/// Learns from interactions: every hyperparameter has a value.
pub type Fit =
    fn(&Interactions, &Hyperparameters, &mut FitContext<'_>) -> Result<Vec<FittedTensor>, AlgorithmError>;

/// How large a fit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FitShape {
    /// Viewers.
    pub viewers: u64,
    /// Titles.
    pub titles: u64,
    /// Factors of all members of an ensemble together.
    pub factors: u64,
}

/// What a fit found, under the name that the architecture gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedTensor {
    /// Unique among those of one fit.
    pub name: &'static str,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f32>,
}

impl FittedTensor {
    /// A list of numbers.
    pub fn vector(name: &'static str, values: Vec<f32>) -> Self {
        Self { name, shape: vec![values.len()], values }
    }

    /// A table of factors.
    pub fn table(name: &'static str, factors: Factors) -> Self {
        Self { name, shape: vec![factors.rows(), factors.dim()], values: factors.into_values() }
    }
}

/// One hyperparameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hyperparameter {
    /// As it is written in a config.
    pub name: &'static str,
    /// What it may be.
    pub values: Values,
    /// What it is for.
    pub about: &'static str,
}

/// What a hyperparameter may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values {
    /// A whole number in a range, ends included.
    Count(u64, u64),
    /// A number in a range, ends included.
    Real(f64, f64),
    /// One of some words.
    Word(&'static [&'static str]),
}

impl Hyperparameter {
    /// A whole number from 1.
    pub const fn count(name: &'static str, most: u64, about: &'static str) -> Self {
        Self { name, values: Values::Count(1, most), about }
    }

    /// A number.
    pub const fn real(name: &'static str, least: f64, most: f64, about: &'static str) -> Self {
        Self { name, values: Values::Real(least, most), about }
    }

    /// One of some words.
    pub const fn word(name: &'static str, words: &'static [&'static str], about: &'static str) -> Self {
        Self { name, values: Values::Word(words), about }
    }
}

/// Least number that stands for "above 0".
pub const SMALLEST: f64 = 1e-12;

// Hyperparameters that several algorithms have.
pub(crate) const FACTORS: Hyperparameter =
    Hyperparameter::count("factors", 4096, "length of a viewer's and a title's vector");
pub(crate) const EPOCHS: Hyperparameter =
    Hyperparameter::count("epochs", 100_000, "how often the data is gone through");
pub(crate) const LEARNING_RATE: Hyperparameter =
    Hyperparameter::real("learningRate", SMALLEST, 1.0, "length of the first epoch's steps");
pub(crate) const LEARNING_RATE_DECAY: Hyperparameter = Hyperparameter::real(
    "learningRateDecay",
    SMALLEST,
    1.0,
    "by what the learning rate is multiplied after each epoch",
);
pub(crate) const REGULARIZATION: Hyperparameter =
    Hyperparameter::real("regularization", 0.0, 1e9, "pull of the factors towards zero");
pub(crate) const BIAS_REGULARIZATION: Hyperparameter =
    Hyperparameter::real("biasRegularization", 0.0, 1e9, "pull of the biases towards zero");
pub(crate) const INITIAL_DEVIATION: Hyperparameter =
    Hyperparameter::real("initialDeviation", 0.0, 100.0, "standard deviation of the factors' first values");
pub(crate) const ENSEMBLE: Hyperparameter =
    Hyperparameter::count("ensemble", 256, "models fitted from different first values and averaged");

impl Trainer {
    /// Every hyperparameter: as given, else its default.
    pub fn resolve(&self, given: &Hyperparameters) -> Hyperparameters {
        let defaults = (self.defaults)();
        let value = |hyperparameter: &Hyperparameter| {
            let default = || match (hyperparameter.values, defaults.get(hyperparameter.name)?) {
                #[expect(clippy::cast_possible_truncation, reason = "the parameter is an f32")]
                (Values::Real(..), found) => Some(plain_number(found.as_f64().unwrap_or_default() as f32)),
                (_, found) => Some(found.clone()),
            };
            given.get(hyperparameter.name).cloned().or_else(default)
        };
        let named = |one: &Hyperparameter| Some((one.name.to_owned(), value(one)?));
        self.hyperparameters.iter().filter_map(named).collect()
    }
}

impl FitShape {
    /// Bytes of the factors of viewers and titles.
    pub fn factor_bytes(&self) -> u64 {
        4 * self.factors * (self.viewers + self.titles)
    }
}

/// The fields of parameters, by name.
pub fn fields(params: &impl Serialize) -> Hyperparameters {
    match serde_json::to_value(params) {
        Ok(Value::Object(fields)) => fields,
        _ => Hyperparameters::new(),
    }
}

/// Parameters of their fields.
pub fn params<T: DeserializeOwned>(fields: &Hyperparameters) -> Result<T, AlgorithmError> {
    serde_json::from_value(Value::Object(fields.clone())).map_err(|error| AlgorithmError::Parameter {
        name: "hyperparameters",
        expected: "values that the algorithm can read",
        found: error.to_string(),
    })
}

/// A 32-bit number as a person wrote it: 0.1, not 0.10000000149.
pub fn plain_number(value: f32) -> Value {
    json!(value.to_string().parse::<f64>().unwrap_or_else(|_| f64::from(value)))
}
