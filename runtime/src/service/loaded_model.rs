//! A loaded artifact with its model: id tables, popularity, and what a forward pass costs.

use std::{
    cmp::Ordering,
    sync::{Arc, OnceLock},
    time::Duration,
};

use marquee_artifacts::{Artifact, Digest, IdTable, TableRow};
use marquee_models::{Model, TitleRow, ViewerRow};

use super::validate::MAX_TITLES;

/// Recent titles that the measured pass folds in; more make it proportionally longer.
pub const COSTED_RECENT: usize = 10;

/// A loaded artifact with its model, checked. Shared by the plans that serve it.
pub struct LoadedModel {
    /// Files, tables and manifest.
    pub artifact: Artifact,
    /// Of the title table.
    pub titles: IdTable,
    /// Of the viewer table.
    pub viewers: IdTable,
    /// What computes.
    pub model: Arc<dyn Model>,
    /// How long one pass over all titles takes here, for a viewer with up to [`COSTED_RECENT`] titles.
    pub whole_pass: Duration,
    /// Zeros in place of the plays, where the model does not tell them; empty where it does.
    no_plays: Vec<f32>,
    /// Title rows, those that most viewers watched first: as many as a stranger may ask for.
    popular: Vec<TitleRow>,
    /// Viewer rows, those who watched most first: as many as a picker may ask for. Sorted when first asked for.
    busiest: OnceLock<Vec<ViewerRow>>,
}

/// Titles of [`LoadedModel::popular`]: the largest `k`, and the most exclusions.
const POPULAR_KEPT: usize = 2 * MAX_TITLES;
/// Viewers of [`LoadedModel::busiest`].
pub const BUSIEST_KEPT: usize = 50_000;

impl LoadedModel {
    /// A model with what its artifact says, and what a pass costs. None for an artifact without id tables, which no
    /// model's is.
    pub fn new(mut artifact: Artifact, model: Arc<dyn Model>, whole_pass: Duration) -> Option<Self> {
        // The tables move out: they are asked for at every request.
        let (titles, viewers) = (artifact.titles.take()?, artifact.viewers.take()?);
        // The model holds what it needs of the mapping.
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

    /// Of the artifact's manifest.
    pub fn digest(&self) -> Digest {
        self.artifact.digest
    }

    /// Title rows, those that most viewers watched first: as many as a stranger may ask for.
    pub fn popular(&self) -> &[TitleRow] {
        &self.popular
    }

    /// Viewers that watched each title in training; zeros where the model does not tell.
    pub fn plays(&self) -> &[f32] {
        self.model.popularity().map_or(&self.no_plays, |popularity| popularity.plays())
    }

    /// Title rows that a viewer watched in training, ascending; empty where the model does not tell.
    pub fn history(&self, viewer: ViewerRow) -> &[TitleRow] {
        self.model.history().map(|history| history.watched(viewer)).unwrap_or_default()
    }

    /// Viewer rows, those who watched most first, [`BUSIEST_KEPT`] at most.
    pub fn busiest(&self) -> &[ViewerRow] {
        self.busiest.get_or_init(|| {
            let watched: Vec<usize> =
                (0..self.viewers.len() as u32).map(|viewer| self.history(ViewerRow(viewer)).len()).collect();
            first_by(watched.len(), BUSIEST_KEPT, |a, b| watched[b].cmp(&watched[a]))
        })
    }

    /// Rows of those of `recent` that the model knows, each once, in the same order.
    pub fn recent_rows<S: AsRef<str>>(&self, recent: &[S]) -> Vec<TitleRow> {
        recent_rows(&self.titles, recent)
    }

    /// Bytes held beside the mapped file.
    pub fn heap_bytes(&self) -> usize {
        let tables = self.titles.memory_bytes() + self.viewers.memory_bytes();
        self.model.heap_bytes() + tables + 4 * self.popular.len()
    }
}

/// Rows of those of `recent` that the table has, each once, in the same order.
pub fn recent_rows<S: AsRef<str>>(titles: &IdTable, recent: &[S]) -> Vec<TitleRow> {
    let mut rows = Vec::with_capacity(recent.len());
    for id in recent {
        if let Some(row) = titles.row(id.as_ref()).map(TitleRow)
            && !rows.contains(&row)
        {
            rows.push(row);
        }
    }
    rows
}

/// The first `kept` of the rows `0..n` in the order of `compare`, equal ones by ascending row.
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
        assert_eq!(first_by::<TitleRow>(6, 10, order), [1, 3, 4, 0, 5, 2].map(TitleRow), "equal ones by row");
        assert_eq!(first_by::<TitleRow>(6, 4, order), [1, 3, 4, 0].map(TitleRow));
    }
}
