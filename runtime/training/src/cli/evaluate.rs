//! `evaluate`: figures of configs or of an artifact, without writing a model.

use std::{path::Path, sync::Arc};

use marquee_algorithms::{Interaction, Interactions, interactions::Duplicates, metrics::RatingScale};
use marquee_artifacts::{Architecture, Artifact};
use marquee_models::{Capability, Model, ModelError, TitleRow, ViewerRow};
use rayon::ThreadPool;

use super::{
    EvaluateArgs, configure, cut, data_report, name, needs, print_quality, read_data, train::compare,
};
use crate::{
    artifact,
    config::{Config, Measure, Protocol},
    data::{self, DataError, DataSpec, Needs},
    error::TrainingError,
    fit::TrainingData,
    progress::Io,
    quality::{self, Comparison, Fault, Quality},
    report::{self, DataReport, Report},
    run,
    split::{DataSplit, Dataset},
    trainers::{Algorithm, TRAINERS},
    wording::counted,
};

/// Measures what `args` name and prints one table, the baseline below.
pub fn evaluate(args: &EvaluateArgs, io: &mut Io<'_>) -> Result<(), TrainingError> {
    let reports = match &args.artifact {
        Some(folder) => vec![of_artifact(io, args, folder)?],
        None => of_configs(io, args)?,
    };
    print_quality(io, &reports)?;
    if let Some(file) = &args.json {
        report::write_json(file, "report", &reports)?;
        writeln!(io.out, "report: {}", file.display())?;
    }
    Ok(())
}

fn of_configs(io: &mut Io<'_>, args: &EvaluateArgs) -> Result<Vec<Report>, TrainingError> {
    let mut first = configure(args.config.as_deref(), &args.data, &args.fit)?;
    if first.protocol == Protocol::None {
        first.protocol = if first.algorithm.is_explicit() {
            Protocol::RandomSplit { fraction: 0.1, seed: 42 }
        } else {
            Protocol::LeaveLastOut
        };
    }
    let mut configs = vec![(name(first.algorithm, args.config.as_deref()), first)];
    for file in &args.compare {
        let mut config = Config::read(file)?;
        let (_, first) = &configs[0];
        config.data = first.data.clone();
        config.protocol = first.protocol;
        config.measure = first.measure.clone();
        config.threads = first.threads;
        config.force = first.force;
        super::agree(&config)?;
        configs.push((name(config.algorithm, Some(file)), config));
    }
    let needed = configs.iter().map(|(_, config)| needs(config)).fold(Needs::default(), |all, one| Needs {
        rating: all.rating || one.rating,
        time: all.time || one.time,
        plays: all.plays || one.plays,
    });
    let (_, first) = &configs[0];
    let (data, read) = read_data(io, first, needed)?;
    let split = cut(&data, first)?;
    let pool = run::pool(first)?;
    report::print_data(io.out, &data_report(first, &data, &split))?;
    let mut reports = Vec::with_capacity(configs.len());
    for (name, config) in &configs {
        let mut report = of_config(io, config, &data, &split, &pool)?;
        report.name.clone_from(name);
        report.stages.insert(0, read.clone());
        reports.push(report);
    }
    Ok(reports)
}

fn of_config(
    io: &mut Io<'_>,
    config: &Config,
    data: &Dataset,
    split: &DataSplit,
    pool: &Arc<ThreadPool>,
) -> Result<Report, TrainingError> {
    let training = TrainingData { interactions: &split.training, scale: split.scale };
    let outcome = run::fit(io, config, training, pool, None)?;
    let (quality, time) = compare(io, config, &outcome.fitted, split, pool)?;
    Ok(Report {
        command: "evaluate",
        name: String::new(),
        code_version: env!("CARGO_PKG_VERSION"),
        algorithm: config.algorithm,
        hyperparameters: config.algorithm.0.resolve(&config.hyperparameters),
        seed: config.seed,
        threads: pool.current_num_threads(),
        data: data_report(config, data, split),
        protocol: config.protocol,
        measure: Some(config.measure.clone()),
        quality: Some(quality),
        artifact: None,
        stages: vec![outcome.time, time],
    })
}

/// Test rows as the artifact numbers them.
struct Test {
    rows: Vec<Interaction>,
    /// Rows of viewers or titles that the artifact does not have.
    unknown: usize,
    data: DataReport,
}

fn of_artifact(io: &mut Io<'_>, args: &EvaluateArgs, folder: &Path) -> Result<Report, TrainingError> {
    let opened = artifact::open_whole(folder, None)?;
    let algorithm = algorithm(&opened.manifest.architecture).ok_or_else(|| {
        TrainingError::Usage(format!(
            "{} is a catalogue: it ranks nothing; name a model's artifact",
            folder.display()
        ))
    })?;
    let model = artifact::load(&opened, folder)?;
    let mut spec = DataSpec::default();
    args.data.apply(&mut spec);
    let mut measure = Measure::default();
    if !args.fit.cutoffs.is_empty() {
        measure.cutoffs.clone_from(&args.fit.cutoffs);
    }
    let measure = super::checked(measure)?;
    let test = read_test(io, &spec, &opened, algorithm)?;
    if test.unknown > 0 {
        let rows = counted(test.unknown, "row");
        writeln!(io.out, "left out {rows} whose viewer or title the artifact does not have")?;
    }
    let mut config = Config::new(algorithm);
    config.threads = args.fit.threads.map_or(0, usize::from);
    let pool = run::pool(&config)?;
    let stage = io.stage("measure", 0)?;
    let compared = pool.install(|| compare_artifact(&*model, &opened, &test.rows, &measure));
    let quality = compared.map_err(|fault| match fault {
        Fault::Metric(source) => TrainingError::Measure { protocol: "the rows given".to_owned(), source },
        Fault::Model(source) => TrainingError::Model { what: folder.display().to_string(), source },
    })?;
    let time = stage.end(&counted(test.rows.len(), "row"))?;
    Ok(Report {
        command: "evaluate",
        name: folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned(),
        code_version: env!("CARGO_PKG_VERSION"),
        algorithm,
        hyperparameters: opened.manifest.hyperparameters.clone(),
        seed: opened.manifest.lineage.seed,
        threads: pool.current_num_threads(),
        data: test.data,
        protocol: Protocol::None,
        measure: Some(measure),
        quality: Some(quality),
        artifact: None,
        stages: vec![time],
    })
}

fn algorithm(architecture: &Architecture) -> Option<Algorithm> {
    TRAINERS.iter().copied().find(|found| found.0.architecture == architecture.name())
}

fn read_test(
    io: &mut Io<'_>,
    spec: &DataSpec,
    artifact: &Artifact,
    algorithm: Algorithm,
) -> Result<Test, TrainingError> {
    let needs = Needs { rating: algorithm.is_explicit(), time: false, plays: !algorithm.is_explicit() };
    let stage = io.stage("read", 0)?;
    let data = Dataset::from(data::read_any(spec, needs, &mut |_| ())?);
    stage.end(&counted(data.facts.rows_read, "row"))?;
    let rows: Vec<Interaction> = data
        .rows
        .iter()
        .filter_map(|found| {
            let viewer = artifact.viewers.as_ref()?.row(data.viewers.id(found.viewer))?.0;
            let title = artifact.titles.as_ref()?.row(data.titles.id(found.title))?.0;
            Some(Interaction { viewer, title, ..*found })
        })
        .collect();
    if rows.is_empty() {
        let text = "no row has a viewer and a title that the artifact knows: is this the data it belongs to?";
        return Err(TrainingError::Data(DataError::Split(text.to_owned())));
    }
    let report = DataReport {
        files: spec.files.clone(),
        facts: data.facts.clone(),
        positive_from: spec.positive_from,
        duplicates: spec.duplicates,
        viewers: data.viewers.len(),
        titles: data.titles.len(),
        training_rows: 0,
        held_out_rows: rows.len(),
    };
    Ok(Test { unknown: data.rows.len() - rows.len(), rows, data: report })
}

fn compare_artifact(
    model: &dyn Model,
    artifact: &Artifact,
    test: &[Interaction],
    measure: &Measure,
) -> Result<Comparison, Fault> {
    let watched = histories(model)?;
    if let Some(scale) = scale(artifact) {
        let mean =
            artifact.tensor_f32("global.mean", &[1]).map_or((scale.least + scale.most) / 2.0, |mean| mean[0]);
        let baseline = quality::constant(test, scale, mean, measure)?;
        let split = DataSplit { training: watched, held_out: test.to_vec(), scale };
        return Ok(Comparison {
            model: quality::ratings(model, &split, measure)?,
            baseline,
            baseline_name: "mean",
        });
    }
    let held = Interactions::from_rows(model.n_viewers(), model.n_titles(), test, Duplicates::KeepLast)?;
    let baseline: Quality = quality::popularity(&watched, &held, measure)?;
    Ok(Comparison {
        model: quality::ranking(model, &watched, &held, measure)?,
        baseline,
        baseline_name: "popularity",
    })
}

/// The scale of the ratings that an artifact of an explicit algorithm predicts.
fn scale(artifact: &Artifact) -> Option<RatingScale> {
    let number = |name: &str| artifact.manifest.hyperparameters.get(name).and_then(serde_json::Value::as_f64);
    #[expect(clippy::cast_possible_truncation, reason = "ratings are f32")]
    Some(RatingScale { least: number("ratingMin")? as f32, most: number("ratingMax")? as f32 })
}

fn histories(model: &dyn Model) -> Result<Interactions, Fault> {
    let history =
        model.history().ok_or_else(|| Fault::Model(ModelError::lacks(model, Capability::History)))?;
    let n_viewers = u32::try_from(model.n_viewers()).unwrap_or(u32::MAX);
    let (mut offsets, mut titles) = (vec![0], Vec::new());
    for viewer in 0..n_viewers {
        titles.extend_from_slice(TitleRow::numbers(history.watched(ViewerRow(viewer))));
        offsets.push(u32::try_from(titles.len()).unwrap_or(u32::MAX));
    }
    Ok(Interactions::from_csr(model.n_titles(), offsets, titles)?)
}
