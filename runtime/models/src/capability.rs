//! What a model may offer beside scores of candidates, by name.

use std::fmt;

/// A capability by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// [`ScoreAll`](crate::capabilities::ScoreAll).
    ScoreAll,
    /// [`TopK`](crate::capabilities::TopK).
    TopK,
    /// [`FoldIn`](crate::capabilities::FoldIn).
    FoldIn,
    /// [`Neighbours`](crate::capabilities::Neighbours).
    Neighbours,
    /// [`History`](crate::capabilities::History).
    History,
    /// [`Popularity`](crate::capabilities::Popularity).
    Popularity,
    /// [`Embeddings`](crate::capabilities::Embeddings).
    Embeddings,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 7] = [
        Self::ScoreAll,
        Self::TopK,
        Self::FoldIn,
        Self::Neighbours,
        Self::History,
        Self::Popularity,
        Self::Embeddings,
    ];
}

impl fmt::Display for Capability {
    /// A verb phrase that follows "cannot".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ScoreAll => "score the whole catalogue",
            Self::TopK => "choose the best titles",
            Self::FoldIn => "follow what a viewer did since training",
            Self::Neighbours => "find titles near another one",
            Self::History => "tell what a viewer watched",
            Self::Popularity => "tell how many viewers watched a title",
            Self::Embeddings => "give vectors of titles",
        })
    }
}
