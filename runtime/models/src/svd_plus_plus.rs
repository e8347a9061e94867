//! SVD++: biased matrix factorization that also learns from which titles were rated, whatever the rating.
//!
//! Koren, "Factorization Meets the Neighborhood: a Multifaceted Collaborative Filtering Model", KDD 2008.

use std::sync::Arc;

use marquee_artifacts::layout::Size::{Factors, Titles};
use marquee_artifacts::layout::{Declaration, Layout, WATCH_HISTORY};

use crate::descriptor::{Cost, Descriptor};
use crate::error::ModelError;
use crate::explicit::{Prior, RATINGS, Ratings};
use crate::factors::{CAPABILITIES, Embedding, FactorModel};
use crate::rows::TitleRow;
use crate::scan::{ScanOptions, TitleIndex};
use crate::viewer::ViewerContext;
use crate::watch_history::WatchHistory;
use crate::weights::{Table, Weights};

/// The architecture.
pub static DESCRIPTOR: Descriptor = Descriptor {
    layout: Layout { architecture: "svd-plus-plus", tensors: &[WATCH_HISTORY, RATINGS, TITLES] },
    about: "Biased MF with implicit factors of the titles rated.",
    load: |weights, options| Ok(Arc::new(SvdPlusPlus::load(weights, options)?)),
    capabilities: CAPABILITIES,
    ignores_order: true,
    cost: Cost::TitlesTimesFactors,
};

/// What the architecture needs beside what all models and the rating models share.
const TITLES: &[Declaration] = &[
    Declaration::f32("title.bias", &[Titles]),
    Declaration::f32("title.factors", &[Titles, Factors]),
    Declaration::f32("title.implicit", &[Titles, Factors]),
];

/// Score: `global.mean + viewer.bias[v] + title.bias[t] + title.factors[t] · (viewer.factors[v] + |N|^-½ Σ_{j in N} title.implicit[j])`,
/// N being what the viewer watched (recent titles included); a rating, not clipped.
///
/// Weights: `title.bias` `(n_titles)`, `title.factors` and `title.implicit` `(n_titles, d)`, and those of [`Ratings`] and [`WatchHistory`].
/// Fold-in: N grows by the recent titles, then see [`Ratings`], where the implicit sum is what the architecture adds.
pub struct SvdPlusPlus {
    watch_history: WatchHistory,
    ratings: Ratings,
    index: TitleIndex,
    implicit: Table,
}

impl SvdPlusPlus {
    /// Reads weights and hyperparameters.
    pub fn load(weights: &Weights<'_>, options: ScanOptions) -> Result<Self, ModelError> {
        let watch_history = WatchHistory::load(weights)?;
        let n_titles = Some(watch_history.n_titles());
        let titles = weights.matrix("title.factors", n_titles, None)?;
        let d = titles.cols();
        let implicit = weights.matrix("title.implicit", n_titles, Some(d))?;
        let bias = weights.vector("title.bias", n_titles)?;
        weights.check_factors(d)?;
        let ratings = Ratings::load(weights, watch_history.n_viewers(), d)?;
        Ok(Self { watch_history, ratings, index: TitleIndex::new(titles, Some(bias), options)?, implicit })
    }

    /// `|N|^-½ Σ_{j in N} title.implicit[j]`, `(d)`, summed in the order of `titles`.
    fn implicit_sum(&self, titles: &[TitleRow]) -> Vec<f32> {
        let mut sum = vec![0.0_f32; self.index.d()];
        for title in titles {
            for (sum, y) in sum.iter_mut().zip(self.implicit.row(title.idx())) {
                *sum += y;
            }
        }
        let norm = (titles.len().max(1) as f32).sqrt().recip();
        sum.iter_mut().for_each(|sum| *sum *= norm);
        sum
    }
}

impl FactorModel for SvdPlusPlus {
    const DESCRIPTOR: &'static Descriptor = &DESCRIPTOR;

    fn watch_history(&self) -> &WatchHistory {
        &self.watch_history
    }

    fn index(&self) -> &TitleIndex {
        &self.index
    }

    fn embed(&self, viewer: &ViewerContext<'_>) -> Embedding {
        let implicit = self.implicit_sum(&self.watch_history.all_watched(viewer));
        let new = self.watch_history.new_titles(viewer);
        let (base, vector) = if new.is_empty() {
            self.ratings.trained(viewer.known)
        } else {
            let history = self.watch_history.of(viewer.known);
            let prior = Prior { known: viewer.known, history, new: &new, added: &implicit };
            self.ratings.fold_in(&self.index, &prior)
        };
        let vector = vector.iter().zip(&implicit).map(|(p, y)| p + y).collect();
        Embedding { base, vector }
    }
}
