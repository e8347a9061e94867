//! A loaded artifact with its model: id tables, popularity, and the cost of a forward pass.

use std::{
    cmp::Ordering,
    sync::{Arc, OnceLock},
    time::Duration,
};

use marquee_artifacts::{Artifact, Digest, IdTable, TableRow};
use marquee_models::{Model, TitleRow, ViewerRow};

use super::validate::MAX_TITLES;

/// Recent titles that the measured pass folds in. A pass with more titles takes proportionally longer.
pub const COSTED_RECENT: usize = 10;

/// A loaded and checked artifact with its model. The plans that serve it share it.
pub struct LoadedModel {
    /// Files, tables and manifest.
    pub artifact: Artifact,
    /// The title table.
    pub titles: IdTable<TitleRow>,
    /// The viewer table.
    pub viewers: IdTable<ViewerRow>,
    /// The model.
    pub model: Arc<dyn Model>,
    /// Duration of one pass over all titles on this machine, for a viewer with up to [`COSTED_RECENT`] titles.
    pub whole_pass: Duration,
    /// Zeros instead of plays, if the model has no plays; otherwise empty.
    no_plays: Vec<f32>,
    /// The most popular title rows, most watched first. There are enough for any request of a stranger.
    popular: Vec<TitleRow>,
    /// Viewer rows with the longest history first, enough for the picker. Computed at the first use.
    busiest: OnceLock<Vec<ViewerRow>>,
}

/// Titles of [`LoadedModel::popular`]: the largest `k`, and the most exclusions.
const POPULAR_KEPT: usize = 2 * MAX_TITLES;
/// Viewers of [`LoadedModel::busiest`].
pub const BUSIEST_KEPT: usize = 50_000;

impl LoadedModel {
    /// A model with the tables of its artifact and the cost of a pass. `None` if the artifact has no id tables; a model's
    /// artifact always has them.
    pub fn new(mut artifact: Artifact, model: Arc<dyn Model>, whole_pass: Duration) -> Option<Self> {
        // The tables move out, because every request uses them.
        let (titles, viewers) = (artifact.titles.take()?, artifact.viewers.take()?);
        // The model keeps the mapped files that it needs.
        artifact.tensors.clear();
        let no_plays = if model.popularity().is_some() { Vec::new() } else { vec![0.0; titles.len()] };
        let plays = model.popularity().map_or(&*no_plays, |popularity| popularity.plays());
        let popular = first_by(plays.len(), POPULAR_KEPT, |a, b| plays[b].total_cmp(&plays[a]));
        Some(Self {
            artifact,
            titles,
            viewers,
            model,
            whole_pass,
            no_plays,
            popular,
            busiest: OnceLock::new(),
        })
    }

    /// Digest of the artifact's manifest.
    pub fn digest(&self) -> Digest {
        self.artifact.digest
    }

    /// The most popular title rows, most watched first. There are enough for any request of a stranger.
    pub fn popular(&self) -> &[TitleRow] {
        &self.popular
    }

    /// Number of viewers that watched each title in training; zeros if the model has no plays.
    pub fn plays(&self) -> &[f32] {
        self.model.popularity().map_or(&self.no_plays, |popularity| popularity.plays())
    }

    /// Title rows that a viewer watched in training, ascending; empty if the model has no histories.
    pub fn history(&self, viewer: ViewerRow) -> &[TitleRow] {
        self.model.history().map(|history| history.watched(viewer)).unwrap_or_default()
    }

    /// Viewer rows with the longest history first, at most [`BUSIEST_KEPT`].
    pub fn busiest(&self) -> &[ViewerRow] {
        self.busiest.get_or_init(|| {
            let watched: Vec<usize> =
                (0..self.viewers.len() as u32).map(|viewer| self.history(ViewerRow(viewer)).len()).collect();
            first_by(watched.len(), BUSIEST_KEPT, |a, b| watched[b].cmp(&watched[a]))
        })
    }

    /// Rows of the titles in `recent` that the model knows, without duplicates, in the same order.
    pub fn recent_rows<S: AsRef<str>>(&self, recent: &[S]) -> Vec<TitleRow> {
        recent_rows(&self.titles, recent)
    }

    /// Bytes in memory besides the mapped files.
    pub fn heap_bytes(&self) -> usize {
        let tables = self.titles.memory_bytes() + self.viewers.memory_bytes();
        self.model.heap_bytes() + tables + 4 * self.popular.len()
    }
}

/// Rows of the titles in `recent` that the table has, without duplicates, in the same order.
pub fn recent_rows<S: AsRef<str>>(titles: &IdTable<TitleRow>, recent: &[S]) -> Vec<TitleRow> {
    let mut rows = Vec::with_capacity(recent.len());
    for id in recent {
        if let Some(row) = titles.row(id.as_ref())
            && !rows.contains(&row)
        {
            rows.push(row);
        }
    }
    rows
}

/// The first `kept` of the rows `0..n` in the order of `compare`. Equal rows ascend.
fn first_by<R: TableRow>(n: usize, kept: usize, compare: impl Fn(usize, usize) -> Ordering) -> Vec<R> {
    let compare = |a: &R, b: &R| compare(a.number() as usize, b.number() as usize).then(a.cmp(b));
    let mut rows: Vec<R> = (0..n as u32).map(R::from_number).collect();
    if n > kept {
        rows.select_nth_unstable_by(kept, compare);
        rows.truncate(kept);
        rows.shrink_to_fit();
    }
    rows.sort_unstable_by(compare);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_those_of_a_full_sort() {
        let plays = [3.0f32, 9.0, 1.0, 9.0, 4.0, 3.0];
        let order = |a: usize, b: usize| plays[b].total_cmp(&plays[a]);
        assert_eq!(first_by::<TitleRow>(6, 10, order), [1, 3, 4, 0, 5, 2].map(TitleRow), "equal rows ascend");
        assert_eq!(first_by::<TitleRow>(6, 4, order), [1, 3, 4, 0].map(TitleRow));
    }
}
