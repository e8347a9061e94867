//! Data input: delimited text and Parquet, streamed; what is wrong is said with file, line and column.

pub mod duplicates;
pub mod fault;
pub mod ids;
pub mod ratings;
pub mod table;

mod delimited;
mod parquet_file;
pub mod reader;

use std::path::PathBuf;

pub use duplicates::Duplicates;
pub use fault::{BadRow, DataError, Place};
pub use ids::Ids;
pub use ratings::{Facts, Ratings};
pub use table::{Delimiter, Layout};

use ratings::Collector;
use table::Wanted;

/// Which data is read, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataSpec {
    /// Read one after another.
    pub files: Vec<PathBuf>,
    /// Of delimited text.
    pub layout: Layout,
    /// Which column holds what.
    pub columns: Columns,
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
                flag: "--viewer-column",
                names: names(&self.viewer, &["viewer", "viewer_id", "user_id", "userId", "user"]),
                required: true,
            },
            Wanted {
                role: "title",
                flag: "--title-column",
                names: names(&self.title, &["title", "title_id", "item_id", "movieId", "item"]),
                required: true,
            },
            Wanted {
                role: "rating",
                flag: "--rating-column",
                names: names(&self.rating, &["rating"]),
                required: needs.rating || self.rating.is_some(),
            },
            Wanted {
                role: "time",
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
    let size = |file: &PathBuf| std::fs::metadata(file).map_or(0, |m| m.len());
    let total = spec.files.iter().map(size).sum();
    let done = std::cell::Cell::new(0);
    let mut on_bytes = |bytes| progress(ReadProgress { bytes: done.get() + bytes, total });
    let mut collector = Collector::new(spec.skip_bad_rows, &mut on_bytes);
    for file in &spec.files {
        reader::read(file, &spec.layout, &wanted, &mut collector)?;
        done.set(done.get() + size(file));
    }
    let mut ratings = collector.finish()?;
    duplicates::resolve(&mut ratings, spec.duplicates)?;
    Ok(ratings)
}

#[cfg(test)]
mod tests;
