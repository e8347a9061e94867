//! What becomes of a title that a viewer has in several rows.

use super::{fault::DataError, ratings::Ratings};

/// What becomes of a title that a viewer has in several rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duplicates {
    /// The latest row by time stays, the last in file order among equal times.
    #[default]
    Last,
    /// The earliest row by time stays, the first in file order among equal times.
    First,
    /// The data is refused.
    Error,
}

/// Leaves one row for each viewer and title. Rows that stay keep their order.
pub(crate) fn resolve(ratings: &mut Ratings, policy: Duplicates) -> Result<(), DataError> {
    let n = u32::try_from(ratings.len()).map_err(|_| DataError::TooMany { limit: u64::from(u32::MAX) })?;
    let pair = |i: &u32| (ratings.viewer[*i as usize], ratings.title[*i as usize]);
    let mut order: Vec<u32> = (0..n).collect();
    order.sort_unstable_by(|a, b| {
        let time = |i: &u32| ratings.time[*i as usize];
        pair(a).cmp(&pair(b)).then(time(a).total_cmp(&time(b))).then(a.cmp(b))
    });
    let mut kept = Vec::with_capacity(order.len());
    for group in order.chunk_by(|a, b| pair(a) == pair(b)) {
        if policy == Duplicates::Error && group.len() > 1 {
            return Err(duplicate(ratings, group));
        }
        let stays = if policy == Duplicates::First { group.first() } else { group.last() };
        kept.extend(stays);
    }
    if kept.len() < order.len() {
        ratings.facts.duplicates_dropped = (order.len() - kept.len()) as u64;
        kept.sort_unstable();
        ratings.keep(&kept);
    }
    Ok(())
}

fn duplicate(ratings: &Ratings, group: &[u32]) -> DataError {
    let mut rows: Vec<u64> = group.iter().map(|i| u64::from(ratings.row[*i as usize]) + 1).collect();
    rows.sort_unstable();
    let at = group[0] as usize;
    DataError::Duplicate {
        viewer: ratings.viewers.id(ratings.viewer[at]).to_owned(),
        title: ratings.titles.id(ratings.title[at]).to_owned(),
        first: rows[0],
        second: rows[1],
    }
}
