//! What a command found, as JSON for machines and as tables for people.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    config::{Measure, Protocol},
    data::Facts,
    error::TrainingError,
    progress::StageTime,
    quality::{Comparison, Quality},
    trainers::Algorithm,
    wording::counted,
};

/// Everything about one trained or evaluated model.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `train` or `evaluate`.
    pub command: &'static str,
    /// What the model is called in tables: the config, the artifact or the algorithm.
    pub name: String,
    /// Version of this program.
    pub code_version: &'static str,
    /// What was fitted.
    pub algorithm: Algorithm,
    /// Every hyperparameter.
    pub hyperparameters: Map<String, Value>,
    /// Of every random choice.
    pub seed: u64,
    /// Threads that computed.
    pub threads: usize,
    /// What was read.
    pub data: DataReport,
    /// What was held out.
    pub protocol: Protocol,
    /// What was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// Figures; absent where nothing was held out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Comparison>,
    /// What was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<ArtifactReport>,
    /// Wall time of each stage.
    pub stages: Vec<StageTime>,
}

/// What was read.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataReport {
    /// As they were given.
    pub files: Vec<PathBuf>,
    /// How the reading went.
    #[serde(flatten)]
    pub facts: Facts,
    /// Least rating of a play, where one was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive_from: Option<f32>,
    /// What became of titles that a viewer had twice.
    pub duplicates: crate::data::Duplicates,
    /// Viewers in all rows.
    pub viewers: usize,
    /// Titles in all rows.
    pub titles: usize,
    /// Rows that were learnt from when the figures were taken.
    pub training_rows: usize,
    /// Rows that were held out.
    pub held_out_rows: usize,
}

/// What was written.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactReport {
    /// Where it lies.
    pub folder: PathBuf,
    /// SHA-256 of `marquee.json`: what a manifest pins.
    pub sha256: String,
    /// `all data`, or `training part`: then the figures are those of this very model.
    pub fitted_on: &'static str,
}

impl Quality {
    /// Every figure by name, for the lineage.
    pub fn figures(&self) -> BTreeMap<String, f64> {
        self.names().into_iter().filter_map(|name| Some((name.clone(), self.figure(&name)?.value))).collect()
    }
}

/// Writes a value as indented JSON, whole or not at all.
pub fn write_json(path: &Path, what: &'static str, value: &impl Serialize) -> Result<(), TrainingError> {
    let fault = |source| TrainingError::Output { what, path: path.to_owned(), source };
    let text = serde_json::to_vec_pretty(value).map_err(|error| fault(error.into()))?;
    write_whole(path, &text).map_err(fault)
}

/// Writes a file beside its place and moves it there.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let beside = path.with_file_name(name);
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if written.is_err() {
        // What is left of it is of no use; that it cannot be removed adds nothing to the error.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// The report of an artifact lies beside it: the artifact's digest covers only what is served.
pub fn place(artifact: &Path) -> PathBuf {
    let mut name = artifact.file_name().unwrap_or_default().to_owned();
    name.push(".report.json");
    artifact.with_file_name(name)
}

/// Prints what was read.
pub fn print_data(out: &mut dyn Write, data: &DataReport) -> io::Result<()> {
    let facts = &data.facts;
    writeln!(
        out,
        "data: {} of {} and {}, digest {}",
        counted(facts.rows_read - facts.bad_rows - facts.not_plays - facts.duplicates_dropped, "row"),
        counted(data.viewers, "viewer"),
        counted(data.titles, "title"),
        facts.digest.get(..12).unwrap_or_default()
    )?;
    if facts.bad_rows > 0 {
        writeln!(
            out,
            "passed over {}, the first: {}",
            counted(facts.bad_rows, "bad row"),
            facts.bad_row_examples.join("; ")
        )?;
    }
    if facts.empty_files > 0 {
        writeln!(out, "passed over {} without rows", counted(facts.empty_files, "part"))?;
    }
    print_not_plays(out, facts, data.positive_from)?;
    for column in facts.unread_columns.iter().filter(|column| column.contains(": ")) {
        writeln!(out, "did not read column {column}")?;
    }
    if facts.duplicates_dropped > 0 {
        let policy = clap::ValueEnum::to_possible_value(&data.duplicates);
        let policy = policy.as_ref().map_or("last", |policy| policy.get_name());
        writeln!(
            out,
            "dropped {}, keeping the {policy} of each",
            counted(facts.duplicates_dropped, "duplicate row")
        )?;
    }
    Ok(())
}

/// Says how many rows are no plays, and what decides it.
pub fn print_not_plays(out: &mut dyn Write, facts: &Facts, positive_from: Option<f32>) -> io::Result<()> {
    let rule = match positive_from {
        _ if facts.not_plays == 0 => return Ok(()),
        Some(least) => format!("rated below {least}"),
        None => "rated 0 or less".to_owned(),
    };
    writeln!(
        out,
        "left out {} {rule}, not counted as plays (--positive-from sets the limit)",
        counted(facts.not_plays, "row")
    )
}

/// Prints the figures of several models, one a line, each with the interval in which 95 % of resamples lie.
pub fn print_quality(out: &mut dyn Write, models: &[(&str, &Quality)]) -> io::Result<()> {
    let Some((_, first)) = models.first() else { return Ok(()) };
    let names = first.names();
    let mut rows = vec![std::iter::once("model".to_owned()).chain(names.iter().cloned()).collect::<Vec<_>>()];
    for (model, quality) in models {
        let cell = |name: &String| match quality.figure(name) {
            Some(figure) if figure.low < figure.high => {
                format!("{} [{}, {}]", short(figure.value), short(figure.low), short(figure.high))
            }
            Some(figure) => short(figure.value),
            None => "-".to_owned(),
        };
        rows.push(std::iter::once((*model).to_owned()).chain(names.iter().map(cell)).collect());
    }
    print_table(out, &rows)
}

/// A figure to four digits, without the leading zero that every share has.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.strip_prefix('0').map_or(text.clone(), str::to_owned)
}

/// Prints rows in columns; the first row is the heading.
pub fn print_table(out: &mut dyn Write, rows: &[Vec<String>]) -> io::Result<()> {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..n_columns).map(|column| width(column).unwrap_or(0)).collect();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Prints where the time went.
pub fn print_stages(out: &mut dyn Write, stages: &[StageTime]) -> io::Result<()> {
    let each: Vec<String> =
        stages.iter().map(|stage| format!("{} {:.2} s", stage.name, stage.seconds)).collect();
    writeln!(out, "time: {}", each.join(", "))
}
