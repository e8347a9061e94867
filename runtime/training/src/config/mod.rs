//! The training config: a YAML file, and flags that override it.

pub mod protocol;
pub mod search;
pub mod tree;

mod write;

use std::path::{Path, PathBuf};

pub use protocol::{Measure, Protocol};
pub use search::{Range, Search, SearchKind};
pub use tree::ConfigError;

use marquee_algorithms::Hyperparameters;

use crate::{
    data::{Columns, DataSpec, Layout},
    hyperparameters,
    trainers::Algorithm,
};
use tree::Section;

/// Everything that decides what a training run does.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What is trained.
    pub algorithm: Algorithm,
    /// Those that differ from their defaults.
    pub hyperparameters: Hyperparameters,
    /// What is read.
    pub data: DataSpec,
    /// Of every random choice of the fit.
    pub seed: u64,
    /// How many threads compute; 0 is one a core.
    pub threads: usize,
    /// What is held out.
    pub protocol: Protocol,
    /// What is measured.
    pub measure: Measure,
    /// What the artifact is fitted on where a protocol holds data out.
    pub final_fit: FinalFit,
    /// What `--search` tries.
    pub search: Option<Search>,
    /// When state is saved.
    pub checkpoint: Cadence,
    /// Whether a fit is begun that seems to need more memory than there is. A matter of the machine: no field of the file.
    pub force: bool,
    /// Where the artifact goes.
    pub output: Option<PathBuf>,
}

/// What the artifact is fitted on where a protocol holds data out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FinalFit {
    /// The part that is not held out: the figures are those of the artifact itself.
    #[default]
    TrainingPart,
    /// All data, by a second fit: the figures are those of its twin.
    All,
}

/// When the state of a fit is saved, where there is a folder for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// After so many iterations; 0 never.
    pub every_iterations: u32,
    /// After so many seconds, at the end of the iteration; 0 never.
    pub every_seconds: u64,
}

impl Default for Cadence {
    fn default() -> Self {
        Self { every_iterations: 0, every_seconds: 60 }
    }
}

const FIELDS: &[&str] = &[
    "algorithm",
    "hyperparameters",
    "data",
    "seed",
    "threads",
    "protocol",
    "finalFit",
    "search",
    "checkpoint",
    "output",
];

impl Config {
    /// Whether the artifact is fitted anew on all data.
    pub fn refits(&self) -> bool {
        self.protocol != Protocol::None && self.final_fit == FinalFit::All
    }

    /// What the artifact is fitted on, in words.
    pub fn fitted_on(&self) -> &'static str {
        if self.protocol == Protocol::None || self.refits() { "all data" } else { "training part" }
    }

    /// A config without a file.
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            hyperparameters: Hyperparameters::new(),
            data: DataSpec::default(),
            seed: 42,
            threads: 0,
            protocol: Protocol::None,
            measure: Measure::default(),
            final_fit: FinalFit::default(),
            search: None,
            checkpoint: Cadence::default(),
            force: false,
            output: None,
        }
    }

    /// Reads a config file. Paths in it are relative to its folder.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|source| ConfigError {
            file: name.clone(),
            line: None,
            problem: format!("cannot be read: {source}"),
        })?;
        Self::parse(&name, &text, file.parent().unwrap_or(Path::new("")))
    }

    /// Parses a config; `file` is its name for messages, `folder` what paths in it are relative to.
    pub fn parse(file: &str, text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let node = tree::parse(file, text)?;
        let root = Section::root(file, &node);
        root.only(FIELDS)?;
        let algorithm = root.word("algorithm")?.ok_or_else(|| root.wrong("algorithm", "is missing"))?;
        let mut config = Self::new(algorithm);
        if let Some(section) = root.section("hyperparameters")? {
            for name in section.names() {
                let text = section.text(name)?.unwrap_or_default();
                let value = hyperparameters::value(algorithm, name, text)
                    .map_err(|problem| section.wrong(name, problem))?;
                config.hyperparameters.insert(name.to_owned(), value);
            }
        }
        if let Some(section) = root.section("data")? {
            config.data = data(&section, folder)?;
        }
        if let Some(section) = root.section("protocol")? {
            (config.protocol, config.measure) = protocol::read(&section)?;
        }
        if let Some(section) = root.section("search")? {
            config.search = Some(search::read(&section, algorithm)?);
        }
        if let Some(section) = root.section("checkpoint")? {
            config.checkpoint = cadence(&section)?;
        }
        config.seed = root.count("seed")?.unwrap_or(config.seed);
        config.threads = root.parsed("threads", "a whole number from 0 to 1024", threads)?.unwrap_or(0);
        config.final_fit = root.word("finalFit")?.unwrap_or_default();
        config.output = root.text("output")?.map(|path| folder.join(path));
        Ok(config)
    }

    /// Sets one hyperparameter from `name=value`.
    pub fn set(&mut self, assignment: &str) -> Result<(), String> {
        let Some((name, text)) = assignment.split_once('=') else {
            return Err(format!("`{assignment}` must be NAME=VALUE, such as regularization=0.1"));
        };
        let value = hyperparameters::value(self.algorithm, name, text)
            .map_err(|problem| format!("`{name}` {problem}"))?;
        self.hyperparameters.insert(name.to_owned(), value);
        Ok(())
    }
}

/// A number of threads.
pub(crate) fn threads(text: &str) -> Option<usize> {
    text.parse().ok().filter(|n| *n <= 1024)
}

const DATA_FIELDS: &[&str] = &[
    "files",
    "columns",
    "delimiter",
    "header",
    "encoding",
    "quotes",
    "multiLine",
    "decimal",
    "positiveFrom",
    "duplicates",
    "skipBadRows",
];

fn data(section: &Section<'_>, folder: &Path) -> Result<DataSpec, ConfigError> {
    section.only(DATA_FIELDS)?;
    let mut spec = DataSpec::default();
    if let Some(files) = section.list("files")? {
        spec.files = files.into_iter().map(|file| folder.join(file)).collect();
    }
    if let Some(columns) = section.section("columns")? {
        columns.only(&["viewer", "title", "rating", "time"])?;
        let name = |role| Ok::<_, ConfigError>(columns.text(role)?.map(str::to_owned));
        spec.columns = Columns {
            viewer: name("viewer")?,
            title: name("title")?,
            rating: name("rating")?,
            time: name("time")?,
        };
    }
    if let Some(text) = section.text("delimiter")? {
        spec.layout.delimiter = Some(text.parse().map_err(|problem| section.wrong("delimiter", problem))?);
    }
    spec.layout.header = section.flag("header")?.unwrap_or(Layout::default().header);
    spec.layout.encoding = section.word("encoding")?;
    spec.layout.quotes = section.word("quotes")?;
    spec.layout.multi_line = section.flag("multiLine")?.unwrap_or(false);
    spec.layout.decimal = section.word("decimal")?;
    #[expect(clippy::cast_possible_truncation, reason = "ratings are kept in f32")]
    let positive_from = section.number("positiveFrom")?.map(|least| least as f32);
    spec.positive_from = positive_from;
    spec.duplicates = section.word("duplicates")?.unwrap_or_default();
    spec.skip_bad_rows = section.count("skipBadRows")?.unwrap_or(0);
    Ok(spec)
}

fn cadence(section: &Section<'_>) -> Result<Cadence, ConfigError> {
    section.only(&["everyIterations", "everySeconds"])?;
    let iterations = section.parsed("everyIterations", "a whole number", |text| text.parse().ok())?;
    Ok(Cadence {
        every_iterations: iterations.unwrap_or(0),
        every_seconds: section.count("everySeconds")?.unwrap_or(60),
    })
}

#[cfg(test)]
mod tests;
