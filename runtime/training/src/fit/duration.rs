//! How long a run takes: a small part of it is run on this machine, and the algorithm's cost says how the rest compares.

use std::{
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use marquee_algorithms::{
    FitContext, Hyperparameters, Interaction, Interactions,
    cost::{FitCost, SampledBy, Threads},
    interactions::Duplicates,
};
use marquee_artifacts::layout::Sizes;
use marquee_models::{Model, registry::Registry};
use rayon::ThreadPool;

use super::{TrainingData, fit};
use crate::{config::Config, quality::Fault, split::DataSplit, trainers::Algorithm};

/// Operations of the first sample: a few milliseconds of any algorithm.
const FIRST_SAMPLE: f64 = 1e7;

/// A sample that took so long says enough.
const LONG_ENOUGH: Duration = Duration::from_millis(250);

/// Fewest viewers or titles of a sample: a smaller one would time the preparation of threads.
const FEWEST: usize = 64;

/// Operations of a model that take as long as ranking one title, measured with 8,000 titles.
const RANKED: u64 = 200;

/// Most held-out rows that are measured for time.
const MOST_MEASURED: usize = 400;

/// Seconds of a timed part, with what it cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Of the timed fit.
    pub cost: FitCost,
    /// Seconds to the first call of the observer.
    pub first: f64,
    /// Seconds from there to the end.
    pub later: f64,
}

impl Pace {
    /// Seconds of a fit of the same algorithm at `cost`.
    pub fn seconds(&self, cost: FitCost) -> f64 {
        let first = self.first * cost.first / self.cost.first;
        if self.cost.later > 0.0 {
            return first + self.later * cost.later / self.cost.later;
        }
        // One iteration was timed: more of them take as long each.
        (self.first + self.later) * cost.total() / self.cost.total()
    }
}

/// Seconds of a timed measurement, with its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasurePace {
    /// Rows measured on, and operations of the model for each.
    pub size: MeasureSize,
    /// How long it took.
    pub seconds: f64,
}

/// How much a measurement has to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasureSize {
    /// Held-out rows.
    pub rows: f64,
    /// Operations of the model for one of them.
    pub operations: f64,
}

impl MeasurePace {
    /// Seconds of a measurement of `size`.
    pub fn seconds(&self, size: MeasureSize) -> f64 {
        let (rows, operations) = (size.rows / self.size.rows, size.operations / self.size.operations);
        self.seconds * rows * operations
    }
}

/// What was timed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timed {
    /// Of the fit.
    pub fit: Pace,
    /// Of the measurement, where rows are held out.
    pub measure: Option<MeasurePace>,
    /// Share of the work of one iteration that the timed one has.
    pub share: f64,
}

/// What is timed: the run of `config` on `split`, with `measure` as its measurement.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Algorithm, hyperparameters and seed.
    pub config: &'a Config,
    /// What is fitted and measured.
    pub split: &'a DataSplit,
    /// Where it is computed.
    pub pool: &'a Arc<ThreadPool>,
    /// Measures a model.
    pub measure: &'a (dyn Fn(&dyn Model, &DataSplit) -> Result<(), Fault> + Sync),
}

impl Run<'_> {
    /// The cost of a fit of this run with `hyperparameters`, every one of them given.
    pub fn cost(&self, hyperparameters: &Hyperparameters) -> FitCost {
        self.cost_on(&self.split.training, hyperparameters)
    }

    /// The cost of a fit on other data.
    pub fn cost_on(&self, data: &Interactions, hyperparameters: &Hyperparameters) -> FitCost {
        (self.algorithm().0.cost.cost)(data, hyperparameters, Threads(self.pool.current_num_threads()))
    }

    /// The size of the measurement of this run with `hyperparameters`.
    pub fn measure_size(&self, hyperparameters: &Hyperparameters) -> MeasureSize {
        self.size_of(self.split, hyperparameters)
    }

    /// Times ever larger parts of the run until one took long enough, or was the whole.
    pub fn time(&self) -> Result<Timed, String> {
        let data = &self.split.training;
        let model = &self.algorithm().0.cost;
        let whole = self.algorithm().0.resolve(&self.config.hyperparameters);
        let short = (model.shortened)(data, &whole);
        let cost = self.cost(&short).total();
        let mut share = (FIRST_SAMPLE / cost).min(1.0);
        loop {
            let part = sample(self.split, model.sampled_by, share).map_err(|error| error.to_string())?;
            let begun = Instant::now();
            let timed = self.time_part(&part, &short)?;
            let is_whole = part.training.len() == data.len();
            if is_whole || begun.elapsed() >= LONG_ENOUGH {
                let share = timed.fit.cost.total() / cost;
                return Ok(Timed { share, ..timed });
            }
            let growth = LONG_ENOUGH.as_secs_f64() * 1.5 / begun.elapsed().as_secs_f64().max(1e-6);
            share = (share * growth.clamp(2.0, 16.0)).min(1.0);
        }
    }

    fn time_part(&self, part: &DataSplit, short: &Hyperparameters) -> Result<Timed, String> {
        let mut first = None;
        let begun = Instant::now();
        let context = FitContext::with_pool(self.config.seed, Arc::clone(self.pool));
        let mut context = context.with_observer(|_| {
            first.get_or_insert_with(|| begun.elapsed());
            ControlFlow::Continue(())
        });
        let data = TrainingData { interactions: &part.training, scale: part.scale };
        let fitted = fit(self.algorithm(), short, data, &mut context).map_err(|error| error.to_string())?;
        drop(context);
        let whole = begun.elapsed();
        let first = first.unwrap_or(whole);
        let pace = Pace {
            cost: self.cost_on(&part.training, short),
            first: first.as_secs_f64(),
            later: (whole - first).as_secs_f64(),
        };
        if part.held_out.is_empty() {
            return Ok(Timed { fit: pace, measure: None, share: 1.0 });
        }
        let model = fitted.model().map_err(|error| error.to_string())?;
        let begun = Instant::now();
        self.pool.install(|| (self.measure)(&*model, part)).map_err(|fault| match fault {
            Fault::Metric(error) => error.to_string(),
            Fault::Model(error) => error.to_string(),
        })?;
        let (size, seconds) = (self.size_of(part, short), begun.elapsed().as_secs_f64());
        Ok(Timed { fit: pace, measure: Some(MeasurePace { size, seconds }), share: 1.0 })
    }

    fn algorithm(&self) -> Algorithm {
        self.config.algorithm
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn size_of(&self, split: &DataSplit, hyperparameters: &Hyperparameters) -> MeasureSize {
        let rows = split.held_out.len() as f64;
        // A predicted rating costs the same whatever the catalogue; a ranking scores the whole of it.
        let operations = match Registry::default().find(self.algorithm().0.architecture) {
            Some(architecture) if !self.config.protocol.is_explicit() => {
                let sizes = Sizes {
                    viewers: split.training.n_viewers(),
                    titles: split.training.n_titles(),
                    watched: split.training.len(),
                    factors: super::estimate::factors(hyperparameters),
                };
                // Beside the scores, every title is ranked by the model and by the baseline.
                (architecture.cost.operations(&sizes) + RANKED * sizes.titles as u64) as f64
            }
            _ => 1.0,
        };
        MeasureSize { rows, operations }
    }
}

/// About `share` of the work of a fit on `split`: evenly spread viewers or titles.
fn sample(
    split: &DataSplit,
    by: SampledBy,
    share: f64,
) -> Result<DataSplit, marquee_algorithms::AlgorithmError> {
    let data = &split.training;
    let of = |n: usize, share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of a count"
        )]
        let wanted = (n as f64 * share).ceil() as usize;
        evenly(n, wanted.clamp(FEWEST.min(n), n))
    };
    let (viewers, titles) = match by {
        SampledBy::Viewers => (of(data.n_viewers(), share), of(data.n_titles(), 1.0)),
        SampledBy::Titles => (of(data.n_viewers(), 1.0), of(data.n_titles(), share.cbrt())),
    };
    let keep = |row: Interaction| {
        let (viewer, title) = (viewers.numbers[row.viewer as usize]?, titles.numbers[row.title as usize]?);
        Some(Interaction { viewer, title, ..row })
    };
    let rows: Vec<Interaction> = data.iter().filter_map(keep).collect();
    let training = Interactions::from_rows(viewers.kept, titles.kept, &rows, Duplicates::KeepLast)?;
    let held_out: Vec<Interaction> = split.held_out.iter().copied().filter_map(keep).collect();
    let step = held_out.len().div_ceil(MOST_MEASURED).max(1);
    let held_out = held_out.into_iter().step_by(step).collect();
    Ok(DataSplit { training, held_out, scale: split.scale })
}

/// Some of the rows of a table.
struct Kept {
    /// How many.
    kept: usize,
    /// The new number of each row that is kept.
    numbers: Vec<Option<u32>>,
}

/// `wanted` of `n` rows, evenly spread.
fn evenly(n: usize, wanted: usize) -> Kept {
    let mut kept = 0_u32;
    let mut number = |row: usize| {
        let is_kept = (row + 1) * wanted / n > row * wanted / n;
        is_kept.then(|| {
            kept += 1;
            kept - 1
        })
    };
    let numbers = (0..n).map(&mut number).collect();
    Kept { kept: kept as usize, numbers }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Measure, Protocol},
        quality,
        split::{TableShape, cut},
        trainers::TRAINERS,
    };

    #[test]
    fn seconds_grow_with_the_cost_of_each_part() {
        let pace = Pace { cost: FitCost { first: 10.0, later: 100.0 }, first: 0.5, later: 2.0 };
        #[rustfmt::skip]
        let cases = [
            ("the timed fit itself",      10.0, 100.0,    2.5),
            ("twice the iterations",      10.0, 200.0,    4.5),
            ("ten times the data",       100.0, 1000.0,  25.0),
            ("one iteration",             10.0, 0.0,      0.5),
        ];
        for (why, first, later, expected) in cases {
            assert!((pace.seconds(FitCost { first, later }) - expected).abs() < 1e-9, "{why}");
        }
        let one = Pace { cost: FitCost { first: 10.0, later: 0.0 }, first: 0.5, later: 0.0 };
        assert!((one.seconds(FitCost { first: 10.0, later: 90.0 }) - 5.0).abs() < 1e-9, "from one iteration");

        let size = MeasureSize { rows: 100.0, operations: 1000.0 };
        let pace = MeasurePace { size, seconds: 0.1 };
        assert!((pace.seconds(MeasureSize { rows: 300.0, operations: 2000.0 }) - 0.6).abs() < 1e-9);
    }

    fn shape(viewers: usize, titles: usize) -> TableShape {
        TableShape { viewers, titles }
    }

    fn rows(viewers: u32, titles: u32) -> Vec<Interaction> {
        let pairs = (0..viewers).flat_map(|viewer| (0..titles).map(move |title| (viewer, title)));
        let watched = pairs.filter(|(viewer, title)| (viewer * 7 + title * 3) % 5 < 2);
        watched
            .map(|(viewer, title)| {
                let rating = 1.0 + ((viewer + title) % 5) as f32;
                Interaction { viewer, title, rating, time: i64::from(title) }
            })
            .collect()
    }

    #[test]
    fn a_sample_keeps_its_share_of_viewers_or_titles() {
        let split = cut(&rows(400, 200), shape(400, 200), Protocol::LeaveLastOut).unwrap();
        let of = |by, share| sample(&split, by, share).unwrap();
        let part = of(SampledBy::Viewers, 0.25);
        assert_eq!((part.training.n_viewers(), part.training.n_titles()), (100, 200));
        assert_eq!(part.held_out.len(), 100, "one row a viewer");
        let part = of(SampledBy::Titles, 0.125);
        assert_eq!((part.training.n_viewers(), part.training.n_titles()), (400, 100));
        assert_eq!(of(SampledBy::Viewers, 0.001).training.n_viewers(), FEWEST);
        let whole = of(SampledBy::Viewers, 1.0);
        assert_eq!(whole.training, split.training);
    }

    #[test]
    fn every_algorithm_can_be_timed() {
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap());
        let measured = Measure { bootstrap: 0, ..Measure::default() };
        for algorithm in TRAINERS.iter().copied() {
            let mut config = Config::new(algorithm);
            config.protocol = match algorithm.is_explicit() {
                true => Protocol::RandomSplit { fraction: 0.1, seed: 1 },
                false => Protocol::LeaveLastOut,
            };
            let split = cut(&rows(120, 80), shape(120, 80), config.protocol).unwrap();
            let measure = |model: &dyn Model, part: &DataSplit| {
                quality::of_model(model, part, config.protocol, &measured).map(drop)
            };
            let run = Run { config: &config, split: &split, pool: &pool, measure: &measure };
            let timed = run.time().unwrap();
            let whole = algorithm.0.resolve(&config.hyperparameters);
            let (fit, measure) = (timed.fit.seconds(run.cost(&whole)), timed.measure.unwrap());
            assert!(fit.is_finite() && fit > 0.0, "{}: {timed:?}", algorithm.name());
            let seconds = measure.seconds(run.measure_size(&whole));
            assert!(seconds.is_finite() && seconds > 0.0, "{}: {timed:?}", algorithm.name());
            assert!(timed.share > 0.0 && timed.share <= 1.0, "{}: {timed:?}", algorithm.name());
        }
    }
}
