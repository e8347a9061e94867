//! A file of rows, whatever its format: which columns are wanted, and who is handed the rows.

use std::path::Path;

use super::{
    delimiter::Delimiter,
    fault::{BadRow, DataError, Place},
};

/// One value of one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// No value (Parquet), or a column that the file does not have.
    Null,
    /// As it stands in the file; not checked to be UTF-8.
    Text(&'a [u8]),
    /// A whole number.
    Integer(i64),
    /// A whole number that may be above all of [`Self::Integer`].
    Unsigned(u64),
    /// A floating-point number.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// Seconds since 1970.
    Time(f64),
    /// Texts, only where [`ValueKind::List`] is wanted.
    List(&'a [String]),
}

/// What a column is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Text or a whole number, exact.
    Id,
    /// A number.
    Number,
    /// A number, a timestamp or a date.
    Time,
    /// Anything that people can read.
    Text,
    /// Texts, as a list or as one text with a separator.
    List,
}

impl ValueKind {
    /// What is expected, for messages.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Id => "text or a whole number",
            Self::Number => "a number",
            Self::Time => "a number, a timestamp, a date or text",
            Self::Text => "text or a number",
            Self::List => "text with a separator",
        }
    }
}

/// A column that is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What it holds, for messages.
    pub role: &'static str,
    /// What it is read as.
    pub kind: ValueKind,
    /// The flag that names it, for messages.
    pub flag: &'static str,
    /// Names that will do, the first that is there wins.
    pub names: Vec<String>,
    /// Whether a file without it is refused.
    pub required: bool,
}

/// A column of a file that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundColumn {
    /// Its name in the file.
    pub name: String,
    /// Its type in the file.
    pub type_name: String,
}

/// What a file has for each wanted column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundColumns {
    /// In the order of what is wanted; `None` where an optional one is absent or cannot be read.
    pub picked: Vec<Option<FoundColumn>>,
    /// Columns that nothing needs, or that are passed over although they have a fitting name: with the reason.
    pub unread: Vec<String>,
}

/// Who is handed the rows of a file. The first error stops the reading.
pub trait RowHandler {
    /// A row: one cell for each wanted column, in that order.
    fn row(&mut self, place: &Place, cells: &[Cell<'_>]) -> Result<(), DataError>;

    /// A row that the format itself makes unusable (too few fields, a broken line).
    fn bad(&mut self, row: BadRow) -> Result<(), DataError>;

    /// The columns of the file.
    fn columns(&mut self, _found: &FoundColumns) {}

    /// Bytes of the file consumed so far, for progress.
    fn consumed(&mut self, _bytes: u64) {}
}

/// How files are laid out where their name does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Between fields; told by the header and the extension when `None`.
    pub delimiter: Option<Delimiter>,
    /// Whether the first line names the columns; else they are called `1`, `2`, ...
    pub header: bool,
    /// Of the text; UTF-8, or what a byte order mark says, when `None`.
    pub encoding: Option<Encoding>,
    /// What a double quote means; told by the delimiter and the first lines when `None`.
    pub quotes: Option<Quotes>,
    /// Whether a quoted field may hold lines that look like rows.
    pub multi_line: bool,
    /// What stands before the fraction of a number; a point, and beside semicolons a comma too, when `None`.
    pub decimal: Option<Decimal>,
    /// What the flags of the layout begin with, for messages.
    pub prefix: &'static str,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            delimiter: None,
            header: true,
            encoding: None,
            quotes: None,
            multi_line: false,
            decimal: None,
            prefix: "--",
        }
    }
}

/// What bytes of text mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8.
    #[value(name = "utf-8", alias = "utf8")]
    #[serde(rename = "utf-8")]
    Utf8,
    /// ISO 8859-1, with the letters that Windows adds.
    #[value(name = "latin1")]
    Latin1,
    /// UTF-16: of a file without byte order mark, the less significant byte first.
    #[value(name = "utf-16", alias = "utf16")]
    #[serde(rename = "utf-16")]
    Utf16,
}

/// What a double quote means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quotes {
    /// A character like any other.
    Plain,
    /// It begins and ends a field, and two within are one.
    Doubled,
    /// It begins and ends a field, and one within has a backslash before it.
    Backslash,
}

/// What stands before the fraction of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decimal {
    /// `3.5`.
    Point,
    /// `3,5`.
    Comma,
}

/// The extension of `file`, that of a compression left out: `csv` of `ratings.csv.gz`.
pub(crate) fn extension(file: &Path) -> String {
    let of = |file: &Path| file.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    match of(file).as_str() {
        "gz" | "zst" | "zstd" => of(Path::new(file.file_stem().unwrap_or_default())),
        own => own.to_owned(),
    }
}

/// For each wanted column, its index in `header`. A typed header (`user_id:token`) answers to its bare name too.
pub(crate) fn pick(
    file: &Path,
    header: &[String],
    wanted: &[Wanted],
) -> Result<Vec<Option<usize>>, DataError> {
    let find = |name: &String| {
        let bare = |column: &String| column.rsplit_once(':').is_some_and(|(bare, _)| bare == name);
        header.iter().position(|column| column == name).or_else(|| header.iter().position(bare))
    };
    let twice = |name: &str| header.iter().filter(|column| *column == name).count() > 1;
    wanted
        .iter()
        .map(|column| match column.names.iter().find_map(find) {
            Some(index) if twice(&header[index]) => Err(DataError::Format {
                file: file.to_owned(),
                problem: format!(
                    "column `{}` stands there twice: rename one, or name another with {}",
                    header[index], column.flag
                ),
            }),
            None if column.required => Err(DataError::MissingColumn {
                file: file.to_owned(),
                role: column.role,
                wanted: column.names.clone(),
                found: header.to_vec(),
                flag: column.flag,
            }),
            found => Ok(found),
        })
        .collect()
}
