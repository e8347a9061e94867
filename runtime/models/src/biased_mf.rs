//! Biased matrix factorization of explicit ratings.
//!
//! Koren, Bell and Volinsky, "Matrix Factorization Techniques for Recommender Systems", Computer 42(8), 2009.

use std::sync::Arc;

use marquee_artifacts::layout::Size::{Factors, Titles};
use marquee_artifacts::layout::{Declaration, Layout, WATCH_HISTORY};

use crate::descriptor::{Cost, Descriptor};
use crate::error::ModelError;
use crate::explicit::{Prior, RATINGS, Ratings};
use crate::factors::{CAPABILITIES, Embedding, FactorModel};
use crate::scan::{ScanOptions, TitleIndex};
use crate::viewer::ViewerContext;
use crate::watch_history::WatchHistory;
use crate::weights::Weights;

/// The architecture.
pub static DESCRIPTOR: Descriptor = Descriptor {
    layout: Layout { architecture: "biased-mf", tensors: &[WATCH_HISTORY, RATINGS, TITLES] },
    about: "Explicit ratings: global mean, biases, factors.",
    load: |weights, options| Ok(Arc::new(BiasedMf::load(weights, options)?)),
    capabilities: CAPABILITIES,
    ignores_order: true,
    cost: Cost::TitlesTimesFactors,
};

/// What the architecture needs beside what all models and the rating models share.
const TITLES: &[Declaration] =
    &[Declaration::f32("title.bias", &[Titles]), Declaration::f32("title.factors", &[Titles, Factors])];

/// Score: `global.mean + viewer.bias[v] + title.bias[t] + viewer.factors[v] · title.factors[t]`, a rating, not clipped.
///
/// Weights: `title.bias` `(n_titles)`, `title.factors` `(n_titles, d)`, and those of [`Ratings`] and [`WatchHistory`].
/// Fold-in: see [`Ratings`].
pub struct BiasedMf {
    watch_history: WatchHistory,
    ratings: Ratings,
    index: TitleIndex,
}

impl BiasedMf {
    /// Reads weights and hyperparameters.
    pub fn load(weights: &Weights<'_>, options: ScanOptions) -> Result<Self, ModelError> {
        let watch_history = WatchHistory::load(weights)?;
        let titles = weights.matrix("title.factors", Some(watch_history.n_titles()), None)?;
        let bias = weights.vector("title.bias", Some(watch_history.n_titles()))?;
        weights.check_factors(titles.cols())?;
        let ratings = Ratings::load(weights, watch_history.n_viewers(), titles.cols())?;
        Ok(Self { watch_history, ratings, index: TitleIndex::new(titles, Some(bias), options)? })
    }
}

impl FactorModel for BiasedMf {
    const DESCRIPTOR: &'static Descriptor = &DESCRIPTOR;

    fn watch_history(&self) -> &WatchHistory {
        &self.watch_history
    }

    fn index(&self) -> &TitleIndex {
        &self.index
    }

    fn embed(&self, viewer: &ViewerContext<'_>) -> Embedding {
        let new = self.watch_history.new_titles(viewer);
        let (base, vector) = if new.is_empty() {
            self.ratings.trained(viewer.known)
        } else {
            let history = self.watch_history.of(viewer.known);
            self.ratings.fold_in(&self.index, &Prior { known: viewer.known, history, new: &new, added: &[] })
        };
        Embedding { base, vector }
    }
}
