//! Page assembly: titles with scores in, rows of titles out. Pure: no clock, no network, no random source.
//!
//! Each file has one rule: [`assembly`] tries the candidate rows from the top, [`selection`] finds the best titles of one row
//! without sorting the others, [`needed`] calculates how many titles of each row can be shown, [`bitmap`] is a set of rows.

mod assembly;
mod bitmap;
mod needed;
mod selection;

pub use assembly::{
    Candidate, Candidates, ChosenRow, ChosenTitle, NOT_IN_CATALOGUE, PageOptions, Row, RowTitles, assemble,
};
pub use bitmap::Bitmap;
pub use marquee_crds::page_layout::Deduplicate;
pub use needed::titles_needed;
