//! Who watched what in training: kept beside every architecture's weights.

use std::borrow::Cow;

use marquee_artifacts::RawTensor;

use crate::capabilities::{FoldIn, History, Popularity};
use crate::error::ModelError;
use crate::rows::{TitleRow, ViewerRow};
use crate::viewer::ViewerContext;
use crate::weights::{Table, Weights};

/// Name of the histories in the order of time.
const SEQUENCE: &str = "history.sequence";

/// Plays of titles and histories of viewers. The capabilities [`History`], [`Popularity`] and [`FoldIn`] of every
/// architecture that keeps them.
///
/// Tensors: `title.plays` F32 `(n_titles)`, `history.offsets` U32 `(n_viewers + 1)`, `history.titles` U32 `(n)`, ascending
/// within a viewer, and since format version 2 `history.sequence` U32 `(n)`, the same titles in the order of time. Two
/// tensors, so that neither an answer that needs a set nor one that needs the order sorts or copies anything.
pub struct WatchHistory {
    plays: Table,
    offsets: RawTensor,
    titles: RawTensor,
    /// `None` in an artifact of format version 1.
    sequence: Option<RawTensor>,
}

impl WatchHistory {
    /// Reads the tensors and refuses a history that is not ascending within the title table.
    pub fn load(weights: &Weights<'_>) -> Result<Self, ModelError> {
        let plays = weights.vector("title.plays", None)?;
        let (offsets, titles) = (weights.indexes("history.offsets")?, weights.indexes("history.titles")?);
        let has_order = weights.tensors.contains_key(SEQUENCE);
        let sequence = has_order.then(|| weights.indexes(SEQUENCE)).transpose()?;
        let history = Self { plays, offsets, titles, sequence };
        history.check(&weights.name())?;
        Ok(history)
    }

    fn check(&self, architecture: &str) -> Result<(), ModelError> {
        let (offsets, titles) = (self.offsets(), self.titles());
        let refuse = |text: String| Err(ModelError::Weights(format!("tensor {text} (of {architecture})")));
        let end = offsets.last().copied().unwrap_or_default() as usize;
        if offsets.first() != Some(&0)
            || end != titles.len()
            || offsets.windows(2).any(|pair| pair[0] > pair[1])
        {
            return refuse(format!(
                "history.offsets: expected numbers ascending from 0 to {}, the length of history.titles",
                titles.len()
            ));
        }
        for (viewer, pair) in offsets.windows(2).enumerate() {
            let history = &titles[pair[0] as usize..pair[1] as usize];
            let outside = history.last().is_some_and(|last| last.idx() >= self.n_titles());
            if outside || history.windows(2).any(|pair| pair[0] >= pair[1]) {
                return refuse(format!(
                    "history.titles: expected titles of viewer {viewer} ascending, each once and below {}",
                    self.n_titles()
                ));
            }
        }
        if self.sequence.as_ref().is_some_and(|sequence| sequence.len() != titles.len()) {
            return refuse(format!(
                "{SEQUENCE}: expected {} titles, as many as history.titles",
                titles.len()
            ));
        }
        Ok(())
    }

    fn offsets(&self) -> &[u32] {
        self.offsets.as_u32().unwrap_or_default()
    }

    fn titles(&self) -> &[TitleRow] {
        TitleRow::from_numbers(self.titles.as_u32().unwrap_or_default())
    }

    /// Where the titles of `viewer` stand among those of all.
    fn span(&self, viewer: ViewerRow) -> Option<std::ops::Range<usize>> {
        let (offsets, at) = (self.offsets(), viewer.idx());
        Some(*offsets.get(at)? as usize..*offsets.get(at + 1)? as usize)
    }

    /// How many titles.
    pub fn n_titles(&self) -> usize {
        self.plays.rows()
    }

    /// How many viewers.
    pub fn n_viewers(&self) -> usize {
        self.offsets().len().saturating_sub(1)
    }

    /// What a viewer watched in training, ascending. Empty for one unseen in training.
    pub fn of(&self, known: Option<ViewerRow>) -> &[TitleRow] {
        known.map(|known| self.watched(known)).unwrap_or_default()
    }

    /// Refuses a viewer or the title of an event outside the tables.
    pub fn check_viewer(&self, viewer: &ViewerContext<'_>) -> Result<(), ModelError> {
        if let Some(outside) = viewer.known.filter(|known| known.idx() >= self.n_viewers()) {
            return Err(ModelError::OutOfRange { what: "viewer", index: outside.0, count: self.n_viewers() });
        }
        self.check_each(viewer.titles())
    }

    /// Refuses a title outside the table.
    pub fn check_titles(&self, titles: &[TitleRow]) -> Result<(), ModelError> {
        self.check_each(titles.iter().copied())
    }

    fn check_each(&self, mut titles: impl Iterator<Item = TitleRow>) -> Result<(), ModelError> {
        match titles.find(|title| title.idx() >= self.n_titles()) {
            Some(outside) => {
                Err(ModelError::OutOfRange { what: "title", index: outside.0, count: self.n_titles() })
            }
            None => Ok(()),
        }
    }

    /// Titles of the history and of the events together: ascending, each once.
    pub fn all_watched<'a>(&'a self, viewer: &ViewerContext<'_>) -> Cow<'a, [TitleRow]> {
        let history = self.of(viewer.known);
        if viewer.events.is_empty() {
            return Cow::Borrowed(history);
        }
        let mut all: Vec<TitleRow> = history.iter().copied().chain(viewer.titles()).collect();
        all.sort_unstable();
        all.dedup();
        Cow::Owned(all)
    }

    /// Titles of the events that are not in the history: ascending, each once.
    pub fn new_titles(&self, viewer: &ViewerContext<'_>) -> Vec<TitleRow> {
        let history = self.of(viewer.known);
        let mut new: Vec<TitleRow> =
            viewer.titles().filter(|title| history.binary_search(title).is_err()).collect();
        new.sort_unstable();
        new.dedup();
        new
    }
}

impl History for WatchHistory {
    fn watched(&self, viewer: ViewerRow) -> &[TitleRow] {
        self.span(viewer).and_then(|span| self.titles().get(span)).unwrap_or_default()
    }

    fn watched_in_order(&self, viewer: ViewerRow) -> Option<&[TitleRow]> {
        let sequence = self.sequence.as_ref()?.as_u32()?;
        self.span(viewer).and_then(|span| TitleRow::from_numbers(sequence).get(span))
    }
}

impl Popularity for WatchHistory {
    fn plays(&self) -> &[f32] {
        self.plays.values()
    }
}

impl FoldIn for WatchHistory {
    /// A row of the table, or any event.
    fn knows(&self, viewer: &ViewerContext<'_>) -> bool {
        viewer.known.is_some_and(|known| known.idx() < self.n_viewers()) || !viewer.events.is_empty()
    }
}
