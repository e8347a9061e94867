//! Bayesian personalised ranking: factors fitted so that watched titles outrank the others.
//!
//! Rendle, Freudenthaler, Gantner and Schmidt-Thieme, "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009.

use std::sync::Arc;

use marquee_artifacts::layout::Size::Titles;
use marquee_artifacts::layout::{Declaration, Layout, WATCH_HISTORY};

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
    layout: Layout { architecture: "bpr", tensors: &[WATCH_HISTORY, FACTORS, BIAS] },
    about: "Bayesian personalised ranking: factors and title biases.",
    load: |weights, options| Ok(Arc::new(Bpr::load(weights, options)?)),
    capabilities: CAPABILITIES,
    ignores_order: true,
    cost: Cost::TitlesTimesFactors,
};

const BIAS: &[Declaration] = &[Declaration::f32("title.bias", &[Titles])];

/// Confidence that a watched title has in fold-in beyond any other's 1.
const FOLD_IN_ALPHA: f64 = 20.0;

/// Share of the mean of the diagonal of `YᵀY` that is added to it: keeps the system solvable whatever the scale of Y.
const FOLD_IN_RIDGE: f64 = 0.05;

/// Score: `title.bias[t] + viewer.factors[v] · title.factors[t]`.
///
/// Weights: `viewer.factors` `(n_viewers, d)`, `title.factors` `(n_titles, d)`, `title.bias` `(n_titles)`, and those of [`WatchHistory`].
/// Hyperparameters: `factors`.
///
/// Fold-in: the paper has none. The direction is that of implicit least squares with the title factors held fixed (see
/// [`ImplicitAls`](crate::implicit_als::ImplicitAls); confidence 1 + 20, ridge 5 % of the mean diagonal of `YᵀY`). Least squares aims at 0 and 1, BPR at
/// differences of scores, so the length is taken from training: the mean length of the trained viewer vectors. It keeps
/// the balance between the viewer's part of a score and the title's bias.
pub struct Bpr {
    watch_history: WatchHistory,
    viewers: Table,
    index: TitleIndex,
    /// `YᵀY` with its ridge, `(d, d)`.
    gram: Vec<f64>,
    /// Mean length of a viewer vector.
    length: f64,
}

impl Bpr {
    /// Reads weights and hyperparameters.
    pub fn load(weights: &Weights<'_>, options: ScanOptions) -> Result<Self, ModelError> {
        let watch_history = WatchHistory::load(weights)?;
        let titles = weights.matrix("title.factors", Some(watch_history.n_titles()), None)?;
        let d = titles.cols();
        let viewers = weights.matrix("viewer.factors", Some(watch_history.n_viewers()), Some(d))?;
        let bias = weights.vector("title.bias", Some(watch_history.n_titles()))?;
        weights.check_factors(d)?;
        let mut gram = gram(&titles);
        let ridge = (0..d).map(|i| gram[i * d + i]).sum::<f64>() / d as f64 * FOLD_IN_RIDGE;
        for i in 0..d {
            gram[i * d + i] += ridge;
        }
        let length =
            viewers.values().chunks(d).map(|row| norm(row.iter().map(|x| f64::from(*x)))).sum::<f64>();
        let length = length / viewers.rows() as f64;
        Ok(Self {
            watch_history,
            viewers,
            index: TitleIndex::new(titles, Some(bias), options)?,
            gram,
            length,
        })
    }

    /// The vector `(d)` of one who watched `titles`, each counted once.
    fn fold_in(&self, titles: &[TitleRow]) -> Vec<f32> {
        let mut system = System::from_matrix(&self.gram, self.index.d());
        let rows = || titles.iter().map(|title| self.index.factors().row(title.idx()));
        system.add_outer(rows(), FOLD_IN_ALPHA);
        for row in rows() {
            system.add_right(row, 1.0);
        }
        let x = system.solve();
        let found = norm(x.iter().copied());
        let factor = if found > 0.0 { self.length / found } else { 0.0 };
        x.into_iter().map(|x| (x * factor) as f32).collect()
    }
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|x| x * x).sum::<f64>().sqrt()
}

impl FactorModel for Bpr {
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
