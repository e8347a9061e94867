//! Who watched what in training: kept beside every architecture's weights.

use std::borrow::Cow;

use marquee_artifacts::RawTensor;

use crate::capability::{FoldIn, History, Popularity};
use crate::model::ModelError;
use crate::rows::{TitleRow, ViewerRow};
use crate::viewer::ViewerContext;
use crate::weights::{Table, Weights};

/// Plays of titles and histories of viewers. The capabilities [`History`], [`Popularity`] and [`FoldIn`] of every
/// architecture that keeps them.
///
/// Tensors: `title.plays` F32 `(n_titles)`, `history.offsets` U32 `(n_viewers + 1)`, `history.titles` U32 `(n)`.
pub struct WatchHistory {
    plays: Table,
    offsets: RawTensor,
    titles: RawTensor,
}

impl WatchHistory {
    /// Reads the three tensors and refuses a history that is not ascending within the title table.
    pub fn load(weights: &Weights<'_>) -> Result<Self, ModelError> {
        let plays = weights.vector("title.plays", None)?;
        let (offsets, titles) = (weights.indexes("history.offsets")?, weights.indexes("history.titles")?);
        let history = Self { plays, offsets, titles };
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
        Ok(())
    }

    fn offsets(&self) -> &[u32] {
        self.offsets.as_u32().unwrap_or_default()
    }

    fn titles(&self) -> &[TitleRow] {
        TitleRow::from_numbers(self.titles.as_u32().unwrap_or_default())
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
        let (offsets, at) = (self.offsets(), viewer.idx());
        match (offsets.get(at), offsets.get(at + 1)) {
            (Some(start), Some(end)) => &self.titles()[*start as usize..*end as usize],
            _ => &[],
        }
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
