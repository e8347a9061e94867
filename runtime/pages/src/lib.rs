//! Page assembly: scores in, rows of titles out. Pure: no clock, no network, no random source.
//!
//! One rule a file: [`assembly`] tries the candidate rows from the top, [`selection`] finds the best titles of one row
//! without sorting the rest, [`bitmap`] remembers what may not be shown again.

mod assembly;
mod bitmap;
mod selection;

pub use assembly::{ChosenRow, ChosenTitle, NOT_IN_CATALOGUE, PageOptions, Row, assemble};
pub use marquee_crds::page_layout::Deduplicate;
