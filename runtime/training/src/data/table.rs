//! A file of rows, whatever its format: which columns are wanted, and who is handed the rows.

use std::{path::Path, str::FromStr};

use super::fault::{BadRow, DataError, Place};

/// One value of one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// No value (Parquet), or a column that the file does not have.
    Null,
    /// As it stands in the file; not checked to be UTF-8.
    Text(&'a [u8]),
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Float(f64),
}

/// A column that is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What it holds, for messages.
    pub role: &'static str,
    /// The flag that names it, for messages.
    pub flag: &'static str,
    /// Names that will do, the first that is there wins.
    pub names: Vec<String>,
    /// Whether a file without it is refused.
    pub required: bool,
}

/// Who is handed the rows of a file. The first error stops the reading.
pub trait RowHandler {
    /// A row: one cell for each wanted column, in that order.
    fn row(&mut self, place: &Place, cells: &[Cell<'_>]) -> Result<(), DataError>;

    /// A row that the format itself makes unusable (too few fields, a broken line).
    fn bad(&mut self, row: BadRow) -> Result<(), DataError>;

    /// The columns that were picked, by their name in the file; `None` where an optional one is absent.
    fn columns(&mut self, _names: &[Option<String>]) {}

    /// Bytes of the file consumed so far, for progress.
    fn consumed(&mut self, _bytes: u64) {}
}

/// How a file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Lines of fields.
    Delimited,
    /// Apache Parquet.
    Parquet,
}

/// What stands between two fields of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiter(pub u8);

impl FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "tab" | "\t" | "\\t" => Ok(Self(b'\t')),
            "comma" => Ok(Self(b',')),
            "semicolon" => Ok(Self(b';')),
            "pipe" => Ok(Self(b'|')),
            "space" => Ok(Self(b' ')),
            one if one.len() == 1
                && !one
                    .bytes()
                    .any(|b| b == b'"' || b == b'\n' || b == b'\r' || b.is_ascii_alphanumeric()) =>
            {
                Ok(Self(one.as_bytes()[0]))
            }
            other => Err(format!(
                "`{}` is not a delimiter: expected one character that is no letter, digit or quote, or tab, comma, semicolon, pipe, space",
                other.escape_debug()
            )),
        }
    }
}

impl Delimiter {
    /// As it is written in a config file.
    pub fn name(self) -> String {
        match self.0 {
            b'\t' => "tab".to_owned(),
            b',' => "comma".to_owned(),
            b';' => "semicolon".to_owned(),
            b'|' => "pipe".to_owned(),
            b' ' => "space".to_owned(),
            other => char::from(other).to_string(),
        }
    }

    /// Whether a double quote opens a field in which the delimiter is text. Tab- and pipe-separated files do not quote by
    /// custom, and titles such as `"Heathers" at 30` would be torn.
    pub fn quotes(self) -> bool {
        !matches!(self.0, b'\t' | b'|')
    }
}

/// How files are laid out where their name does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Between fields; guessed from the extension when `None`.
    pub delimiter: Option<Delimiter>,
    /// Whether the first line names the columns; else they are called `1`, `2`, ...
    pub header: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self { delimiter: None, header: true }
    }
}

/// The format of `file` by its extension.
pub fn format_of(file: &Path) -> Format {
    match extension(file).as_str() {
        "parquet" | "pq" => Format::Parquet,
        _ => Format::Delimited,
    }
}

/// The delimiter of `file`: as given, else by its extension.
pub(crate) fn delimiter_of(file: &Path, layout: &Layout) -> Result<Delimiter, DataError> {
    if let Some(delimiter) = layout.delimiter {
        return Ok(delimiter);
    }
    match extension(file).as_str() {
        "csv" => Ok(Delimiter(b',')),
        // RecBole's atomic files, GroupLens's u.data
        "tsv" | "tab" | "inter" | "item" | "user" | "data" => Ok(Delimiter(b'\t')),
        "psv" => Ok(Delimiter(b'|')),
        found => Err(DataError::Format {
            file: file.to_owned(),
            problem: format!(
                "cannot tell the delimiter from the extension `{found}` (csv, tsv, tab, inter, item, user, data, psv and parquet \
                 are known): give --delimiter"
            ),
        }),
    }
}

fn extension(file: &Path) -> String {
    file.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
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
    wanted
        .iter()
        .map(|column| match column.names.iter().find_map(find) {
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
