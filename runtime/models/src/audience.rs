//! Who watched what in training: kept beside every architecture's weights.

use std::borrow::Cow;

use marquee_artifacts::RawTensor;

use crate::model::{ModelError, Viewer};
use crate::weights::{Table, Weights};

/// Plays of titles and histories of viewers.
///
/// Tensors: `title.plays` F32 `(n_titles)`, `history.offsets` U32 `(n_viewers + 1)`, `history.titles` U32 `(n)`.
pub struct Audience {
    plays: Table,
    offsets: RawTensor,
    titles: RawTensor,
}

impl Audience {
    /// Reads the three tensors and refuses a history that is not ascending within the title table.
    pub fn load(weights: &Weights<'_>) -> Result<Self, ModelError> {
        let plays = weights.vector("title.plays", None)?;
        let (offsets, titles) = (weights.indexes("history.offsets")?, weights.indexes("history.titles")?);
        let audience = Self { plays, offsets, titles };
        audience.check(&weights.name())?;
        Ok(audience)
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
            let outside = history.last().is_some_and(|last| *last as usize >= self.n_titles());
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

    fn titles(&self) -> &[u32] {
        self.titles.as_u32().unwrap_or_default()
    }

    /// How many titles.
    pub fn n_titles(&self) -> usize {
        self.plays.rows()
    }

    /// How many viewers.
    pub fn n_viewers(&self) -> usize {
        self.offsets().len().saturating_sub(1)
    }

    /// Viewers that watched each title, `(n_titles)`.
    pub fn plays(&self) -> &[f32] {
        self.plays.values()
    }

    /// Titles that `viewer` watched, ascending; empty outside the table.
    pub fn history(&self, viewer: u32) -> &[u32] {
        let offsets = self.offsets();
        let at = viewer as usize;
        match (offsets.get(at), offsets.get(at + 1)) {
            (Some(start), Some(end)) => &self.titles()[*start as usize..*end as usize],
            _ => &[],
        }
    }

    /// Refuses a viewer or recent title outside the tables.
    pub fn check_viewer(&self, viewer: &Viewer<'_>) -> Result<(), ModelError> {
        if let Some(index) = viewer.known.filter(|known| *known as usize >= self.n_viewers()) {
            return Err(ModelError::OutOfRange { what: "viewer", index, count: self.n_viewers() });
        }
        self.check_titles(viewer.recent)
    }

    /// Refuses a title outside the table.
    pub fn check_titles(&self, titles: &[u32]) -> Result<(), ModelError> {
        match titles.iter().find(|title| **title as usize >= self.n_titles()) {
            Some(index) => {
                Err(ModelError::OutOfRange { what: "title", index: *index, count: self.n_titles() })
            }
            None => Ok(()),
        }
    }

    /// Whether anything is known of `viewer`: a row of the table, or a recent title.
    pub fn knows(&self, viewer: &Viewer<'_>) -> bool {
        viewer.known.is_some_and(|known| (known as usize) < self.n_viewers()) || !viewer.recent.is_empty()
    }

    /// History and recent titles together: ascending, each once.
    pub fn watched<'a>(&'a self, viewer: &Viewer<'_>) -> Cow<'a, [u32]> {
        let history = viewer.known.map(|known| self.history(known)).unwrap_or_default();
        if viewer.recent.is_empty() {
            return Cow::Borrowed(history);
        }
        let mut all = [history, viewer.recent].concat();
        all.sort_unstable();
        all.dedup();
        Cow::Owned(all)
    }

    /// Recent titles that are not in the history: ascending, each once.
    pub fn new_titles(&self, viewer: &Viewer<'_>) -> Vec<u32> {
        let history = viewer.known.map(|known| self.history(known)).unwrap_or_default();
        let mut new: Vec<u32> =
            viewer.recent.iter().copied().filter(|title| history.binary_search(title).is_err()).collect();
        new.sort_unstable();
        new.dedup();
        new
    }
}
