//! Ratings (or plain plays) as read: rows of viewer, title, rating and time, with both id tables.

use sha2::{Digest, Sha256};

use super::{
    DataSpec, Needs,
    fault::{BadRow, DataError, Place},
    ids::Ids,
    table::{Cell, FoundColumn, FoundColumns, RowHandler, Wanted},
    times::{self, TimeForm},
    values::{Mismatch, finite_f32, id, number, time},
};
use crate::wording::counted;

/// Bad rows whose text is kept for the report.
const EXAMPLES: usize = 5;

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
    /// When: seconds since 1970, or whatever small number the data counts; 0 where the data has no times.
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
    /// Rows left out because their rating says that they are no plays.
    pub not_plays: u64,
    /// Rows dropped because the viewer has the title in another row.
    pub duplicates_dropped: u64,
    /// Whether ratings were read.
    pub has_rating: bool,
    /// Whether times were read.
    pub has_time: bool,
    /// How times were written: each form with its number of rows.
    pub time_forms: Vec<TimesOf>,
    /// Parts without rows.
    pub empty_files: u64,
    /// Each column that was read, as `viewer: user_id (uint64)`.
    pub columns: Vec<String>,
    /// Each column that was not, with the reason where it could have been.
    pub unread_columns: Vec<String>,
}

/// How many times were written in one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimesOf {
    /// The form.
    pub form: TimeForm,
    /// Rows whose time was written so.
    pub rows: u64,
}

impl std::fmt::Display for TimesOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.form.name(), counted(self.rows, "row"))
    }
}

impl Facts {
    fn count_time(&mut self, form: TimeForm) {
        match self.time_forms.iter_mut().find(|of| of.form == form) {
            Some(of) => of.rows += 1,
            None => self.time_forms.push(TimesOf { form, rows: 1 }),
        }
    }
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

/// Places of the wanted columns.
const RATING: usize = 2;
const TIME: usize = 3;

/// Takes rows of one file after another.
pub(crate) struct Collector<'a> {
    ratings: Ratings,
    digest: Sha256,
    skip_bad_rows: u64,
    plays: Option<Plays>,
    wanted: &'a [Wanted],
    names: Vec<Option<String>>,
    /// Which optional columns hold something else than their name promises, and are passed over.
    foreign: [bool; 4],
    /// A counter that grows past the size at which another unit is taken has such times.
    has_time_after_2100: bool,
    progress: &'a mut dyn FnMut(u64),
}

/// Which rows are plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Plays {
    /// Those rated above 0.
    AboveZero,
    /// Those rated as much or more.
    From(f32),
}

impl Plays {
    /// The rule of `spec`; `None` where every row counts.
    pub(crate) fn of(spec: &DataSpec, needs: Needs) -> Option<Self> {
        needs.plays.then(|| spec.positive_from.map_or(Self::AboveZero, Self::From))
    }

    fn has(self, rating: f32) -> bool {
        match self {
            Self::AboveZero => rating > 0.0,
            Self::From(least) => rating >= least,
        }
    }
}

/// One usable row.
struct Row<'a> {
    viewer: &'a str,
    title: &'a str,
    rating: f32,
    time: f64,
    /// `None` where the data has no times.
    form: Option<TimeForm>,
}

impl<'a> Collector<'a> {
    /// An empty one; `progress` hears of the bytes consumed of the present file.
    pub(crate) fn new(
        spec: &DataSpec,
        needs: Needs,
        wanted: &'a [Wanted],
        progress: &'a mut dyn FnMut(u64),
    ) -> Self {
        let facts = Facts { has_rating: true, has_time: true, ..Facts::default() };
        let ratings = Ratings { facts, ..Ratings::default() };
        Self {
            ratings,
            digest: Sha256::new(),
            skip_bad_rows: spec.skip_bad_rows,
            plays: Plays::of(spec, needs),
            wanted,
            names: Vec::new(),
            foreign: [false; 4],
            has_time_after_2100: false,
            progress,
        }
    }

    /// Counts a part without rows.
    pub(crate) fn pass_over_empty_file(&mut self) {
        self.ratings.facts.empty_files += 1;
    }

    /// Whether no file had a row.
    pub(crate) fn is_empty(&self) -> bool {
        self.ratings.facts.rows_read == 0
    }

    /// What was collected.
    pub(crate) fn finish(self) -> Result<Ratings, DataError> {
        let mut ratings = self.ratings;
        let facts = &mut ratings.facts;
        if ratings.viewer.is_empty() {
            return Err(match facts.not_plays {
                0 => DataError::AllBad { rows: facts.rows_read },
                rows => DataError::NoPlays { rows },
            });
        }
        if self.foreign[RATING] {
            facts.has_rating = false;
        }
        if self.foreign[TIME] {
            facts.has_time = false;
        }
        let mut numbers = facts.time_forms.iter().filter(|of| of.form != TimeForm::Written);
        if let (true, Some(one), Some(other)) = (self.has_time_after_2100, numbers.next(), numbers.next()) {
            let column = self.names.get(TIME).cloned().flatten().unwrap_or_default();
            return Err(DataError::TimeUnits { column, found: format!("{one} and {other}") });
        }
        facts.digest = marquee_artifacts::Digest::from(<[u8; 32]>::from(self.digest.finalize())).to_string();
        Ok(ratings)
    }

    fn take(&mut self, row: &Row<'_>) -> Result<(), DataError> {
        let too_many = || DataError::TooMany { limit: u64::from(u32::MAX) };
        let number = u32::try_from(self.ratings.facts.rows_read).map_err(|_| too_many())?;
        let ratings = &mut self.ratings;
        ratings.facts.rows_read += 1;
        if self.plays.is_some_and(|plays| !plays.has(row.rating)) {
            ratings.facts.not_plays += 1;
            return Ok(());
        }
        if let Some(form) = row.form {
            ratings.facts.count_time(form);
        }
        self.has_time_after_2100 |= row.time >= times::PLAUSIBLE.end;
        for id in [row.viewer, row.title] {
            self.digest.update((id.len() as u64).to_le_bytes());
            self.digest.update(id.as_bytes());
        }
        self.digest.update(row.rating.to_le_bytes());
        self.digest.update(row.time.to_le_bytes());
        ratings.viewer.push(ratings.viewers.intern(row.viewer).ok_or_else(too_many)?);
        ratings.title.push(ratings.titles.intern(row.title).ok_or_else(too_many)?);
        ratings.rating.push(row.rating);
        ratings.time.push(row.time);
        ratings.row.push(number);
        Ok(())
    }

    /// Passes over an optional column from now on.
    fn pass_over(&mut self, column: usize, place: &Place, found: &str) {
        self.foreign[column] = true;
        let (Some(Some(name)), Some(wanted)) = (self.names.get(column), self.wanted.get(column)) else {
            return;
        };
        let text = format!("{name}: it has no {}s ({place} has {found})", wanted.role);
        self.ratings.facts.unread_columns.push(text);
    }

    /// Whether a fault in this optional column says that the whole column is something else: only the very first value may do so. A
    /// later one is a bad row, since a rating decides what counts as a play, and a time decides the order of a history.
    fn is_foreign(&self, fault: &Fault) -> bool {
        let is_optional = self.wanted.get(fault.column).is_some_and(|wanted| !wanted.required);
        let is_first = self.ratings.facts.rows_read == 0;
        is_optional && is_first && !fault.is_null && matches!(fault.column, RATING | TIME)
    }
}

impl RowHandler for Collector<'_> {
    fn row(&mut self, place: &Place, cells: &[Cell<'_>]) -> Result<(), DataError> {
        let (mut viewer, mut title) = ([0; 20], [0; 20]);
        match parse(cells, &self.names, self.foreign, &mut viewer, &mut title) {
            Ok(row) => self.take(&row),
            Err(fault) if self.is_foreign(&fault) => {
                self.pass_over(fault.column, place, &fault.found);
                self.row(place, cells)
            }
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

    fn columns(&mut self, found: &FoundColumns) {
        let facts = &mut self.ratings.facts;
        self.names = found.picked.iter().map(|column| Some(column.as_ref()?.name.clone())).collect();
        facts.has_rating &= self.names.get(RATING).is_some_and(Option::is_some);
        facts.has_time &= self.names.get(TIME).is_some_and(Option::is_some);
        for (wanted, column) in self.wanted.iter().zip(&found.picked) {
            let Some(FoundColumn { name, type_name }) = column else { continue };
            let text = format!("{}: {name} ({type_name})", wanted.role);
            if !facts.columns.contains(&text) {
                facts.columns.push(text);
            }
        }
        for text in &found.unread {
            if !facts.unread_columns.contains(text) {
                facts.unread_columns.push(text.clone());
            }
        }
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
    /// Whether there is no value at all.
    is_null: bool,
}

fn parse<'a>(
    cells: &[Cell<'a>],
    names: &[Option<String>],
    foreign: [bool; 4],
    viewer: &'a mut [u8; 20],
    title: &'a mut [u8; 20],
) -> Result<Row<'a>, Fault> {
    let cell = |column: usize| cells.get(column).copied().unwrap_or(Cell::Null);
    let fault = |column| {
        let is_null = matches!(cell(column), Cell::Null | Cell::Text(b""));
        move |(expected, found): Mismatch| Fault { column, expected, found, is_null }
    };
    // A file without the column is one thing, a row without the value another.
    let there = |column: usize| !foreign[column] && names.get(column).is_some_and(Option::is_some);
    let rating =
        if there(RATING) { number(cell(RATING)).and_then(finite_f32).map_err(fault(RATING))? } else { 1.0 };
    let (time, form) = match there(TIME) {
        true => time(cell(TIME)).map(|(time, form)| (time, Some(form))).map_err(fault(TIME))?,
        false => (0.0, None),
    };
    Ok(Row {
        viewer: id(cell(0), viewer).map_err(fault(0))?,
        title: id(cell(1), title).map_err(fault(1))?,
        rating,
        time,
        form,
    })
}
