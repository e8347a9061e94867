//! Algorithms and their hyper-parameters by name: bounds, defaults, and what each is for.

use serde_json::{Map, Value};

use crate::nearest::{hint, listed};

/// What is trained.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    clap::ValueEnum,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// Titles by how many viewers watched them; the baseline.
    Popularity,
    /// Explicit ratings: biases and factors by stochastic gradient descent.
    BiasedMf,
    /// Biased MF that also learns from which titles were rated.
    SvdPlusPlus,
    /// Plays: alternating least squares with confidence weights.
    ImplicitAls,
    /// Plays: Bayesian personalised ranking, pairs by stochastic gradient descent.
    Bpr,
    /// Plays: title-title weights in closed form.
    Ease,
}

/// Values of hyper-parameters by name; those not named have their defaults.
pub type Hyperparameters = Map<String, Value>;

/// One hyper-parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knob {
    /// As it is written in a config.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it is for.
    pub about: &'static str,
}

/// What a hyper-parameter may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A whole number in a range, ends included.
    Count(u64, u64),
    /// A number in a range, ends included.
    Real(f64, f64),
    /// One of some words.
    Word(&'static [&'static str]),
}

impl Algorithm {
    /// As it is written in a config.
    pub fn name(self) -> &'static str {
        match self {
            Self::Popularity => "popularity",
            Self::BiasedMf => "biased-mf",
            Self::SvdPlusPlus => "svd-plus-plus",
            Self::ImplicitAls => "implicit-als",
            Self::Bpr => "bpr",
            Self::Ease => "ease",
        }
    }

    /// Whether it learns from how titles were rated, and predicts ratings.
    pub fn is_explicit(self) -> bool {
        matches!(self, Self::BiasedMf | Self::SvdPlusPlus)
    }

    /// The hyper-parameters that it has.
    pub fn knobs(self) -> &'static [Knob] {
        match self {
            Self::Popularity => &[],
            Self::BiasedMf => BIASED_MF,
            Self::SvdPlusPlus => SVD_PLUS_PLUS,
            Self::ImplicitAls => IMPLICIT_ALS,
            Self::Bpr => BPR,
            Self::Ease => EASE,
        }
    }
}

/// Reads the value of the hyper-parameter `name` from text, refusing what `algorithm` does not have or cannot use.
pub fn value(algorithm: Algorithm, name: &str, text: &str) -> Result<Value, String> {
    let knobs = algorithm.knobs();
    let Some(knob) = knobs.iter().find(|knob| knob.name == name) else {
        let names = || knobs.iter().map(|knob| knob.name);
        let known = if knobs.is_empty() { "none".to_owned() } else { listed(names()) };
        return Err(format!(
            "is no hyper-parameter of {}{} (it has: {known})",
            algorithm.name(),
            hint(name, names())
        ));
    };
    let wrong = |expected: String| Err(format!("must be {expected}, found `{}`", text.escape_debug()));
    match knob.kind {
        Kind::Count(least, most) => match text.parse::<u64>() {
            Ok(value) if (least..=most).contains(&value) => Ok(value.into()),
            _ => wrong(format!("a whole number from {least} to {most}")),
        },
        Kind::Real(least, most) => match text.parse::<f64>() {
            Ok(value) if (least..=most).contains(&value) => Ok(value.into()),
            _ => wrong(format!("a number from {least} to {most}")),
        },
        Kind::Word(words) if words.contains(&text) => Ok(text.into()),
        Kind::Word(words) => wrong(format!("one of {}", listed(words.iter().copied()))),
    }
}

const FACTORS: Knob = count("factors", 4096, "length of a viewer's and a title's vector");
const EPOCHS: Knob = count("epochs", 100_000, "how often the data is gone through");
const LEARNING_RATE: Knob = real("learningRate", SMALLEST, 1.0, "length of the first epoch's steps");
const LEARNING_RATE_DECAY: Knob =
    real("learningRateDecay", SMALLEST, 1.0, "by what the learning rate is multiplied after each epoch");
const REGULARIZATION: Knob = real("regularization", 0.0, 1e9, "pull of the factors towards zero");
const BIAS_REGULARIZATION: Knob = real("biasRegularization", 0.0, 1e9, "pull of the biases towards zero");
const INITIAL_DEVIATION: Knob =
    real("initialDeviation", 0.0, 100.0, "standard deviation of the factors' first values");
const ENSEMBLE: Knob = count("ensemble", 256, "models fitted from different first values and averaged");

const BIASED_MF: &[Knob] = &[
    FACTORS,
    EPOCHS,
    LEARNING_RATE,
    LEARNING_RATE_DECAY,
    REGULARIZATION,
    BIAS_REGULARIZATION,
    INITIAL_DEVIATION,
    ENSEMBLE,
];

const SVD_PLUS_PLUS: &[Knob] = &[
    FACTORS,
    EPOCHS,
    LEARNING_RATE,
    LEARNING_RATE_DECAY,
    REGULARIZATION,
    real("implicitRegularization", 0.0, 1e9, "pull of the implicit factors towards zero"),
    BIAS_REGULARIZATION,
    INITIAL_DEVIATION,
    ENSEMBLE,
];

const IMPLICIT_ALS: &[Knob] = &[
    FACTORS,
    count("iterations", 100_000, "how often viewers and then titles are solved for"),
    real("regularization", SMALLEST, 1e9, "pull of the factors towards zero"),
    real("alpha", 0.0, 1e9, "confidence of a watched title beyond that of an unwatched one"),
    word("weight", &["watched", "rating"], "what raises the confidence"),
    word("solver", &["conjugate-gradient", "exact"], "how each row is solved"),
    count("solverSteps", 1000, "steps of conjugate gradient a row and iteration"),
];

const BPR: &[Knob] = &[
    FACTORS,
    EPOCHS,
    LEARNING_RATE,
    LEARNING_RATE_DECAY,
    REGULARIZATION,
    INITIAL_DEVIATION,
    word("negatives", &["uniform", "plays"], "how unwatched titles are drawn"),
];

const EASE: &[Knob] = &[
    real("regularization", SMALLEST, 1e9, "pull of the weights towards zero, in viewers"),
    word("precision", &["auto", "single", "double"], "numbers that the inverse is computed in"),
];

/// Least number that stands for "above 0".
const SMALLEST: f64 = 1e-12;

const fn count(name: &'static str, most: u64, about: &'static str) -> Knob {
    Knob { name, kind: Kind::Count(1, most), about }
}

const fn real(name: &'static str, least: f64, most: f64, about: &'static str) -> Knob {
    Knob { name, kind: Kind::Real(least, most), about }
}

const fn word(name: &'static str, words: &'static [&'static str], about: &'static str) -> Knob {
    Knob { name, kind: Kind::Word(words), about }
}
