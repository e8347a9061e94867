//! What a search over hyperparameters tries.

use serde_json::Value;

use super::tree::{ConfigError, Section};
use marquee_algorithms::trainer::Values;

use crate::{hyperparameters, trainers::Algorithm};

/// What a search tries.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// How trials are chosen.
    pub kind: SearchKind,
    /// How many random trials.
    pub trials: usize,
    /// Of the drawing.
    pub seed: u64,
    /// What is compared; the protocol's first figure when `None`: `rmse`, or `ndcg@` the first cut-off.
    pub metric: Option<String>,
    /// By name of the hyperparameter.
    pub ranges: Vec<(String, Range)>,
}

/// How trials are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum SearchKind {
    /// Drawn from the ranges.
    #[default]
    Random,
    /// Every combination.
    Grid,
}

/// Values of one hyperparameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    /// One of these.
    Values(Vec<Value>),
    /// Between two numbers, ends included.
    Span {
        /// Least.
        from: f64,
        /// Greatest.
        to: f64,
        /// Whether steps are even in the logarithm.
        log: bool,
        /// Values of a grid.
        steps: usize,
        /// Whether only whole numbers are meant.
        whole: bool,
    },
}

/// Scale of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Scale {
    Linear,
    Log,
}

/// The `search` section.
pub(crate) fn read(section: &Section<'_>, algorithm: Algorithm) -> Result<Search, ConfigError> {
    section.only(&["kind", "trials", "seed", "metric", "ranges"])?;
    let ranges = section.section("ranges")?.ok_or_else(|| section.wrong("ranges", "is missing"))?;
    let parsed = ranges.names().map(|name| Ok((name.to_owned(), range(&ranges, name, algorithm)?)));
    let trials = section.parsed("trials", "a whole number from 1 to 10000", |text| {
        text.parse().ok().filter(|n| (1..=10_000).contains(n))
    })?;
    let search = Search {
        kind: section.word("kind")?.unwrap_or_default(),
        trials: trials.unwrap_or(20),
        seed: section.count("seed")?.unwrap_or(42),
        metric: section.text("metric")?.map(str::to_owned),
        ranges: parsed.collect::<Result<_, ConfigError>>()?,
    };
    if search.ranges.is_empty() {
        return Err(section.wrong("ranges", "is empty: name a hyperparameter and its values"));
    }
    Ok(search)
}

fn range(ranges: &Section<'_>, name: &str, algorithm: Algorithm) -> Result<Range, ConfigError> {
    let value = |text: &str| hyperparameters::value(algorithm, name, text);
    if let Ok(Some(values)) = ranges.list(name) {
        let values: Result<Vec<Value>, String> = values.into_iter().map(value).collect();
        return match values {
            Ok(values) if values.is_empty() => Err(ranges.wrong(name, "is empty: give at least one value")),
            Ok(values) => Ok(Range::Values(values)),
            Err(problem) => Err(ranges.wrong(name, problem)),
        };
    }
    let Some(span) = ranges.section(name)? else {
        return Err(
            ranges.wrong(name, "must be a list of values or a span such as {from: 1, to: 100, scale: log}")
        );
    };
    span.only(&["from", "to", "scale", "steps"])?;
    for end in ["from", "to"] {
        let text = span.text(end)?.ok_or_else(|| span.wrong(end, "is missing"))?;
        value(text).map_err(|problem| ranges.wrong(name, problem))?;
    }
    let whole =
        match algorithm.0.hyperparameters.iter().find(|known| known.name == name).map(|known| known.values) {
            Some(Values::Word(_)) => return Err(ranges.wrong(name, "is a word: give a list of values")),
            kind => matches!(kind, Some(Values::Count(..))),
        };
    let (from, to) = (span.number("from")?.unwrap_or(0.0), span.number("to")?.unwrap_or(0.0));
    let log = span.word("scale")? == Some(Scale::Log);
    if from >= to || (log && from <= 0.0) {
        let least = if log { " and above 0" } else { "" };
        return Err(span.wrong("from", format!("must be below `to`{least}, found {from} and {to}")));
    }
    let steps = span.parsed("steps", "a whole number from 2 to 1000", |text| {
        text.parse().ok().filter(|n| (2..=1000).contains(n))
    })?;
    Ok(Range::Span { from, to, log, steps: steps.unwrap_or(5), whole })
}
