//! Which part of the data is held out, and what is measured on it.

use std::{fmt, str::FromStr};

use super::tree::{ConfigError, Section};
use crate::nearest::hint;

/// Which part of the data is held out.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Protocol {
    /// Nothing: no quality is measured.
    None,
    /// A share of the rows, drawn at random. Measured: RMSE and MAE of clipped predictions.
    RandomSplit {
        /// Share of the rows that is held out, between 0 and 1.
        fraction: f64,
        /// Of the drawing.
        seed: u64,
    },
    /// One of several equal ranges of rows, in the order of the data. Measured: RMSE and MAE of clipped predictions.
    Fold {
        /// Which range, from 1.
        fold: u32,
        /// How many ranges.
        of: u32,
    },
    /// Each viewer's last title by time. Measured: where it comes among all titles that the viewer has not seen.
    LeaveLastOut,
}

impl Protocol {
    /// Whether it measures predicted ratings.
    pub fn is_explicit(self) -> bool {
        matches!(self, Self::RandomSplit { .. } | Self::Fold { .. })
    }

    fn check(self) -> Result<Self, String> {
        match self {
            Self::RandomSplit { fraction, .. } if !(fraction > 0.0 && fraction < 1.0) => {
                Err(format!("fraction must be above 0 and below 1, found {fraction}"))
            }
            Self::Fold { of, .. } if of < 2 => Err(format!("a fold needs at least 2 folds, found {of}")),
            Self::Fold { fold, of } if fold == 0 || fold > of => {
                Err(format!("fold must be from 1 to {of}, found {fold}"))
            }
            fine => Ok(fine),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "none"),
            Self::RandomSplit { fraction, seed } => write!(f, "random-split:{fraction}:{seed}"),
            Self::Fold { fold, of } => write!(f, "fold:{fold}/{of}"),
            Self::LeaveLastOut => write!(f, "leave-last-out"),
        }
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').map_or((text, None), |(kind, rest)| (kind, Some(rest)));
        let unreadable = |shape: &str| format!("`{text}` is not a protocol: expected {shape}");
        let protocol = match (kind, rest) {
            ("none", None) => Self::None,
            ("leave-last-out", None) => Self::LeaveLastOut,
            ("random-split", None) => Self::RandomSplit { fraction: 0.1, seed: 42 },
            ("random-split", Some(rest)) => {
                let (fraction, seed) = rest.split_once(':').unwrap_or((rest, "42"));
                let shape = || unreadable("random-split:FRACTION or random-split:FRACTION:SEED");
                Self::RandomSplit {
                    fraction: fraction.parse().map_err(|_| shape())?,
                    seed: seed.parse().map_err(|_| shape())?,
                }
            }
            ("fold", Some(rest)) => {
                let fold =
                    rest.split_once('/').and_then(|(fold, of)| Some((fold.parse().ok()?, of.parse().ok()?)));
                let (fold, of) = fold.ok_or_else(|| unreadable("fold:K/N"))?;
                Self::Fold { fold, of }
            }
            _ => {
                let near = hint(kind, ["leave-last-out", "random-split", "fold", "none"]);
                return Err(unreadable(&format!(
                    "leave-last-out, random-split:FRACTION:SEED, fold:K/N or none{near}"
                )));
            }
        };
        protocol.check().map_err(|problem| format!("`{text}`: {problem}"))
    }
}

/// What is measured beside the protocol's own figures.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measure {
    /// Lengths of the list at which ranking is measured, ascending.
    pub cutoffs: Vec<usize>,
    /// Samples drawn for confidence intervals.
    pub bootstrap: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self { cutoffs: vec![10], bootstrap: 1000 }
    }
}

/// Fewest bootstrap samples from which a 95 % interval can be read.
const LEAST_BOOTSTRAP: usize = 100;

impl Measure {
    /// Ascending, without repeats; refuses what cannot be measured.
    pub(crate) fn checked(mut self) -> Result<Self, String> {
        self.cutoffs.sort_unstable();
        self.cutoffs.dedup();
        if self.cutoffs.is_empty() || self.cutoffs[0] == 0 {
            return Err("cutoffs must be whole numbers from 1".to_owned());
        }
        if !(LEAST_BOOTSTRAP..=100_000).contains(&self.bootstrap) {
            return Err(format!(
                "bootstrap must be from {LEAST_BOOTSTRAP} to 100000 samples, found {}",
                self.bootstrap
            ));
        }
        Ok(self)
    }
}

/// The `protocol` section.
pub(crate) fn read(section: &Section<'_>) -> Result<(Protocol, Measure), ConfigError> {
    let kind = section.text("kind")?.ok_or_else(|| section.wrong("kind", "is missing"))?;
    let fields: &[&str] = match kind {
        "random-split" => &["kind", "fraction", "seed", "bootstrap"],
        "fold" => &["kind", "fold", "of", "bootstrap"],
        "leave-last-out" => &["kind", "cutoffs", "bootstrap"],
        "none" => &["kind"],
        other => {
            let kinds = ["leave-last-out", "random-split", "fold", "none"].map(str::to_owned);
            return Err(section.wrong("kind", super::tree::unknown_word(other, &kinds)));
        }
    };
    section.only(fields)?;
    let whole = |name| section.parsed(name, "a whole number", |text| text.parse::<u32>().ok());
    let protocol = match kind {
        "random-split" => Protocol::RandomSplit {
            fraction: section.number("fraction")?.unwrap_or(0.1),
            seed: section.count("seed")?.unwrap_or(42),
        },
        "fold" => Protocol::Fold { fold: whole("fold")?.unwrap_or(1), of: whole("of")?.unwrap_or(5) },
        "leave-last-out" => Protocol::LeaveLastOut,
        _ => Protocol::None,
    };
    let protocol =
        protocol.check().map_err(|problem| section.wrong("kind", format!("cannot be used: {problem}")))?;
    let mut measure = Measure::default();
    if let Some(cutoffs) = section.list("cutoffs")? {
        let parsed: Option<Vec<usize>> = cutoffs.iter().map(|text| text.parse().ok()).collect();
        measure.cutoffs =
            parsed.ok_or_else(|| section.wrong("cutoffs", "must be a list of whole numbers"))?;
    }
    if let Some(samples) = whole("bootstrap")? {
        measure.bootstrap = samples as usize;
    }
    let measure =
        measure.checked().map_err(|problem| section.wrong("kind", format!("cannot be used: {problem}")))?;
    Ok((protocol, measure))
}
