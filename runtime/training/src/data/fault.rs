//! What can be wrong with the data, and where.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::nearest::{hint, listed};

/// Where a row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as it was given.
    pub file: Arc<Path>,
    /// `line` (delimited text) or `row` (Parquet).
    pub unit: &'static str,
    /// From 1.
    pub number: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.file.display(), self.unit, self.number)
    }
}

/// A row that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Where it stands.
    pub place: Place,
    /// The column, where one is to blame.
    pub column: Option<String>,
    /// What should be there.
    pub expected: String,
    /// What is there, quoted and shortened.
    pub found: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        write!(f, ": expected {}, found {}", self.expected, self.found)
    }
}

/// Why data cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Nothing was given to read.
    #[error("no data files given: name them with --data FILE or in the config under data.files")]
    NoFiles,
    /// The file cannot be opened or read.
    #[error("{} cannot be read", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not Parquet, or a broken one.
    #[error("{} is not a readable Parquet file", file.display())]
    Parquet {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: parquet::errors::ParquetError,
    },
    /// A quote that would swallow rows.
    #[error("{place} {problem}: {mend}")]
    Quote {
        /// Where it opens.
        place: Place,
        /// What is wrong with it.
        problem: String,
        /// The mend.
        mend: String,
    },
    /// A folder without data.
    #[error("{} holds no data file: names that begin with . or _ are passed over", folder.display())]
    EmptyFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The file's type or shape is not one that is read.
    #[error("{}: {problem}", file.display())]
    Format {
        /// The file.
        file: PathBuf,
        /// What is wrong and how to mend it.
        problem: String,
    },
    /// A column that is needed is not there.
    #[error("{}: no column {} for the {role}; the columns are {}{}: name it with {flag}",
        file.display(), listed_or(wanted), listed(found.iter().map(String::as_str)), column_hint(wanted, found))]
    MissingColumn {
        /// The file.
        file: PathBuf,
        /// What the column holds: `viewer`, `title`, `rating`, `time`...
        role: &'static str,
        /// The names that would do.
        wanted: Vec<String>,
        /// The names that are there.
        found: Vec<String>,
        /// The flag that names it.
        flag: &'static str,
    },
    /// No bytes at all.
    #[error("{} is empty: expected a header and at least one row", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// A header and nothing below it.
    #[error("{} has a header and no rows", file.display())]
    NoRows {
        /// The file.
        file: PathBuf,
    },
    /// Every row was passed over.
    #[error("no usable row among {rows}: each was a bad row")]
    AllBad {
        /// Rows read.
        rows: u64,
    },
    /// Every row was rated too low.
    #[error(
        "each of the {rows} rows is rated too low for a play: give --positive-from with the least rating of a play, or name \
         another column with --rating-column"
    )]
    NoPlays {
        /// Number of rows, all of them rated too low.
        rows: u64,
    },
    /// A row that cannot be used, and none may be passed over.
    #[error("{0}; mend it, or pass over up to N such rows with --skip-bad-rows N")]
    BadRow(Box<BadRow>),
    /// More bad rows than may be passed over.
    #[error("{row}; that is bad row {}, and --skip-bad-rows passes over {allowed}", allowed + 1)]
    TooManyBadRows {
        /// The one that was too many.
        row: Box<BadRow>,
        /// How many were allowed.
        allowed: u64,
    },
    /// Numbers of several sizes that cannot all be times.
    #[error(
        "column `{column}` would be read as {found}, and some of these times are after 2100: if the numbers count something \
         else, divide them so that all are below 100000000000; if they are times, write them in one unit"
    )]
    TimeUnits {
        /// The column of the times.
        column: String,
        /// The units, with the number of rows of each.
        found: String,
    },
    /// One title twice for one viewer, under the policy `error`.
    #[error(
        "viewer `{viewer}` has title `{title}` twice, in rows {first} and {second} of the data: remove one, or set \
             duplicates to last or first"
    )]
    Duplicate {
        /// The viewer's id.
        viewer: String,
        /// The title's id.
        title: String,
        /// Row of the earlier one, from 1 over all files, headers not counted.
        first: u64,
        /// Row of the later one.
        second: u64,
    },
    /// Too few viewers or titles to learn from.
    #[error(
        "the data has only one {what}, `{id}`: at least two are needed to learn what is alike{}",
        one_hint(what)
    )]
    OnlyOne {
        /// `viewer` or `title`.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// More rows than row numbers.
    #[error("the data has more than {limit} rows: train on a sample")]
    TooMany {
        /// The most that can be read.
        limit: u64,
    },
    /// A split left nothing on one side.
    #[error("{0}")]
    Split(String),
}

fn listed_or(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(" or ")
}

fn column_hint(wanted: &[String], found: &[String]) -> String {
    wanted
        .iter()
        .map(|name| hint(name, found.iter().map(String::as_str)))
        .find(|h| !h.is_empty())
        .unwrap_or_default()
}

fn one_hint(what: &str) -> String {
    format!(" (is --{what}-column the right column?)")
}

/// What was found, for a message: quoted, control characters escaped, shortened.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    const SHOWN: usize = 40;
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    let text = String::from_utf8_lossy(bytes);
    let shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    let more = if text.chars().nth(SHOWN).is_some() { "…" } else { "" };
    format!("`{shown}{more}`")
}
