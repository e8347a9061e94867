//! `train`: data in, artifact out.

use std::{path::Path, sync::Arc};

use marquee_algorithms::Interactions;
use marquee_artifacts::Lineage;
use rayon::ThreadPool;

use super::{TrainArgs, configure, cut, data_report, name, needs, print_quality, read_data};
use crate::{
    artifact::{self, Origin},
    checkpoint::Checkpoint,
    config::{Config, FinalFit, Protocol},
    doctor,
    error::TrainingError,
    fit::{Fitted, TrainingData},
    memory,
    progress::{Io, StageTime, bytes},
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
    let (data, read) = read_data(io, &config.data, needed)?;
    if args.search {
        return search_only(io, args, &config, &data);
    }
    let split = cut(&data, &config)?;
    let mut report = blank(args, &config, &data, &split);
    report::print_data(io.out, &report.data)?;
    if args.dry_run {
        return dry_run(io, &config, (&data, &split), output.as_deref());
    }
    let Some(output) = output else { return Err(no_output()) };
    let pool = run::pool(&config)?;
    report.threads = pool.current_num_threads();
    report.stages.push(read);

    let mut places = Vec::new();
    let place = checkpoint(args, &config, ("training-part", &data), &pool)?;
    places.extend(place.clone());
    let mut fitted =
        fit_part(io, &config, (&split.training, split.scale), &pool, (place.as_ref(), &mut report))?;
    report.quality = measure(io, &config, &fitted, (&split, &pool), &mut report.stages)?;
    if refits(&config) {
        writeln!(io.out, "once more on all data, for the artifact")?;
        let all = table(&data.rows, data.shape()).map_err(|source| fit_error(&config, source))?;
        let place = checkpoint(args, &config, ("all", &data), &pool)?;
        places.extend(place.clone());
        fitted = fit_part(io, &config, (&all, split.scale), &pool, (place.as_ref(), &mut report))?;
    }
    report.hyperparameters.clone_from(&fitted.hyperparameters);
    publish(io, &output, &fitted, &data, &mut report)?;
    places.iter().try_for_each(Checkpoint::remove)?;
    tell(io, &output, &report)
}

/// What a fit is run on: the table and the scale of its ratings.
type Part<'a> = (&'a Interactions, (f32, f32));

fn fit_part(
    io: &mut Io<'_>,
    config: &Config,
    (data, scale): Part<'_>,
    pool: &Arc<ThreadPool>,
    (checkpoint, report): (Option<&Checkpoint>, &mut Report),
) -> Result<Fitted, TrainingError> {
    let outcome = run::fit(io, config, TrainingData { interactions: data, scale }, pool, checkpoint)?;
    report.stages.push(outcome.time);
    Ok(outcome.fitted)
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

/// Whether the artifact is fitted anew on all data.
fn refits(config: &Config) -> bool {
    config.protocol != Protocol::None && config.final_fit == FinalFit::All
}

fn fitted_on(config: &Config) -> &'static str {
    if config.protocol == Protocol::None || refits(config) { "all data" } else { "training part" }
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
    (part, data): (&str, &Dataset),
    pool: &ThreadPool,
) -> Result<Option<Checkpoint>, TrainingError> {
    let Some(folder) = &args.checkpoint else { return Ok(None) };
    let identity = run::identity(config, part, &data.facts.digest, pool);
    Checkpoint::new(folder, &format!("{}-{part}", config.algorithm.name()), identity).map(Some)
}

fn measure(
    io: &mut Io<'_>,
    config: &Config,
    fitted: &Fitted,
    (split, pool): (&DataSplit, &Arc<ThreadPool>),
    stages: &mut Vec<StageTime>,
) -> Result<Option<Comparison>, TrainingError> {
    if config.protocol == Protocol::None {
        return Ok(None);
    }
    let (comparison, time) = compare(io, config, fitted, (split, pool))?;
    stages.push(time);
    Ok(Some(comparison))
}

/// Measures a fit and the baseline on the held-out part.
pub(super) fn compare(
    io: &mut Io<'_>,
    config: &Config,
    fitted: &Fitted,
    (split, pool): (&DataSplit, &Arc<ThreadPool>),
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

fn dry_run(
    io: &mut Io<'_>,
    config: &Config,
    (data, split): (&Dataset, &DataSplit),
    output: Option<&Path>,
) -> Result<(), TrainingError> {
    for line in doctor::lines(data) {
        writeln!(io.out, "{line}")?;
    }
    let (viewers, titles) = (split.training.n_viewers(), split.training.n_titles());
    let rows = split.training.len() + split.held_out.len();
    let hyperparameters = config.algorithm.0.resolve(&config.hyperparameters);
    let estimate = crate::fit::estimate::memory(config.algorithm, &hyperparameters, (viewers, titles, rows));
    writeln!(
        io.out,
        "would fit {} on {} rows, protocol {}",
        config.algorithm.name(),
        split.training.len(),
        config.protocol
    )?;
    if !hyperparameters.is_empty() {
        writeln!(io.out, "hyperparameters: {}", search::in_one_line(&hyperparameters))?;
    }
    if !split.held_out.is_empty() {
        writeln!(io.out, "would measure on {} held-out rows, baseline beside", split.held_out.len())?;
    }
    writeln!(io.out, "the artifact would be fitted on: {}", fitted_on(config))?;
    writeln!(io.out, "memory: about {} at most; weights {}", bytes(estimate.peak), bytes(estimate.weights))?;
    match memory::allowed() {
        Some(allowed) if allowed < estimate.peak => writeln!(
            io.out,
            "the process may use {}: the run would be refused unless --force is given",
            bytes(allowed)
        )?,
        Some(allowed) => writeln!(io.out, "the process may use {}", bytes(allowed))?,
        None => writeln!(io.out, "how much the process may use is not known")?,
    }
    match output {
        Some(output) => {
            writeln!(io.out, "would write {} and {}", output.display(), report::place(output).display())?
        }
        None => writeln!(io.out, "would need --output FOLDER")?,
    }
    writeln!(io.out, "dry run: nothing was written")?;
    Ok(())
}

fn search_only(
    io: &mut Io<'_>,
    args: &TrainArgs,
    config: &Config,
    data: &Dataset,
) -> Result<(), TrainingError> {
    if args.dry_run {
        let n =
            config.search.as_ref().map_or(Ok(0), |search| search::combinations(search).map(|all| all.len()));
        let n = n.map_err(TrainingError::Usage)?;
        writeln!(io.out, "would try {n} combinations of hyperparameters\ndry run: nothing was written")?;
        return Ok(());
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
