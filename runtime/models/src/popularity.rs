//! Popularity: the baseline, and what a stranger gets.

use std::sync::Arc;

use marquee_artifacts::Architecture;
use marquee_artifacts::layout::{Layout, WATCH_HISTORY};

use crate::capabilities::{Neighbours, Popularity, ScoreAll, TopK, TopKQuery};
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
use crate::weights::Weights;

/// The architecture.
pub static DESCRIPTOR: Descriptor = Descriptor {
    layout: Layout { architecture: "popularity", tensors: &[WATCH_HISTORY] },
    about: "Titles by how many viewers watched them.",
    load: |weights, _| Ok(Arc::new(MostPlayed::load(weights)?)),
    capabilities: &[
        Capability::ScoreAll,
        Capability::TopK,
        Capability::FoldIn,
        Capability::Neighbours,
        Capability::History,
        Capability::Popularity,
    ],
    ignores_order: true,
    cost: Cost::Titles,
};

/// Score: `title.plays[t]`, the same for every viewer; only what a viewer watched differs.
///
/// Weights: those of [`WatchHistory`]. Nothing is folded in.
pub struct MostPlayed {
    watch_history: WatchHistory,
}

impl MostPlayed {
    /// Reads the weights.
    pub fn load(weights: &Weights<'_>) -> Result<Self, ModelError> {
        Ok(Self { watch_history: WatchHistory::load(weights)? })
    }

    fn plays(&self) -> &[f32] {
        self.watch_history.plays()
    }
}

impl Model for MostPlayed {
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
            Ok(titles.iter().map(|title| self.plays()[title.idx()]).collect())
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

impl ScoreAll for MostPlayed {
    fn score_all_into(&self, viewers: &[ViewerContext<'_>], scores: &mut [f32]) -> Result<(), ModelError> {
        lists::check_scores(viewers.len(), self.watch_history.n_titles(), scores)?;
        viewers.iter().try_for_each(|viewer| self.watch_history.check_viewer(viewer))?;
        scores.chunks_mut(self.watch_history.n_titles()).for_each(|row| row.copy_from_slice(self.plays()));
        Ok(())
    }
}

impl TopK for MostPlayed {
    fn best(&self, queries: &[TopKQuery<'_>]) -> Result<Vec<Vec<Scored>>, ModelError> {
        let one = |query: &TopKQuery<'_>| {
            self.watch_history.check_viewer(&query.viewer)?;
            let (watched, also) = lists::excluded(&self.watch_history, query);
            let excluded = Excluded { watched, also: &also };
            Ok(match lists::candidates(&self.watch_history, query.candidates)? {
                None => select::top_k(self.plays(), query.k, excluded),
                Some(titles) => {
                    select::top_k_of(&titles, |place| self.plays()[titles[place].idx()], query.k, excluded)
                }
            })
        };
        queries.iter().map(one).collect()
    }
}

impl Neighbours for MostPlayed {}
