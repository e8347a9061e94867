//! `train`: data in, artifact out.

use std::{path::Path, sync::Arc};

use marquee_artifacts::Lineage;
use rayon::ThreadPool;

use super::{
    TrainArgs, configure, cut, data_report,
    dry_run::{self, DryRun},
    name, needs, print_quality, read_data,
};
use crate::{
    artifact::{self, Origin},
    checkpoint::Checkpoint,
    config::{Config, Protocol},
    error::TrainingError,
    fit::{Fitted, TrainingData},
    progress::{Io, StageTime},
    quality::{self, Comparison, Fault},
    report::{self, ArtifactReport, Report},
    run, search,
    split::{self, DataSplit, Dataset, table},
};

/// Fits a model as `args` say and writes it as an artifact, with a report beside it.
pub fn train(args: &TrainArgs, io: &mut Io<'_>) -> Result<(), TrainingError> {
    let config = full_config(args)?;
    let output = output(args, &config)?;
    let mut needed = needs(&config);
    if args.search {
        // The validation part is cut by time too, where the protocol itself holds nothing out.
        needed.time |=
            split::validation(config.protocol, config.algorithm.is_explicit()) == Protocol::LeaveLastOut;
    }
    let (data, read) = read_data(io, &config, needed)?;
    if args.search {
        return search_only(io, args, &config, &data);
    }
    let split = cut(&data, &config)?;
    let mut report = blank(args, &config, &data, &split);
    report::print_data(io.out, &report.data)?;
    if args.dry_run {
        return DryRun { config: &config, data: &data, split: &split, output: output.as_deref(), read }
            .tell(io);
    }
    let Some(output) = output else { return Err(no_output()) };
    let pool = run::pool(&config)?;
    report.threads = pool.current_num_threads();
    report.stages.push(read);

    let mut places = Vec::new();
    let place = checkpoint(args, &config, "training-part", &data, &pool)?;
    places.extend(place.clone());
    let training = TrainingData { interactions: &split.training, scale: split.scale };
    let mut outcome = run::fit(io, &config, training, &pool, place.as_ref())?;
    report.stages.push(outcome.time);
    if config.protocol != Protocol::None {
        let (comparison, time) = compare(io, &config, &outcome.fitted, &split, &pool)?;
        report.quality = Some(comparison);
        report.stages.push(time);
    }
    if config.refits() {
        writeln!(io.out, "once more on all data, for the artifact")?;
        let all = table(&data.rows, data.shape()).map_err(|source| fit_error(&config, source))?;
        let place = checkpoint(args, &config, "all", &data, &pool)?;
        places.extend(place.clone());
        let training = TrainingData { interactions: &all, scale: split.scale };
        outcome = run::fit(io, &config, training, &pool, place.as_ref())?;
        report.stages.push(outcome.time);
    }
    let fitted = outcome.fitted;
    report.hyperparameters.clone_from(&fitted.hyperparameters);
    publish(io, &output, &fitted, &data, &mut report)?;
    places.iter().try_for_each(Checkpoint::remove)?;
    tell(io, &output, &report)
}

/// The config of the command, flags applied.
fn full_config(args: &TrainArgs) -> Result<Config, TrainingError> {
    let mut config = configure(args.config.as_deref(), &args.data, &args.fit)?;
    config.final_fit = args.final_fit.unwrap_or(config.final_fit);
    let cadence = &mut config.checkpoint;
    cadence.every_iterations = args.checkpoint_every_iterations.unwrap_or(cadence.every_iterations);
    cadence.every_seconds = args.checkpoint_every_seconds.unwrap_or(cadence.every_seconds);
    if args.search && config.search.is_none() {
        let text = "--search needs a `search` section in the config: name the hyperparameters and their ranges there";
        return Err(TrainingError::Usage(text.to_owned()));
    }
    Ok(config)
}

fn output(args: &TrainArgs, config: &Config) -> Result<Option<std::path::PathBuf>, TrainingError> {
    let output = args.output.clone().or_else(|| config.output.clone());
    if output.is_none() && !args.search && !args.dry_run {
        return Err(no_output());
    }
    Ok(output)
}

fn no_output() -> TrainingError {
    TrainingError::Usage("nothing says where the artifact goes: give --output FOLDER".to_owned())
}

fn blank(args: &TrainArgs, config: &Config, data: &Dataset, split: &DataSplit) -> Report {
    Report {
        command: "train",
        name: name(config.algorithm, args.config.as_deref()),
        code_version: env!("CARGO_PKG_VERSION"),
        algorithm: config.algorithm,
        hyperparameters: config.algorithm.0.resolve(&config.hyperparameters),
        seed: config.seed,
        threads: config.threads,
        data: data_report(config, data, split),
        protocol: config.protocol,
        measure: (config.protocol != Protocol::None).then(|| config.measure.clone()),
        quality: None,
        artifact: None,
        stages: Vec::new(),
    }
}

fn checkpoint(
    args: &TrainArgs,
    config: &Config,
    part: &str,
    data: &Dataset,
    pool: &ThreadPool,
) -> Result<Option<Checkpoint>, TrainingError> {
    let Some(folder) = &args.checkpoint else { return Ok(None) };
    let identity = run::identity(config, part, &data.facts.digest, pool);
    Checkpoint::new(folder, &format!("{}-{part}", config.algorithm.name()), identity).map(Some)
}

/// Measures a fit and the baseline on the held-out part.
pub(super) fn compare(
    io: &mut Io<'_>,
    config: &Config,
    fitted: &Fitted,
    split: &DataSplit,
    pool: &Arc<ThreadPool>,
) -> Result<(Comparison, StageTime), TrainingError> {
    let stage = io.stage("measure", 0)?;
    let model_error = |source| TrainingError::Model { what: config.algorithm.name().to_owned(), source };
    let model = fitted.model().map_err(model_error)?;
    let comparison = pool
        .install(|| quality::compare(&*model, split, config.protocol, &config.measure))
        .map_err(|fault| match fault {
            Fault::Metric(source) => run::measure_error(config.protocol, source),
            Fault::Model(source) => model_error(source),
        })?;
    let time =
        stage.end(&format!("{} held-out rows by protocol {}", split.held_out.len(), config.protocol))?;
    Ok((comparison, time))
}

fn publish(
    io: &mut Io<'_>,
    output: &Path,
    fitted: &Fitted,
    data: &Dataset,
    report: &mut Report,
) -> Result<(), TrainingError> {
    let stage = io.stage("write", 0)?;
    let lineage = Lineage {
        data_digest: data.facts.digest.clone(),
        seed: report.seed,
        code_version: report.code_version.to_owned(),
        metrics: report.quality.as_ref().map(|quality| quality.model.figures()).unwrap_or_default(),
        embedding_generation: None,
    };
    let digest =
        artifact::write(output, fitted, Origin { viewers: &data.viewers, titles: &data.titles, lineage })?;
    let time = stage.end(&format!("{} with sha256 {digest}, golden outputs reproduced", output.display()))?;
    report.stages.push(time);
    let fitted_on = match (report.protocol, report.data.training_rows == fitted_rows(fitted)) {
        (Protocol::None, _) | (_, false) => "all data",
        _ => "training part",
    };
    report.artifact =
        Some(ArtifactReport { folder: output.to_owned(), sha256: digest.to_string(), fitted_on });
    report::write_json(&report::place(output), "report", report)
}

fn fitted_rows(fitted: &Fitted) -> usize {
    fitted.tensors.get("history.titles").map_or(0, marquee_artifacts::RawTensor::len)
}

fn tell(io: &mut Io<'_>, output: &Path, report: &Report) -> Result<(), TrainingError> {
    print_quality(io, std::slice::from_ref(report))?;
    if let Some(artifact) = &report.artifact {
        let figures = match (artifact.fitted_on, &report.quality) {
            (_, None) => "nothing was held out, so no quality was measured",
            ("all data", _) => "the figures are those of its twin, fitted on the training part",
            _ => "the figures are its own",
        };
        writeln!(io.out, "the artifact is fitted on: {}; {figures}", artifact.fitted_on)?;
    }
    report::print_stages(io.out, &report.stages)?;
    writeln!(io.out, "report: {}", report::place(output).display())?;
    Ok(())
}

fn search_only(
    io: &mut Io<'_>,
    args: &TrainArgs,
    config: &Config,
    data: &Dataset,
) -> Result<(), TrainingError> {
    if args.dry_run {
        return dry_run::search(io, config, data);
    }
    let pool = run::pool(config)?;
    let found = search::run(io, config, data, &pool)?;
    let rows = super::table_of_trials(&found);
    report::print_table(io.out, &rows)?;
    let best = found.trials.first().filter(|trial| trial.quality.is_ok());
    let Some(best) = best else {
        return Err(TrainingError::Usage("no trial could be fitted: see the table for why".to_owned()));
    };
    writeln!(
        io.out,
        "best by {} on a validation part ({}): {}",
        found.metric,
        found.validation,
        search::in_one_line(&best.tried)
    )?;
    if let Some(file) = &args.search_output {
        super::write_best(file, config, &found)?;
        writeln!(io.out, "wrote {}", file.display())?;
    }
    Ok(())
}

fn fit_error(config: &Config, source: marquee_algorithms::AlgorithmError) -> TrainingError {
    TrainingError::Fit { algorithm: config.algorithm.name(), source }
}
