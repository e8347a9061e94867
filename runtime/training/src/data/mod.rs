//! Data input: delimited text, JSON lines and Parquet, streamed; what is wrong is said with file, line and column.

pub mod delimiter;
pub mod duplicates;
pub mod fault;
pub mod ids;
pub mod ratings;
pub mod table;

mod delimited;
mod expected_rows;
mod json_lines;
mod parquet_file;
pub mod reader;

pub(crate) mod files;
mod quotes;
mod source;
pub(crate) mod times;
pub(crate) mod values;

use std::path::PathBuf;

pub use delimiter::Delimiter;
pub use duplicates::Duplicates;
pub use expected_rows::expected_rows;
pub use fault::{BadRow, DataError, Place};
pub use ids::Ids;
pub use ratings::{Facts, Ratings};
pub use table::{Decimal, Encoding, Layout, Quotes};

use ratings::Collector;
use table::{ValueKind, Wanted};

/// Which data is read, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataSpec {
    /// Read one after another; a folder stands for the files below it.
    pub files: Vec<PathBuf>,
    /// Of delimited text.
    pub layout: Layout,
    /// Which column holds what.
    pub columns: Columns,
    /// Least rating of a play, for what learns from plays; anything above 0 when `None`.
    pub positive_from: Option<f32>,
    /// What becomes of a title that a viewer has twice.
    pub duplicates: Duplicates,
    /// How many bad rows are passed over before the data is refused.
    pub skip_bad_rows: u64,
}

/// Names of columns; `None` stands for the customary ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Customarily `viewer`, `viewer_id`, `user_id`, `userId`, `user`.
    pub viewer: Option<String>,
    /// Customarily `title`, `title_id`, `item_id`, `movieId`, `item`.
    pub title: Option<String>,
    /// Customarily `rating`.
    pub rating: Option<String>,
    /// Customarily `time`, `timestamp`.
    pub time: Option<String>,
}

/// Which optional columns must be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Ratings: explicit algorithms and protocols.
    pub rating: bool,
    /// Times: leave-last-out.
    pub time: bool,
    /// The algorithm learns from plays, so rows rated too low are left out.
    pub plays: bool,
}

/// How far the reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadProgress {
    /// Bytes consumed of all files.
    pub bytes: u64,
    /// Bytes of all files.
    pub total: u64,
}

impl Columns {
    fn wanted(&self, needs: Needs) -> [Wanted; 4] {
        let names = |given: &Option<String>, customary: &[&str]| match given {
            Some(name) => vec![name.clone()],
            None => customary.iter().map(|name| (*name).to_owned()).collect(),
        };
        [
            Wanted {
                role: "viewer",
                kind: ValueKind::Id,
                flag: "--viewer-column",
                names: names(&self.viewer, &["viewer", "viewer_id", "user_id", "userId", "user"]),
                required: true,
            },
            Wanted {
                role: "title",
                kind: ValueKind::Id,
                flag: "--title-column",
                names: names(&self.title, &["title", "title_id", "item_id", "movieId", "item"]),
                required: true,
            },
            Wanted {
                role: "rating",
                kind: ValueKind::Number,
                flag: "--rating-column",
                names: names(&self.rating, &["rating"]),
                required: needs.rating || self.rating.is_some(),
            },
            Wanted {
                role: "time",
                kind: ValueKind::Time,
                flag: "--time-column",
                names: names(&self.time, &["time", "timestamp"]),
                required: needs.time || self.time.is_some(),
            },
        ]
    }
}

/// Reads everything `spec` names. Fewer than two viewers or titles are refused: nothing can be learnt from them.
pub fn read(
    spec: &DataSpec,
    needs: Needs,
    progress: &mut dyn FnMut(ReadProgress),
) -> Result<Ratings, DataError> {
    let ratings = read_any(spec, needs, progress)?;
    for (what, ids) in [("viewer", &ratings.viewers), ("title", &ratings.titles)] {
        if ids.len() == 1 {
            return Err(DataError::OnlyOne { what, id: ids.id(0).to_owned() });
        }
    }
    Ok(ratings)
}

/// As [`read`], for data that is not learnt from (test interactions, play counts): one viewer is enough.
pub fn read_any(
    spec: &DataSpec,
    needs: Needs,
    progress: &mut dyn FnMut(ReadProgress),
) -> Result<Ratings, DataError> {
    if spec.files.is_empty() {
        return Err(DataError::NoFiles);
    }
    let wanted = spec.columns.wanted(needs);
    let files = files::expand(&spec.files)?;
    let size = |file: &PathBuf| std::fs::metadata(file).map_or(0, |m| m.len());
    let total = files.iter().map(size).sum();
    let done = std::cell::Cell::new(0);
    let mut on_bytes = |bytes| progress(ReadProgress { bytes: done.get() + bytes, total });
    let mut collector = Collector::new(spec, needs, &wanted, &mut on_bytes);
    let mut nothing = None;
    for part in &files {
        match reader::read(part, &spec.layout, &wanted, &mut collector) {
            // A writer of many parts leaves some of them empty.
            Err(error @ (DataError::Empty { .. } | DataError::NoRows { .. })) => {
                collector.pass_over_empty_file();
                nothing.get_or_insert(error);
            }
            read => read?,
        }
        done.set(done.get() + size(part));
    }
    let mut ratings = match nothing {
        Some(error) if collector.is_empty() => return Err(error),
        _ => collector.finish()?,
    };
    duplicates::resolve(&mut ratings, spec.duplicates)?;
    Ok(ratings)
}

#[cfg(test)]
mod tests;
