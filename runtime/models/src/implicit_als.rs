//! Implicit ALS: factors fitted to "watched" with confidence, zeros included.
//!
//! Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008.

use std::sync::Arc;

use marquee_artifacts::layout::{Layout, WATCH_HISTORY};

use crate::descriptor::{Cost, Descriptor};
use crate::error::ModelError;
use crate::factors::{CAPABILITIES, Embedding, FACTORS, FactorModel};
use crate::linalg::{System, gram};
use crate::rows::TitleRow;
use crate::scan::{ScanOptions, TitleIndex};
use crate::viewer::ViewerContext;
use crate::watch_history::WatchHistory;
use crate::weights::{Table, Weights};

/// The architecture.
pub static DESCRIPTOR: Descriptor = Descriptor {
    layout: Layout { architecture: "implicit-als", tensors: &[WATCH_HISTORY, FACTORS] },
    about: "Implicit ALS: factors of viewers and titles.",
    load: |weights, options| Ok(Arc::new(ImplicitAls::load(weights, options)?)),
    capabilities: CAPABILITIES,
    ignores_order: true,
    cost: Cost::TitlesTimesFactors,
};

/// Score: `viewer.factors[v] · title.factors[t]`.
///
/// Weights: `viewer.factors` `(n_viewers, d)`, `title.factors` `(n_titles, d)`, and those of [`WatchHistory`].
/// Hyperparameters: `regularization` (λ), `alpha` (a watched title has confidence 1 + alpha, any other 1), `factors`.
///
/// Fold-in is the training's own half step with the title factors Y held fixed (equation 4 of the paper): over the watched titles h,
/// `(YᵀY + alpha Y_hᵀY_h + λ I) x = (1 + alpha) Σ y_h`, where `YᵀY + λ I` is computed once at load.
pub struct ImplicitAls {
    watch_history: WatchHistory,
    viewers: Table,
    index: TitleIndex,
    /// `YᵀY + λ I`, `(d, d)`.
    gram: Vec<f64>,
    alpha: f64,
}

impl ImplicitAls {
    /// Reads weights and hyperparameters.
    pub fn load(weights: &Weights<'_>, options: ScanOptions) -> Result<Self, ModelError> {
        let watch_history = WatchHistory::load(weights)?;
        let titles = weights.matrix("title.factors", Some(watch_history.n_titles()), None)?;
        let d = titles.cols();
        let viewers = weights.matrix("viewer.factors", Some(watch_history.n_viewers()), Some(d))?;
        weights.check_factors(d)?;
        let lambda = weights.number("regularization", 0.0..=1e9)?;
        let alpha = weights.number("alpha", 0.0..=1e9)?;
        let mut gram = gram(&titles);
        for i in 0..d {
            gram[i * d + i] += lambda;
        }
        Ok(Self { watch_history, viewers, index: TitleIndex::new(titles, None, options)?, gram, alpha })
    }

    /// The vector `(d)` of one who watched `titles`, each counted once.
    fn fold_in(&self, titles: &[TitleRow]) -> Vec<f32> {
        let mut system = System::from_matrix(&self.gram, self.index.d());
        let rows = || titles.iter().map(|title| self.index.factors().row(title.idx()));
        system.add_outer(rows(), self.alpha);
        for row in rows() {
            system.add_right(row, 1.0 + self.alpha);
        }
        system.solve().into_iter().map(|x| x as f32).collect()
    }
}

impl FactorModel for ImplicitAls {
    const DESCRIPTOR: &'static Descriptor = &DESCRIPTOR;

    fn watch_history(&self) -> &WatchHistory {
        &self.watch_history
    }

    fn index(&self) -> &TitleIndex {
        &self.index
    }

    fn embed(&self, viewer: &ViewerContext<'_>) -> Embedding {
        let vector = match viewer.known {
            Some(known) if viewer.events.is_empty() => self.viewers.row(known.idx()).to_vec(),
            None if viewer.events.is_empty() => vec![0.0; self.index.d()],
            _ => self.fold_in(&self.watch_history.all_watched(viewer)),
        };
        Embedding { base: 0.0, vector }
    }

    fn extra_heap_bytes(&self) -> usize {
        std::mem::size_of_val(&*self.gram)
    }
}
