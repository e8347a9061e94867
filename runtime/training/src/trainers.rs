//! Which algorithms there are.

use std::fmt;

use clap::builder::PossibleValue;
use marquee_algorithms::{Trainer, biased_mf, bpr, ease, implicit_als, popularity, svd_plus_plus};
use serde::{Serialize, Serializer};

/// Every algorithm.
pub const TRAINERS: &[Algorithm] = &[
    Algorithm(&popularity::TRAINER),
    Algorithm(&biased_mf::TRAINER),
    Algorithm(&svd_plus_plus::TRAINER),
    Algorithm(&implicit_als::TRAINER),
    Algorithm(&bpr::TRAINER),
    Algorithm(&ease::TRAINER),
];

/// What is trained.
#[derive(Clone, Copy)]
pub struct Algorithm(pub &'static Trainer);

impl Algorithm {
    /// The algorithm of that name.
    pub fn named(name: &str) -> Option<Self> {
        TRAINERS.iter().copied().find(|algorithm| algorithm.name() == name)
    }

    /// As a config writes it.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Whether it learns from how titles were rated, and predicts ratings.
    pub fn is_explicit(self) -> bool {
        self.0.is_explicit
    }
}

impl PartialEq for Algorithm {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Algorithm {}

impl fmt::Debug for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl clap::ValueEnum for Algorithm {
    fn value_variants<'a>() -> &'a [Self] {
        TRAINERS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name).help(self.0.about))
    }
}
