//! Title metadata as a catalogue: id, name, year, genres, and how often each title was watched.

use std::{collections::HashMap, path::PathBuf};

use marquee_artifacts::CatalogueEntry;
use sha2::{Digest, Sha256};

use crate::{
    data::{
        BadRow, DataError, Layout, Place,
        delimiter::Delimiter,
        fault::quoted,
        files, reader,
        table::{Cell, FoundColumns, RowHandler, ValueKind, Wanted},
        values::{id, number, other_encoding},
    },
    title_names,
};

/// Which metadata is read, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataSpec {
    /// Read one after another.
    pub files: Vec<PathBuf>,
    /// Of delimited text.
    pub layout: Layout,
    /// Column of the id; customary names when `None`.
    pub id: Option<String>,
    /// Column of the name; customary names when `None`.
    pub name: Option<String>,
    /// Column of the year; customary names, or none at all, when `None`.
    pub year: Option<String>,
    /// Column of the genres; customary names, or none at all, when `None`.
    pub genres: Option<String>,
    /// Between two genres.
    pub genre_separator: Delimiter,
    /// Whether an article at the end of a name is moved to its beginning.
    pub article_first: bool,
    /// How many bad rows are passed over before the data is refused.
    pub skip_bad_rows: u64,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// In file order.
    pub entries: Vec<CatalogueEntry>,
    /// Rows passed over.
    pub bad_rows: u64,
    /// Titles whose year is no whole number: they have none.
    pub without_year: u64,
    /// SHA-256 (hex) over what was read.
    pub digest: String,
}

/// Reads everything `spec` names.
pub fn read(spec: &MetadataSpec) -> Result<Metadata, DataError> {
    if spec.files.is_empty() {
        return Err(DataError::NoFiles);
    }
    let mut reader = Reader {
        spec,
        found: Metadata::default(),
        seen: HashMap::new(),
        names: Vec::new(),
        rows: 0,
        separator: spec.genre_separator.text(),
    };
    for file in &files::expand(&spec.files)? {
        reader::read(file, &spec.layout, &wanted(spec), &mut reader)?;
    }
    let (mut found, rows) = (reader.found, reader.rows);
    if found.entries.is_empty() {
        return Err(DataError::AllBad { rows });
    }
    let mut digest = Sha256::new();
    for entry in &found.entries {
        // An entry holds text and numbers: it always has a JSON form.
        digest.update(serde_json::to_vec(entry).unwrap_or_default());
    }
    found.digest = marquee_artifacts::Digest::from(<[u8; 32]>::from(digest.finalize())).to_string();
    Ok(found)
}

fn wanted(spec: &MetadataSpec) -> [Wanted; 4] {
    let column = |role, kind, flag, given: &Option<String>, customary: &[&str]| Wanted {
        role,
        kind,
        flag,
        names: given
            .clone()
            .map_or_else(|| customary.iter().map(|name| (*name).to_owned()).collect(), |name| vec![name]),
        required: given.is_some(),
    };
    let mut columns = [
        column("id", ValueKind::Id, "--id-column", &spec.id, &["id", "title_id", "item_id", "movieId"]),
        column("name", ValueKind::Text, "--name-column", &spec.name, &["name", "title", "movie_title"]),
        column("year", ValueKind::Number, "--year-column", &spec.year, &["year", "release_year"]),
        column("genres", ValueKind::Text, "--genres-column", &spec.genres, &["genres", "genre", "class"]),
    ];
    columns[0].required = true;
    columns[1].required = true;
    columns
}

struct Reader<'a> {
    spec: &'a MetadataSpec,
    found: Metadata,
    /// Where each id was first seen.
    seen: HashMap<String, Place>,
    names: Vec<Option<String>>,
    rows: u64,
    /// Between two genres.
    separator: String,
}

/// Column, what was expected, what was found.
type Fault = (usize, String, String);

impl Reader<'_> {
    fn entry(&self, cells: &[Cell<'_>]) -> Result<CatalogueEntry, Fault> {
        let cell = |column: usize| cells.get(column).copied().unwrap_or(Cell::Null);
        let mut decimals = [0; 20];
        let id = id(cell(0), &mut decimals)
            .map_err(|(expected, found)| (0, expected.to_owned(), found))?
            .to_owned();
        if let Some(place) = self.seen.get(&id) {
            return Err((0, format!("an id that is not in {place}"), format!("`{id}` again")));
        }
        let name = text(cell(1))
            .map_err(|found| (1, "a name in UTF-8 without control characters".to_owned(), found))?;
        let genres = text(cell(3))
            .map_err(|found| (3, "genres in UTF-8 without control characters".to_owned(), found))?;
        if name.is_empty() {
            return Err((1, "a name".to_owned(), "nothing".to_owned()));
        }
        let mut distinct: Vec<String> = Vec::new();
        for genre in genres.split(&self.separator).map(str::trim).filter(|genre| !genre.is_empty()) {
            if !distinct.iter().any(|known| known == genre) {
                distinct.push(genre.to_owned());
            }
        }
        let name = if self.spec.article_first { title_names::article_first(&name) } else { name };
        Ok(CatalogueEntry { id, name, year: year(cell(2)), genres: distinct, plays: 0 })
    }
}

impl RowHandler for Reader<'_> {
    fn row(&mut self, place: &Place, cells: &[Cell<'_>]) -> Result<(), DataError> {
        match self.entry(cells) {
            Ok(entry) => {
                let has_year = self.names.get(2).is_some_and(Option::is_some);
                self.found.without_year += u64::from(has_year && entry.year.is_none());
                self.seen.insert(entry.id.clone(), place.clone());
                self.found.entries.push(entry);
                self.rows += 1;
                Ok(())
            }
            Err((column, expected, found)) => {
                let column = self.names.get(column).cloned().flatten();
                // Flags of the metadata have names of their own.
                let found = found.replace("give --", &format!("give {}", self.spec.layout.prefix));
                self.bad(BadRow { place: place.clone(), column, expected, found })
            }
        }
    }

    fn bad(&mut self, row: BadRow) -> Result<(), DataError> {
        if self.found.bad_rows == self.spec.skip_bad_rows {
            return Err(match self.spec.skip_bad_rows {
                0 => DataError::BadRow(Box::new(row)),
                allowed => DataError::TooManyBadRows { row: Box::new(row), allowed },
            });
        }
        self.found.bad_rows += 1;
        self.rows += 1;
        Ok(())
    }

    fn columns(&mut self, found: &FoundColumns) {
        self.names = found.picked.iter().map(|column| Some(column.as_ref()?.name.clone())).collect();
    }
}

fn text(cell: Cell<'_>) -> Result<String, String> {
    match cell {
        Cell::Null => Ok(String::new()),
        Cell::Integer(value) => Ok(value.to_string()),
        Cell::Unsigned(value) => Ok(value.to_string()),
        Cell::Float(value) | Cell::Time(value) => Ok(value.to_string()),
        Cell::Boolean(value) => Ok(value.to_string()),
        Cell::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.chars().any(char::is_control) => Ok(text.trim().to_owned()),
            Ok(_) => Err(quoted(bytes)),
            Err(_) => Err(other_encoding(bytes)),
        },
    }
}

/// A year is a nicety: one that is no whole number is left out, and counted.
fn year(cell: Cell<'_>) -> Option<i32> {
    let value =
        number(cell).ok().filter(|value| value.fract() == 0.0 && (-9999.0..=9999.0).contains(value))?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
    Some(value as i32)
}
