//! EASE: a linear item-item model in closed form.
//!
//! Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019.

use std::sync::Arc;

use marquee_artifacts::Architecture;
use marquee_artifacts::layout::{Declaration, Layout, Size, WATCH_HISTORY};

use crate::capabilities::{Neighbours, ScoreAll, TopK, TopKQuery};
use crate::capability::Capability;
use crate::descriptor::{Cost, Descriptor};
use crate::error::ModelError;
use crate::lists;
use crate::model::Model;
use crate::rows::Scored;
use crate::rows::TitleRow;
use crate::select::{self, Excluded};
use crate::viewer::ViewerContext;
use crate::watch_history::WatchHistory;
use crate::weights::{Table, Weights};

/// The architecture.
pub static DESCRIPTOR: Descriptor = Descriptor {
    layout: Layout { architecture: "ease", tensors: &[WATCH_HISTORY, WEIGHTS] },
    about: "Title-title weights in closed form.",
    load: |weights, _| Ok(Arc::new(Ease::load(weights)?)),
    capabilities: &[
        Capability::ScoreAll,
        Capability::TopK,
        Capability::FoldIn,
        Capability::Neighbours,
        Capability::History,
        Capability::Popularity,
    ],
    ignores_order: true,
    cost: Cost::TitlesTimesWatched,
};

const WEIGHTS: &[Declaration] = &[Declaration::f32("weights", &[Size::Titles, Size::Titles])];

/// Scores summed side by side: a block of the sums stays in the first-level cache while the rows pass.
const BLOCK_TITLES: usize = 4096;

/// Score: `Σ_{i watched} weights[i, t]`, summed by ascending i.
///
/// Weights: `weights` `(n_titles, n_titles)`, row i being what having watched title i says, and those of [`WatchHistory`].
/// Fold-in is the model itself: it has no viewer weights, so history and events are simply summed, each title once.
pub struct Ease {
    watch_history: WatchHistory,
    weights: Table,
}

impl Ease {
    /// Reads the weights.
    pub fn load(weights: &Weights<'_>) -> Result<Self, ModelError> {
        let watch_history = WatchHistory::load(weights)?;
        let n = Some(watch_history.n_titles());
        Ok(Self { weights: weights.matrix("weights", n, n)?, watch_history })
    }

    /// Scores of every title into `out` `(n_titles)`. Four rows at a time, added one after the other as if alone.
    fn sum_rows(&self, watched: &[TitleRow], out: &mut [f32]) {
        for (block, out) in out.chunks_mut(BLOCK_TITLES).enumerate() {
            out.fill(0.0);
            let start = block * BLOCK_TITLES;
            let n = out.len();
            let row = |title: TitleRow| &self.weights.row(title.idx())[start..start + n];
            let (fours, rest) = watched.as_chunks::<4>();
            for four in fours {
                let [a, b, c, d] = four.map(row);
                for (at, out) in out.iter_mut().enumerate() {
                    *out = (((*out + a[at]) + b[at]) + c[at]) + d[at];
                }
            }
            for title in rest {
                for (out, weight) in out.iter_mut().zip(row(*title)) {
                    *out += weight;
                }
            }
        }
    }

    fn score_one(&self, viewer: &ViewerContext<'_>, out: &mut [f32]) -> Result<(), ModelError> {
        self.watch_history.check_viewer(viewer)?;
        self.sum_rows(&self.watch_history.all_watched(viewer), out);
        Ok(())
    }
}

impl Model for Ease {
    fn architecture(&self) -> Architecture {
        DESCRIPTOR.architecture()
    }

    fn n_titles(&self) -> usize {
        self.watch_history.n_titles()
    }

    fn n_viewers(&self) -> usize {
        self.watch_history.n_viewers()
    }

    fn kept_history(&self) -> Option<&WatchHistory> {
        Some(&self.watch_history)
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>()
    }

    fn score(
        &self,
        viewers: &[ViewerContext<'_>],
        candidates: &[&[TitleRow]],
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        lists::check_one_each(viewers, candidates)?;
        let one = |(viewer, titles): (&ViewerContext<'_>, &&[TitleRow])| {
            self.watch_history.check_viewer(viewer)?;
            self.watch_history.check_titles(titles)?;
            let mut scores = vec![0.0; titles.len()];
            for watched in self.watch_history.all_watched(viewer).iter() {
                let row = self.weights.row(watched.idx());
                for (score, title) in scores.iter_mut().zip(*titles) {
                    *score += row[title.idx()];
                }
            }
            Ok(scores)
        };
        viewers.iter().zip(candidates).map(one).collect()
    }

    fn score_all(&self) -> Option<&dyn ScoreAll> {
        Some(self)
    }

    fn top_k(&self) -> Option<&dyn TopK> {
        Some(self)
    }

    fn neighbours(&self) -> Option<&dyn Neighbours> {
        Some(self)
    }
}

impl ScoreAll for Ease {
    fn score_all_into(&self, viewers: &[ViewerContext<'_>], scores: &mut [f32]) -> Result<(), ModelError> {
        let n_titles = self.watch_history.n_titles();
        lists::check_scores(viewers.len(), n_titles, scores)?;
        viewers
            .iter()
            .zip(scores.chunks_mut(n_titles))
            .try_for_each(|(viewer, row)| self.score_one(viewer, row))
    }
}

impl TopK for Ease {
    /// Scores the whole catalogue once for each viewer: rows of weights are read in a stream, which costs less than
    /// picking the candidates out of them unless these are few.
    fn best(&self, queries: &[TopKQuery<'_>]) -> Result<Vec<Vec<Scored>>, ModelError> {
        let mut scores = vec![0.0; self.watch_history.n_titles()];
        let mut answers = Vec::with_capacity(queries.len());
        for (at, query) in queries.iter().enumerate() {
            if at == 0 || queries[at - 1].viewer != query.viewer {
                self.score_one(&query.viewer, &mut scores)?;
            }
            let (watched, also) = lists::excluded(&self.watch_history, query);
            let excluded = Excluded { watched, also: &also };
            answers.push(match lists::candidates(&self.watch_history, query.candidates)? {
                None => select::top_k(&scores, query.k, excluded),
                Some(titles) => {
                    select::top_k_of(&titles, |place| scores[titles[place].idx()], query.k, excluded)
                }
            });
        }
        Ok(answers)
    }
}

impl Neighbours for Ease {}
