//! Algorithms and their hyper-parameters by name: bounds, defaults, and what each is for.

use serde_json::{Map, Value};

use crate::nearest::{hint, listed};

/// What is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
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
        return Err(format!("is no hyper-parameter of {}{} (it has: {known})", algorithm.name(), hint(name, names())));
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

const BIASED_MF: &[Knob] = &[];
const SVD_PLUS_PLUS: &[Knob] = &[];
const IMPLICIT_ALS: &[Knob] = &[];
const BPR: &[Knob] = &[];
const EASE: &[Knob] = &[];
