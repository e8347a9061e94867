//! Rows of an artifact's tables, and a title with its score.

pub use marquee_artifacts::{TitleRow, ViewerRow};

/// A title and its score; larger is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Row of the title table.
    pub title: TitleRow,
    /// Finite.
    pub score: f32,
}
