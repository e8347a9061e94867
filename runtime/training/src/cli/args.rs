//! Flags of the three commands.

use std::path::PathBuf;

use clap::Args;

use crate::{
    config::{FinalFit, Protocol},
    data::{Columns, DataSpec, Decimal, Delimiter, Duplicates, Encoding, Quotes},
    trainers::Algorithm,
};

/// What is read; overrides the config.
#[derive(Args, Clone, Debug, Default)]
pub struct DataArgs {
    /// Delimited text, JSON lines or Parquet with one row for each viewer and title, plain or packed with gzip or zstd; or a
    /// folder of such parts. May be given several times
    #[arg(long = "data", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Column of the viewer ids [default: viewer, viewer_id, user_id, userId or user, whichever is there]
    #[arg(long, value_name = "NAME")]
    pub viewer_column: Option<String>,
    /// Column of the title ids [default: title, title_id, item_id, movieId or item, whichever is there]
    #[arg(long, value_name = "NAME")]
    pub title_column: Option<String>,
    /// Column of the ratings [default: rating, where it is there]
    #[arg(long, value_name = "NAME")]
    pub rating_column: Option<String>,
    /// Column of the times, as numbers, ISO 8601 or a timestamp of Parquet [default: time or timestamp, where it is there]
    #[arg(long, value_name = "NAME")]
    pub time_column: Option<String>,
    /// Between fields: one or several characters such as `::`, or tab, comma, semicolon, pipe, space [default: by header and
    /// extension]
    #[arg(long, value_name = "TEXT")]
    pub delimiter: Option<Delimiter>,
    /// The first line is data; columns are called 1, 2, …
    #[arg(long)]
    pub no_header: bool,
    /// What bytes of text mean [default: utf-8, or what a byte order mark says]
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<Encoding>,
    /// What a double quote means: a character like any other, or the begin and end of a field in which another is doubled or
    /// has a backslash before it [default: plain with tab, pipe and long delimiters, else as the first lines show]
    #[arg(long, value_name = "RULE")]
    pub quotes: Option<Quotes>,
    /// Quoted fields may hold lines that look like rows
    #[arg(long)]
    pub multi_line: bool,
    /// What stands before the fraction of a number [default: point, beside semicolons a comma too]
    #[arg(long, value_name = "MARK")]
    pub decimal: Option<Decimal>,
    /// Least rating of a play: what learns from plays leaves lower rows out [default: anything above 0]
    #[arg(long, value_name = "RATING", allow_negative_numbers = true)]
    pub positive_from: Option<f32>,
    /// What becomes of a title that a viewer has in several rows: the last or first by time stays, or it is an error
    #[arg(long, value_name = "POLICY")]
    pub duplicates: Option<Duplicates>,
    /// Pass over up to N rows that cannot be used, and count them
    #[arg(long, value_name = "N")]
    pub skip_bad_rows: Option<u64>,
}

impl DataArgs {
    /// Puts what was given in the place of what `spec` says.
    pub fn apply(&self, spec: &mut DataSpec) {
        if !self.files.is_empty() {
            spec.files.clone_from(&self.files);
        }
        let Columns { viewer, title, rating, time } = &mut spec.columns;
        for (given, column) in [
            (&self.viewer_column, viewer),
            (&self.title_column, title),
            (&self.rating_column, rating),
            (&self.time_column, time),
        ] {
            if given.is_some() {
                column.clone_from(given);
            }
        }
        spec.layout.delimiter = self.delimiter.or(spec.layout.delimiter);
        spec.layout.header &= !self.no_header;
        spec.layout.encoding = self.encoding.or(spec.layout.encoding);
        spec.layout.quotes = self.quotes.or(spec.layout.quotes);
        spec.layout.multi_line |= self.multi_line;
        spec.layout.decimal = self.decimal.or(spec.layout.decimal);
        spec.positive_from = self.positive_from.or(spec.positive_from);
        spec.duplicates = self.duplicates.unwrap_or(spec.duplicates);
        spec.skip_bad_rows = self.skip_bad_rows.unwrap_or(spec.skip_bad_rows);
    }
}

/// What is fitted; overrides the config.
#[derive(Args, Clone, Debug, Default)]
pub struct FitArgs {
    /// What to fit; needed where there is no --config
    #[arg(long, value_name = "NAME")]
    pub algorithm: Option<Algorithm>,
    /// Sets a hyperparameter. May be given several times
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Every random choice of the fit follows from it [default: 42]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Threads that compute; 0 is one a core [default: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1024))]
    pub threads: Option<u16>,
    /// Begin a fit that seems to need more memory than the process may use
    #[arg(long)]
    pub force: bool,
    /// What is held out and measured: leave-last-out, random-split:FRACTION:SEED, fold:K/N or none
    #[arg(long, value_name = "PROTOCOL")]
    pub protocol: Option<Protocol>,
    /// Length of the list at which ranking is measured. May be given several times [default: 10]
    #[arg(long = "cutoff", value_name = "K")]
    pub cutoffs: Vec<usize>,
}

/// Fit a model and write it as an artifact.
#[derive(Args, Clone, Debug, Default)]
pub struct TrainArgs {
    /// YAML file that says what is trained; flags override it, paths in it are relative to its folder
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What is read.
    #[command(flatten, next_help_heading = "Data")]
    pub data: DataArgs,
    /// What is fitted.
    #[command(flatten, next_help_heading = "Fit")]
    pub fit: FitArgs,
    /// Folder of the artifact. An older artifact there is replaced at the very end; the report goes to FOLDER.report.json
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Where a protocol holds data out: what the artifact is fitted on [default: training-part]
    #[arg(long, value_name = "PART", help_heading = "Output")]
    pub final_fit: Option<FinalFit>,
    /// Read config and data, say what would be done, and write nothing
    #[arg(long, help_heading = "Output")]
    pub dry_run: bool,
    /// Save the state of the fit in this folder, and go on from it when it is there
    #[arg(long, value_name = "FOLDER", help_heading = "Checkpoint")]
    pub checkpoint: Option<PathBuf>,
    /// Save after every N iterations [default: 0, never]
    #[arg(long, value_name = "N", help_heading = "Checkpoint")]
    pub checkpoint_every_iterations: Option<u32>,
    /// Save after every N seconds, at the end of the iteration; 0 never [default: 60]
    #[arg(long, value_name = "N", help_heading = "Checkpoint")]
    pub checkpoint_every_seconds: Option<u64>,
    /// Try the hyperparameters of the config's `search` section on a validation part of the training data, and print them;
    /// no artifact is written
    #[arg(long, help_heading = "Search")]
    pub search: bool,
    /// Write the config with the best hyperparameters here
    #[arg(long, value_name = "FILE", requires = "search", help_heading = "Search")]
    pub search_output: Option<PathBuf>,
}

/// Measure models by a protocol, beside a baseline.
#[derive(Args, Clone, Debug, Default)]
pub struct EvaluateArgs {
    /// YAML file that says what is fitted on the training part and measured on the held-out part
    #[arg(long, value_name = "FILE", conflicts_with = "artifact")]
    pub config: Option<PathBuf>,
    /// More configs, measured by the same protocol on the same data as the first. May be given several times
    #[arg(long, value_name = "FILE", conflicts_with = "artifact")]
    pub compare: Vec<PathBuf>,
    /// Folder of an artifact to measure on the rows of --data, none of which it should have learnt from
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["algorithm", "set", "seed", "protocol"])]
    pub artifact: Option<PathBuf>,
    /// What is read.
    #[command(flatten, next_help_heading = "Data")]
    pub data: DataArgs,
    /// What is fitted.
    #[command(flatten, next_help_heading = "Fit")]
    pub fit: FitArgs,
    /// Write the reports here, as a JSON list
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Write title metadata as a catalogue artifact.
#[derive(Args, Clone, Debug, Default)]
pub struct CatalogueArgs {
    /// Delimited text, JSON lines or Parquet with one row a title, plain or packed with gzip or zstd; or a folder of such
    /// parts. May be given several times
    #[arg(long, value_name = "FILE", required = true)]
    pub metadata: Vec<PathBuf>,
    /// Column of the title ids [default: id, title_id, item_id or movieId, whichever is there]
    #[arg(long, value_name = "NAME")]
    pub id_column: Option<String>,
    /// Column of the names [default: name, title or movie_title, whichever is there]
    #[arg(long, value_name = "NAME")]
    pub name_column: Option<String>,
    /// Column of the years [default: year or release_year, where it is there]
    #[arg(long, value_name = "NAME")]
    pub year_column: Option<String>,
    /// Column of the genres [default: genres, genre or class, where it is there]
    #[arg(long, value_name = "NAME")]
    pub genres_column: Option<String>,
    /// Between two genres: one or several characters, or comma, semicolon, pipe, space
    #[arg(long, value_name = "CHAR", default_value = "pipe")]
    pub genre_separator: Option<Delimiter>,
    /// Move an article at the end of a name to its beginning, as people write it: `Birdcage, The` becomes `The Birdcage`
    #[arg(long)]
    pub article_first: bool,
    /// Between fields of the metadata: one or several characters such as `::`, or tab, comma, semicolon, pipe, space
    /// [default: by header and extension]
    #[arg(long, value_name = "TEXT")]
    pub metadata_delimiter: Option<Delimiter>,
    /// The first line of the metadata is data; columns are called 1, 2, …
    #[arg(long)]
    pub metadata_no_header: bool,
    /// What bytes of the metadata mean [default: utf-8, or what a byte order mark says]
    #[arg(long, value_name = "NAME")]
    pub metadata_encoding: Option<Encoding>,
    /// What a double quote of the metadata means, as --quotes
    #[arg(long, value_name = "RULE")]
    pub metadata_quotes: Option<Quotes>,
    /// Quoted fields of the metadata may hold lines that look like rows
    #[arg(long)]
    pub metadata_multi_line: bool,
    /// Who watched what: how often each title was watched is counted from it.
    #[command(flatten, next_help_heading = "Plays")]
    pub data: DataArgs,
    /// Folder of the artifact; an older one there is replaced at the very end
    #[arg(long, value_name = "FOLDER", help_heading = "Output", required = true)]
    pub output: Option<PathBuf>,
    /// Read everything, say what would be written, and write nothing
    #[arg(long, help_heading = "Output")]
    pub dry_run: bool,
}
