//! Popularity: the baseline, and what a stranger gets.

use candle_core::{Device, Tensor};
use marquee_artifacts::manifest::Architecture;

use crate::audience::Audience;
use crate::factors::{check_lists, excluded_lists};
use crate::model::{Model, ModelError, Scored, TopKQuery, Viewer};
use crate::select::{self, Excluded};
use crate::weights::Weights;

/// Score: `title.plays[t]`, the same for every viewer; only what a viewer watched differs.
///
/// Weights: those of [`Audience`]. Nothing is folded in.
pub struct Popularity {
    audience: Audience,
}

impl Popularity {
    /// Reads the weights.
    pub fn load(weights: &Weights<'_>) -> Result<Self, ModelError> {
        Ok(Self { audience: Audience::load(weights)? })
    }
}

impl Model for Popularity {
    fn architecture(&self) -> Architecture {
        Architecture::Popularity
    }

    fn n_titles(&self) -> usize {
        self.audience.n_titles()
    }

    fn n_viewers(&self) -> usize {
        self.audience.n_viewers()
    }

    fn history(&self, viewer: u32) -> &[u32] {
        self.audience.history(viewer)
    }

    fn plays(&self) -> &[f32] {
        self.audience.plays()
    }

    fn knows(&self, viewer: &Viewer<'_>) -> bool {
        self.audience.knows(viewer)
    }

    fn score_all(&self, viewers: &[Viewer<'_>]) -> Result<Tensor, ModelError> {
        viewers.iter().try_for_each(|viewer| self.audience.check_viewer(viewer))?;
        let scores = self.plays().repeat(viewers.len());
        Ok(Tensor::from_vec(scores, (viewers.len(), self.n_titles()), &Device::Cpu)?)
    }

    fn score(&self, viewers: &[Viewer<'_>], titles: &[&[u32]]) -> Result<Vec<Vec<f32>>, ModelError> {
        check_lists(viewers, titles)?;
        let one = |(viewer, titles): (&Viewer<'_>, &&[u32])| {
            self.audience.check_viewer(viewer)?;
            self.audience.check_titles(titles)?;
            Ok(titles.iter().map(|title| self.plays()[*title as usize]).collect())
        };
        viewers.iter().zip(titles).map(one).collect()
    }

    fn top_k(&self, queries: &[TopKQuery<'_>]) -> Result<Vec<Vec<Scored>>, ModelError> {
        let one = |query: &TopKQuery<'_>| {
            self.audience.check_viewer(&query.viewer)?;
            let (watched, also) = excluded_lists(&self.audience, query);
            Ok(select::top_k(self.plays(), query.k, Excluded { watched, also: &also }))
        };
        queries.iter().map(one).collect()
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>()
    }
}
