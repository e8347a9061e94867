//! How many titles of a row a page can need, so that a ranker in another process need not send all of them.

use crate::{Deduplicate, PageOptions};

/// How many of the best titles of candidate row `row` are enough to show what all of them would show. Titles that the viewer
/// watched are not among them.
///
/// A row shows its best titles that no row before it shows. Each of those shows at most `titles_per_row` titles, and at most
/// `rows_shown - 1` of them are shown.
pub fn titles_needed(row: usize, options: &PageOptions) -> usize {
    let rows_before = match options.deduplicate {
        Deduplicate::Page => row.min(options.rows_shown.saturating_sub(1)),
        Deduplicate::Row => 0,
    };
    options.titles_per_row.saturating_mul(rows_before + 1)
}
