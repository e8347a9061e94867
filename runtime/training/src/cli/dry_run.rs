//! `train --dry-run`: what is known of the data, and what the run would take and do.

use std::{path::Path, time::Duration};

use marquee_algorithms::{Hyperparameters, Interactions};

use crate::{
    config::Config,
    doctor,
    error::TrainingError,
    fit::{
        duration::{Run, Timed},
        estimate::{self, DataShape},
    },
    memory,
    progress::{Io, StageTime, bytes, duration},
    quality, report, run, search,
    split::{DataSplit, Dataset, table},
    wording::counted,
};

/// A run of `train` that is described and not done.
pub(super) struct DryRun<'a> {
    pub(super) config: &'a Config,
    pub(super) data: &'a Dataset,
    pub(super) split: &'a DataSplit,
    pub(super) output: Option<&'a Path>,
    /// How long the reading took.
    pub(super) read: StageTime,
}

impl DryRun<'_> {
    /// Prints everything, the data first.
    pub(super) fn tell(&self, io: &mut Io<'_>) -> Result<(), TrainingError> {
        for line in doctor::lines(self.data) {
            writeln!(io.out, "{line}")?;
        }
        self.tell_fit(io)?;
        let fits = self.tell_memory(io)?;
        match fits {
            true => self.tell_time(io)?,
            false => writeln!(io.out, "time: not estimated, since the run would be refused")?,
        }
        match self.output {
            Some(output) => {
                writeln!(io.out, "would write {} and {}", output.display(), report::place(output).display())?
            }
            None => writeln!(io.out, "would need --output FOLDER")?,
        }
        writeln!(io.out, "dry run: nothing was written")?;
        Ok(())
    }

    fn tell_fit(&self, io: &mut Io<'_>) -> Result<(), TrainingError> {
        let (config, split) = (self.config, self.split);
        let rows = counted(split.training.len(), "row");
        writeln!(io.out, "would fit {} on {rows}, protocol {}", config.algorithm.name(), config.protocol)?;
        let hyperparameters = self.hyperparameters();
        if !hyperparameters.is_empty() {
            writeln!(io.out, "hyperparameters: {}", search::in_one_line(&hyperparameters))?;
        }
        if !split.held_out.is_empty() {
            let rows = counted(split.held_out.len(), "held-out row");
            writeln!(io.out, "would measure on {rows}, baseline beside")?;
        }
        writeln!(io.out, "the artifact would be fitted on: {}", config.fitted_on())?;
        Ok(())
    }

    /// Whether the run would be begun.
    fn tell_memory(&self, io: &mut Io<'_>) -> Result<bool, TrainingError> {
        let estimate = self.memory();
        let (peak, weights) = (bytes(estimate.peak), bytes(estimate.weights));
        writeln!(io.out, "memory: about {peak} at most; weights {weights}")?;
        match memory::allowed() {
            Some(allowed) if allowed < estimate.peak => {
                let allowed = bytes(allowed);
                writeln!(
                    io.out,
                    "the process may use {allowed}: the run would be refused unless --force is given"
                )?;
                return Ok(self.config.force);
            }
            Some(allowed) => writeln!(io.out, "the process may use {}", bytes(allowed))?,
            None => writeln!(io.out, "how much the process may use is not known")?,
        }
        Ok(true)
    }

    fn memory(&self) -> estimate::Estimate {
        let (data, held_out) = (&self.split.training, &self.split.held_out);
        let rows = data.len() + held_out.len();
        let shape = DataShape { viewers: data.n_viewers(), titles: data.n_titles(), rows };
        estimate::memory(self.config.algorithm, &self.hyperparameters(), shape)
    }

    fn tell_time(&self, io: &mut Io<'_>) -> Result<(), TrainingError> {
        let config = self.config;
        let pool = run::pool(config)?;
        let measure = |model: &dyn marquee_models::Model, part: &DataSplit| {
            quality::compare(model, part, config.protocol, &config.measure).map(drop)
        };
        let run = Run { config, split: self.split, pool: &pool, measure: &measure };
        let all = config.refits().then(|| table(&self.data.rows, self.data.shape())).and_then(Result::ok);
        let read = duration(Duration::from_secs_f64(self.read.seconds));
        match run.time() {
            Ok(timed) => {
                let times = Times::of(&run, &timed, &self.hyperparameters(), all.as_ref());
                let threads = counted(pool.current_num_threads(), "thread");
                let share = share(timed.share);
                writeln!(io.out, "time: {times}; told from a fit of {share} on {threads}, now")?;
                writeln!(io.out, "reading took {read}; writing the weights comes on top")?;
            }
            Err(problem) => writeln!(io.out, "time: not known, since a short fit failed: {problem}")?,
        }
        Ok(())
    }

    fn hyperparameters(&self) -> Hyperparameters {
        self.config.algorithm.0.resolve(&self.config.hyperparameters)
    }
}

/// How long the stages of a run take.
struct Times {
    /// Every fit of the run.
    fit: f64,
    /// Where rows are held out.
    measure: Option<f64>,
}

impl Times {
    /// `all` is the data of a second fit.
    fn of(run: &Run<'_>, timed: &Timed, whole: &Hyperparameters, all: Option<&Interactions>) -> Self {
        let again = all.map_or(0.0, |all| timed.fit.seconds(run.cost_on(all, whole)));
        Self {
            fit: timed.fit.seconds(run.cost(whole)) + again,
            measure: timed.measure.map(|pace| pace.seconds(run.measure_size(whole))),
        }
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "about {} to fit", about(self.fit))?;
        match self.measure {
            Some(seconds) => write!(f, ", about {} to measure", about(seconds)),
            None => Ok(()),
        }
    }
}

/// A time to two digits at most: an estimate has no more.
fn about(seconds: f64) -> String {
    let seconds = seconds.clamp(0.001, 1e9);
    let unit = 10_f64.powf(seconds.log10().floor() - 1.0);
    duration(Duration::from_secs_f64((seconds / unit).round() * unit))
}

fn share(share: f64) -> String {
    match share * 100.0 {
        whole if whole > 99.5 => "all the data".to_owned(),
        percent if percent >= 1.0 => format!("{percent:.0} % of the work"),
        _ => "less than 1 % of the work".to_owned(),
    }
}

/// Says what a search would try, and how long it takes.
pub(super) fn search(io: &mut Io<'_>, config: &Config, data: &Dataset) -> Result<(), TrainingError> {
    let combinations = config.search.as_ref().map_or(Ok(Vec::new()), search::combinations);
    let combinations = combinations.map_err(TrainingError::Usage)?;
    writeln!(io.out, "would try {} of hyperparameters", counted(combinations.len(), "combination"))?;
    let (within, split) = search::validation_split(config, data)?;
    let pool = run::pool(config)?;
    let trial = search::trial_measure(config);
    let measure = |model: &dyn marquee_models::Model, part: &DataSplit| {
        quality::of_model(model, part, within, &trial).map(drop)
    };
    let config = Config { protocol: within, ..config.clone() };
    let run = Run { config: &config, split: &split, pool: &pool, measure: &measure };
    match run.time() {
        Ok(timed) => {
            let seconds = combinations.iter().map(|tried| {
                let mut hyperparameters = config.hyperparameters.clone();
                hyperparameters.extend(tried.clone());
                let whole = config.algorithm.0.resolve(&hyperparameters);
                let times = Times::of(&run, &timed, &whole, None);
                times.fit + times.measure.unwrap_or(0.0)
            });
            writeln!(io.out, "time: about {} in all", about(seconds.sum()))?;
        }
        Err(problem) => writeln!(io.out, "time: not known, since a short fit failed: {problem}")?,
    }
    writeln!(io.out, "dry run: nothing was written")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_has_two_digits_at_most() {
        #[rustfmt::skip]
        let cases = [
            (0.0,      "1 ms"),
            (0.0346,   "35 ms"),
            (3.47,     "3.5 s"),
            (34.7,     "35.0 s"),
            (347.0,    "5 min 50 s"),
            (12_345.0, "200 min 0 s"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(about(seconds), expected);
        }
        let cases =
            [(1.0, "all the data"), (0.123, "12 % of the work"), (0.001, "less than 1 % of the work")];
        for (of, expected) in cases {
            assert_eq!(share(of), expected);
        }
        let both = Times { fit: 2.0, measure: Some(0.5) };
        assert_eq!(both.to_string(), "about 2.0 s to fit, about 500 ms to measure");
    }
}
