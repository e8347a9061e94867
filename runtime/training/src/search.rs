//! Trying hyperparameters on a validation part of the training data. The test part is never looked at.

use std::sync::Arc;

use marquee_algorithms::{FitContext, Hyperparameters};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::ThreadPool;
use serde_json::{Value, json};

use crate::{
    config::{Config, Measure, Protocol, Range, Search, SearchKind},
    error::TrainingError,
    fit::{self, TrainingData},
    progress::Io,
    quality::{self, Quality},
    run::measure_error,
    split::{DataSplit, cut, split_rows, validation},
    wording::counted,
};

/// Most trials of a grid.
const MOST_TRIALS: usize = 10_000;

/// One try.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What was tried beside the config's own.
    pub tried: Hyperparameters,
    /// What came of it; an error's text where the fit went astray.
    pub quality: Result<Quality, String>,
}

/// All tries, the best first.
#[derive(Clone, Debug)]
pub struct Found {
    /// What was compared.
    pub metric: String,
    /// How the validation part was drawn.
    pub validation: Protocol,
    /// The best first; those that failed last.
    pub trials: Vec<Trial>,
}

/// The combinations that `search` tries.
pub fn combinations(search: &Search) -> Result<Vec<Hyperparameters>, String> {
    match search.kind {
        SearchKind::Random => {
            let mut rng = ChaCha8Rng::seed_from_u64(search.seed);
            Ok((0..search.trials).map(|_| draw(search, &mut rng)).collect())
        }
        SearchKind::Grid => {
            let mut all = vec![Hyperparameters::new()];
            for (name, range) in &search.ranges {
                let values = grid(range);
                if all.len() * values.len() > MOST_TRIALS {
                    return Err(format!(
                        "the grid has more than {MOST_TRIALS} combinations: give fewer values, or search at random"
                    ));
                }
                let with = |known: &Hyperparameters| {
                    let known = known.clone();
                    values
                        .iter()
                        .map(move |value| {
                            let mut more = known.clone();
                            more.insert(name.clone(), value.clone());
                            more
                        })
                        .collect::<Vec<_>>()
                };
                all = all.iter().flat_map(with).collect();
            }
            Ok(all)
        }
    }
}

fn draw(search: &Search, rng: &mut ChaCha8Rng) -> Hyperparameters {
    let mut value = |range: &Range| match range {
        Range::Values(values) => values[rng.random_range(0..values.len())].clone(),
        Range::Span { .. } => at(range, rng.random::<f64>()),
    };
    search.ranges.iter().map(|(name, range)| (name.clone(), value(range))).collect()
}

fn grid(range: &Range) -> Vec<Value> {
    match range {
        Range::Values(values) => values.clone(),
        Range::Span { steps, .. } => {
            #[expect(clippy::cast_precision_loss, reason = "at most 1000 steps")]
            let mut values: Vec<Value> =
                (0..*steps).map(|i| at(range, i as f64 / (*steps - 1) as f64)).collect();
            values.dedup();
            values
        }
    }
}

/// The value at `share` (0 to 1) of a span, to three digits: a hyperparameter that a person can copy.
fn at(range: &Range, share: f64) -> Value {
    let Range::Span { from, to, log, whole, .. } = range else { return Value::Null };
    let value = if *log { from * (to / from).powf(share) } else { from + (to - from) * share };
    if *whole {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "both ends are whole and not negative"
        )]
        return json!(value.round() as u64);
    }
    json!(format!("{value:.2e}").parse::<f64>().unwrap_or(value).clamp(*from, *to))
}

/// Tries every combination on a validation part of the training part of `rows`.
pub fn run(
    io: &mut Io<'_>,
    config: &Config,
    data: &crate::split::Dataset,
    pool: &Arc<ThreadPool>,
) -> Result<Found, TrainingError> {
    let usage = |text: &str| TrainingError::Usage(text.to_owned());
    let search = config
        .search
        .as_ref()
        .ok_or_else(|| usage("--search needs a `search` section in the config: name the ranges there"))?;
    let (within, split) = validation_split(config, data)?;
    let metric = search.metric.clone().unwrap_or_else(|| quality::foremost(within, &config.measure));
    let combinations = combinations(search).map_err(TrainingError::Usage)?;
    let attempts = Attempts { config, split: &split, within, pool, measure: trial_measure(config) };
    let mut stage = io.stage("search", combinations.len() as u64)?;
    let mut trials = Vec::with_capacity(combinations.len());
    for (done, tried) in combinations.into_iter().enumerate() {
        if stage.is_cancelled() {
            return Err(TrainingError::Cancelled { checkpoint: None });
        }
        let trial = Trial { quality: attempts.run(&tried), tried };
        let note = match &trial.quality {
            Ok(found) => match found.figure(&metric) {
                Some(figure) => format!("{metric} {:.4} with {}", figure.value, in_one_line(&trial.tried)),
                None => {
                    let names = found.names().join(", ");
                    return Err(TrainingError::Usage(format!(
                        "search.metric `{metric}` is not measured: choose one of {names}"
                    )));
                }
            },
            Err(problem) => problem.clone(),
        };
        stage.tell(done as u64 + 1, &note)?;
        trials.push(trial);
    }
    stage.end(&format!("{} on a validation part ({within})", counted(trials.len(), "trial")))?;
    let sign = if quality::smaller_is_better(&metric) { 1.0 } else { -1.0 };
    let rank = |trial: &Trial| match &trial.quality {
        Ok(found) => found.figure(&metric).map_or(f64::INFINITY, |figure| figure.value * sign),
        Err(_) => f64::INFINITY,
    };
    trials.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
    Ok(Found { metric, validation: within, trials })
}

/// The validation part that trials are compared on, with the protocol that drew it from the training part.
pub fn validation_split(
    config: &Config,
    data: &crate::split::Dataset,
) -> Result<(Protocol, DataSplit), TrainingError> {
    let within = validation(config.protocol, config.algorithm.is_explicit());
    let training =
        split_rows(&data.rows, config.protocol).map_err(|e| measure_error(config.protocol, e))?.train;
    let split = cut(&training, data.shape(), within).map_err(|e| measure_error(within, e))?;
    Ok((within, split))
}

/// How a trial is measured: trials are compared by their figures alone, and intervals would cost more than some fits.
pub fn trial_measure(config: &Config) -> Measure {
    Measure { bootstrap: 0, ..config.measure.clone() }
}

/// What all trials share.
struct Attempts<'a> {
    config: &'a Config,
    split: &'a DataSplit,
    within: Protocol,
    pool: &'a Arc<ThreadPool>,
    measure: Measure,
}

impl Attempts<'_> {
    fn run(&self, tried: &Hyperparameters) -> Result<Quality, String> {
        let Self { config, split, within, pool, measure } = self;
        let mut hyperparameters = config.hyperparameters.clone();
        hyperparameters.extend(tried.clone());
        fit::estimate::check(config, &hyperparameters, &split.training).map_err(|error| error.to_string())?;
        let data = TrainingData { interactions: &split.training, scale: split.scale };
        let mut context = FitContext::with_pool(config.seed, Arc::clone(pool));
        let fitted =
            fit::fit(config.algorithm, &hyperparameters, data, &mut context).map_err(|e| e.to_string())?;
        let model = fitted.model().map_err(|e| e.to_string())?;
        pool.install(|| quality::of_model(&*model, split, *within, measure)).map_err(|fault| match fault {
            quality::Fault::Metric(error) => error.to_string(),
            quality::Fault::Model(error) => error.to_string(),
        })
    }
}

/// Hyperparameters in one line.
pub fn in_one_line(tried: &Hyperparameters) -> String {
    let each: Vec<String> = tried.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect();
    each.join(", ")
}

/// A value without quotes.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
