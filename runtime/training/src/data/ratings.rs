//! Ratings (or plain plays) as read: rows of viewer, title, rating and time, with both id tables.

use sha2::{Digest, Sha256};

use super::{
    fault::{BadRow, DataError, Place, quoted},
    ids::Ids,
    table::{Cell, RowHandler},
};

/// Bad rows whose text is kept for the report.
const EXAMPLES: usize = 5;
/// Longest id, in bytes: what callers send with every request.
const LONGEST_ID: usize = 512;

/// What was read, one entry a usable row, in file order.
#[derive(Clone, Debug, Default)]
pub struct Ratings {
    /// Viewer ids by row of [`Self::viewer`]'s numbers.
    pub viewers: Ids,
    /// Title ids by row of [`Self::title`]'s numbers.
    pub titles: Ids,
    /// Who.
    pub viewer: Vec<u32>,
    /// What.
    pub title: Vec<u32>,
    /// How good; 1 where the data has no ratings.
    pub rating: Vec<f32>,
    /// When, in the data's own unit; 0 where the data has no times.
    pub time: Vec<f64>,
    /// Row of the data, from 0 over all files, headers not counted. Ascending.
    pub row: Vec<u32>,
    /// How the reading went.
    pub facts: Facts,
}

/// How the reading went.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// SHA-256 (hex) over the usable rows as read: ids, ratings, times. The same for equal rows in text and in Parquet.
    pub digest: String,
    /// Rows of all files, headers not counted.
    pub rows_read: u64,
    /// Rows passed over because they could not be used.
    pub bad_rows: u64,
    /// The first few of them, with the reason.
    pub bad_row_examples: Vec<String>,
    /// Rows dropped because the viewer has the title in another row.
    pub duplicates_dropped: u64,
    /// Whether ratings were read.
    pub has_rating: bool,
    /// Whether times were read.
    pub has_time: bool,
}

impl Ratings {
    /// Rows kept.
    pub fn len(&self) -> usize {
        self.viewer.len()
    }

    /// Whether none was kept.
    pub fn is_empty(&self) -> bool {
        self.viewer.is_empty()
    }

    /// Keeps the rows at `kept` (indexes, ascending).
    pub(crate) fn keep(&mut self, kept: &[u32]) {
        fn pick<T: Copy>(column: &mut Vec<T>, kept: &[u32]) {
            for (to, from) in kept.iter().enumerate() {
                column[to] = column[*from as usize];
            }
            column.truncate(kept.len());
        }
        pick(&mut self.viewer, kept);
        pick(&mut self.title, kept);
        pick(&mut self.rating, kept);
        pick(&mut self.time, kept);
        pick(&mut self.row, kept);
    }
}

/// Takes rows of one file after another.
pub(crate) struct Collector<'a> {
    ratings: Ratings,
    digest: Sha256,
    skip_bad_rows: u64,
    names: Vec<Option<String>>,
    progress: &'a mut dyn FnMut(u64),
}

/// One usable row.
struct Row<'a> {
    viewer: &'a str,
    title: &'a str,
    rating: f32,
    time: f64,
}

impl<'a> Collector<'a> {
    /// An empty one; `progress` hears of the bytes consumed of the present file.
    pub(crate) fn new(skip_bad_rows: u64, progress: &'a mut dyn FnMut(u64)) -> Self {
        let facts = Facts { has_rating: true, has_time: true, ..Facts::default() };
        let ratings = Ratings { facts, ..Ratings::default() };
        Self { ratings, digest: Sha256::new(), skip_bad_rows, names: Vec::new(), progress }
    }

    /// What was collected.
    pub(crate) fn finish(self) -> Result<Ratings, DataError> {
        let mut ratings = self.ratings;
        if ratings.is_empty() {
            return Err(DataError::AllBad { rows: ratings.facts.rows_read });
        }
        ratings.facts.digest =
            marquee_artifacts::Digest::from(<[u8; 32]>::from(self.digest.finalize())).to_string();
        Ok(ratings)
    }

    fn take(&mut self, row: &Row<'_>) -> Result<(), DataError> {
        let too_many = || DataError::TooMany { limit: u64::from(u32::MAX) };
        let number = u32::try_from(self.ratings.facts.rows_read).map_err(|_| too_many())?;
        for id in [row.viewer, row.title] {
            self.digest.update((id.len() as u64).to_le_bytes());
            self.digest.update(id.as_bytes());
        }
        self.digest.update(row.rating.to_le_bytes());
        self.digest.update(row.time.to_le_bytes());
        let ratings = &mut self.ratings;
        ratings.viewer.push(ratings.viewers.intern(row.viewer).ok_or_else(too_many)?);
        ratings.title.push(ratings.titles.intern(row.title).ok_or_else(too_many)?);
        ratings.rating.push(row.rating);
        ratings.time.push(row.time);
        ratings.row.push(number);
        ratings.facts.rows_read += 1;
        Ok(())
    }
}

impl RowHandler for Collector<'_> {
    fn row(&mut self, place: &Place, cells: &[Cell<'_>]) -> Result<(), DataError> {
        let (mut viewer, mut title) = ([0; 20], [0; 20]);
        match parse(cells, &self.names, &mut viewer, &mut title) {
            Ok(row) => self.take(&row),
            Err(fault) => {
                let column = self.names.get(fault.column).cloned().flatten();
                self.bad(BadRow {
                    place: place.clone(),
                    column,
                    expected: fault.expected.to_owned(),
                    found: fault.found,
                })
            }
        }
    }

    fn bad(&mut self, row: BadRow) -> Result<(), DataError> {
        let facts = &mut self.ratings.facts;
        if facts.bad_rows == self.skip_bad_rows {
            return Err(match self.skip_bad_rows {
                0 => DataError::BadRow(Box::new(row)),
                allowed => DataError::TooManyBadRows { row: Box::new(row), allowed },
            });
        }
        facts.rows_read += 1;
        facts.bad_rows += 1;
        if facts.bad_row_examples.len() < EXAMPLES {
            facts.bad_row_examples.push(row.to_string());
        }
        Ok(())
    }

    fn columns(&mut self, names: &[Option<String>]) {
        self.names = names.to_vec();
        self.ratings.facts.has_rating &= names.get(2).is_some_and(Option::is_some);
        self.ratings.facts.has_time &= names.get(3).is_some_and(Option::is_some);
    }

    fn consumed(&mut self, bytes: u64) {
        (self.progress)(bytes);
    }
}

/// What is wrong with a row.
struct Fault {
    column: usize,
    expected: &'static str,
    found: String,
}

fn parse<'a>(
    cells: &[Cell<'a>],
    names: &[Option<String>],
    viewer: &'a mut [u8; 20],
    title: &'a mut [u8; 20],
) -> Result<Row<'a>, Fault> {
    let cell = |column: usize| cells.get(column).copied().unwrap_or(Cell::Null);
    let fault = |column| move |(expected, found)| Fault { column, expected, found };
    // A file without the column is one thing, a row without the value another.
    let there = |column: usize| names.get(column).is_some_and(Option::is_some);
    let rating = if there(2) { number(cell(2)).and_then(finite_f32).map_err(fault(2))? } else { 1.0 };
    let time = if there(3) { number(cell(3)).map_err(fault(3))? } else { 0.0 };
    Ok(Row {
        viewer: id(cell(0), viewer).map_err(fault(0))?,
        title: id(cell(1), title).map_err(fault(1))?,
        rating,
        time,
    })
}

type Mismatch = (&'static str, String);

fn finite_f32(value: f64) -> Result<f32, Mismatch> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "ratings are kept in f32; what does not fit is refused below"
    )]
    let narrow = value as f32;
    if narrow.is_finite() { Ok(narrow) } else { Err(("a number that fits 32 bits", format!("`{value}`"))) }
}

/// A finite number.
pub(crate) fn number(cell: Cell<'_>) -> Result<f64, Mismatch> {
    #[expect(clippy::cast_precision_loss, reason = "times and ratings: 2^53 is far")]
    let value = match cell {
        Cell::Null => return Err(("a number", "nothing".to_owned())),
        Cell::Integer(value) => value as f64,
        Cell::Float(value) => value,
        Cell::Text(text) => std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .ok_or_else(|| ("a number", quoted(text)))?,
    };
    if value.is_finite() {
        return Ok(value);
    }
    Err(("a finite number", format!("`{value}`")))
}

/// An id: UTF-8 without control characters, neither empty nor over [`LONGEST_ID`]. Whole numbers become their decimals,
/// written into `decimals`.
pub(crate) fn id<'a>(cell: Cell<'a>, decimals: &'a mut [u8; 20]) -> Result<&'a str, Mismatch> {
    let bytes = match cell {
        Cell::Null => b"",
        Cell::Text(text) => text,
        Cell::Integer(value) => decimal(value, decimals),
        Cell::Float(value) => return Err(("an id (text or a whole number)", format!("`{value}`"))),
    };
    let text = std::str::from_utf8(bytes).map_err(|_| ("an id in UTF-8", quoted(bytes)))?;
    if text.is_empty() {
        return Err(("an id", "nothing".to_owned()));
    }
    if text.len() > LONGEST_ID {
        return Err(("an id of at most 512 bytes", format!("{} bytes", text.len())));
    }
    if text.chars().any(char::is_control) {
        return Err(("an id without control characters", quoted(bytes)));
    }
    Ok(text)
}

fn decimal(value: i64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut left = value.unsigned_abs();
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    &buffer[at..]
}
