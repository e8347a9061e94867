//! How many titles of a row a page can need. A ranker in another process sends only these.

use crate::{Deduplicate, PageOptions};

/// How many of the best titles of candidate row `row` give the same page as all of its titles. Titles that the viewer
/// watched do not count.
///
/// A row shows its best titles that no earlier row shows. At most `rows_shown - 1` earlier rows are shown, each with at most
/// `titles_per_row` titles.
pub fn titles_needed(row: usize, options: &PageOptions) -> usize {
    let rows_before = match options.deduplicate {
        Deduplicate::Page => row.min(options.rows_shown.saturating_sub(1)),
        Deduplicate::Row => 0,
    };
    options.titles_per_row.saturating_mul(rows_before + 1)
}
