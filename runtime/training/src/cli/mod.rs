//! The three commands: each reads as a list of verbs.

pub mod args;

mod catalogue;
mod dry_run;
mod evaluate;
mod train;

pub use args::{CatalogueArgs, DataArgs, EvaluateArgs, FitArgs, TrainArgs};
pub use catalogue::catalogue;
pub use evaluate::evaluate;
pub use train::train;

use std::path::Path;

use crate::{
    config::{Config, Measure, Protocol},
    data::{self, Needs},
    error::TrainingError,
    fit::estimate,
    progress::{Io, StageTime},
    report::{self, DataReport},
    run,
    split::{DataSplit, Dataset},
    trainers::Algorithm,
    wording::counted,
};

/// The config of a command: the file if there is one, then the flags.
fn configure(file: Option<&Path>, data: &DataArgs, fit: &FitArgs) -> Result<Config, TrainingError> {
    let mut config = match (file, fit.algorithm) {
        (Some(file), _) => Config::read(file)?,
        (None, Some(algorithm)) => Config::new(algorithm),
        (None, None) => {
            return Err(TrainingError::Usage(
                "nothing says what to fit: give --config FILE or --algorithm NAME".to_owned(),
            ));
        }
    };
    if let Some(algorithm) = fit.algorithm.filter(|algorithm| *algorithm != config.algorithm) {
        // What the file says of another algorithm's hyperparameters means nothing to this one.
        config.algorithm = algorithm;
        config.hyperparameters.clear();
        config.search = None;
    }
    for assignment in &fit.set {
        config.set(assignment).map_err(|problem| TrainingError::Usage(format!("--set {problem}")))?;
    }
    data.apply(&mut config.data);
    config.force = fit.force;
    config.seed = fit.seed.unwrap_or(config.seed);
    config.threads = fit.threads.map_or(config.threads, usize::from);
    config.protocol = fit.protocol.unwrap_or(config.protocol);
    if !fit.cutoffs.is_empty() {
        config.measure.cutoffs.clone_from(&fit.cutoffs);
    }
    config.measure = checked(config.measure)?;
    agree(&config)?;
    Ok(config)
}

fn checked(measure: Measure) -> Result<Measure, TrainingError> {
    measure.checked().map_err(|problem| TrainingError::Usage(format!("--cutoff: {problem}")))
}

/// Refuses a protocol that cannot measure the algorithm.
fn agree(config: &Config) -> Result<(), TrainingError> {
    if config.protocol.is_explicit() && !config.algorithm.is_explicit() {
        return Err(TrainingError::Usage(format!(
            "protocol {} measures predicted ratings, and {} predicts none: use leave-last-out",
            config.protocol,
            config.algorithm.name()
        )));
    }
    if config.data.positive_from.is_some() && config.algorithm.is_explicit() {
        return Err(TrainingError::Usage(format!(
            "positiveFrom is for what learns from plays, and {} learns from every rating: leave it out",
            config.algorithm.name()
        )));
    }
    Ok(())
}

/// Smallest input whose reading shows progress; less is read in a moment.
const TOLD_FROM: u64 = 64 << 20;

/// Which columns the config cannot do without.
fn needs(config: &Config) -> Needs {
    let weighs_ratings = config.hyperparameters.get("weight").is_some_and(|weight| weight == "rating");
    Needs {
        rating: config.algorithm.is_explicit() || config.protocol.is_explicit() || weighs_ratings,
        time: config.protocol == Protocol::LeaveLastOut,
        plays: !config.algorithm.is_explicit(),
    }
}

/// Reads what the config names, with progress.
fn read_data(io: &mut Io<'_>, config: &Config, needs: Needs) -> Result<(Dataset, StageTime), TrainingError> {
    let spec = &config.data;
    estimate::check_reading(config, data::expected_rows(spec))?;
    let mut stage = io.stage("read", 0)?;
    let mut fault = None;
    let ratings = data::read(spec, needs, &mut |progress| {
        if progress.total >= TOLD_FROM {
            stage.set_total(progress.total >> 20);
            fault = stage.tell(progress.bytes >> 20, "in MiB").err().or(fault.take());
        }
    })?;
    if let Some(fault) = fault {
        return Err(TrainingError::Print(fault));
    }
    let outcome = counted(ratings.facts.rows_read, "row");
    let time = stage.end(&outcome)?;
    Ok((Dataset::from(ratings), time))
}

fn data_report(config: &Config, data: &Dataset, split: &DataSplit) -> DataReport {
    DataReport {
        files: config.data.files.clone(),
        facts: data.facts.clone(),
        positive_from: config.data.positive_from,
        duplicates: config.data.duplicates,
        viewers: data.viewers.len(),
        titles: data.titles.len(),
        training_rows: split.training.len(),
        held_out_rows: split.held_out.len(),
    }
}

fn cut(data: &Dataset, config: &Config) -> Result<DataSplit, TrainingError> {
    let split = data.cut(config.protocol).map_err(|source| run::measure_error(config.protocol, source))?;
    if config.protocol != Protocol::None && split.held_out.is_empty() {
        let text = format!("protocol {} holds nothing out: every viewer has a single row", config.protocol);
        return Err(TrainingError::Data(data::DataError::Split(text)));
    }
    Ok(split)
}

/// A model's name in tables.
fn name(algorithm: Algorithm, file: Option<&Path>) -> String {
    let stem = file.and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned());
    stem.unwrap_or_else(|| algorithm.name().to_owned())
}

/// The figures of a report, as a table with the baseline below.
fn print_quality(io: &mut Io<'_>, reports: &[report::Report]) -> Result<(), TrainingError> {
    let measured: Vec<_> =
        reports.iter().filter_map(|r| Some((r.name.as_str(), r.quality.as_ref()?))).collect();
    let mut rows: Vec<_> = measured.iter().map(|(name, quality)| (*name, &quality.model)).collect();
    rows.extend(measured.first().map(|(_, quality)| (quality.baseline_name, &quality.baseline)));
    report::print_quality(io.out, &rows)?;
    Ok(())
}

/// Trials as a table, the best first.
fn table_of_trials(found: &crate::search::Found) -> Vec<Vec<String>> {
    let mut rows = vec![vec![found.metric.clone(), "hyperparameters".to_owned()]];
    for trial in &found.trials {
        let figure = match &trial.quality {
            Ok(quality) => quality
                .figure(&found.metric)
                .map_or_else(String::new, |figure| format!("{:.4}", figure.value)),
            Err(problem) => problem.clone(),
        };
        rows.push(vec![figure, crate::search::in_one_line(&trial.tried)]);
    }
    rows
}

/// Writes the config with the best trial's hyperparameters.
fn write_best(file: &Path, config: &Config, found: &crate::search::Found) -> Result<(), TrainingError> {
    let fault = |source| TrainingError::Output { what: "config", path: file.to_owned(), source };
    let mut best = config.clone();
    let Some(trial) = found.trials.first() else { return Ok(()) };
    best.hyperparameters.extend(trial.tried.clone());
    let yaml = best
        .to_yaml(file.parent().unwrap_or(Path::new("")))
        .map_err(|error| fault(std::io::Error::other(error)))?;
    let figure = trial.quality.as_ref().ok().and_then(|quality| quality.figure(&found.metric));
    let heading = format!(
        "# The best of {} trials: {} {:.4} on a validation part of the training data ({}).\n",
        found.trials.len(),
        found.metric,
        figure.map_or(f64::NAN, |figure| figure.value),
        found.validation
    );
    report::write_whole(file, (heading + yaml.trim_end()).as_bytes()).map_err(fault)
}
