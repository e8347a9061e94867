//! What the two rating models share: mean and biases, and fold-in as recursive least squares.

use marquee_artifacts::layout::Declaration;
use marquee_artifacts::layout::Size::{Exactly, Factors, Viewers};

use crate::error::ModelError;
use crate::linalg::System;
use crate::rows::{TitleRow, ViewerRow};
use crate::scan::TitleIndex;
use crate::weights::{Table, Weights};

/// The weights of [`Ratings`].
pub const RATINGS: &[Declaration] = &[
    Declaration::f32("global.mean", &[Exactly(1)]),
    Declaration::f32("viewer.bias", &[Viewers]),
    Declaration::f32("viewer.factors", &[Viewers, Factors]),
];

/// Mean, viewer biases and viewer factors of a rating model.
///
/// Weights: `global.mean` `(1)`, `viewer.bias` `(n_viewers)`, `viewer.factors` `(n_viewers, d)`.
/// Hyperparameters: `regularization` (λ a rating), `ratingMin`, `ratingMax`.
///
/// Fold-in. The artifact knows what a viewer watched, not how they rated it, and recent titles come without rating. So
/// a recent title is taken as liked: its assumed rating is half way between the mean and the highest rating. With
/// features z = (1, factors of the title), (bias, vector) of the viewer minimise, over the new recent titles n,
///
/// `Σ (assumed − mean − title bias − extra − w·z)² + (w − w₀)ᵀ (Z_hᵀZ_h + λ|h ∪ n| I) (w − w₀)`
///
/// (`extra` is what the architecture adds of its own) where w₀ and h are the trained (bias, vector) and history of a known viewer: recursive least squares, that is the ridge
/// solution over history and recent titles together, the trained solution standing for the ratings of the history. For a
/// viewer unseen in training both are empty, and it is plain ridge regression.
pub struct Ratings {
    mean: f32,
    bias: Table,
    factors: Table,
    assumed: f64,
    lambda: f64,
}

/// What one fold-in starts from.
pub struct Prior<'a> {
    /// Row of a viewer seen in training.
    pub known: Option<ViewerRow>,
    /// What they watched in training.
    pub history: &'a [TitleRow],
    /// What they watched since and had not before.
    pub new: &'a [TitleRow],
    /// What the architecture adds of its own to the viewer's vector `(d)`; empty is zeros.
    pub added: &'a [f32],
}

impl Ratings {
    /// Reads weights and hyperparameters.
    pub fn load(weights: &Weights<'_>, n_viewers: usize, d: usize) -> Result<Self, ModelError> {
        let mean = weights.vector("global.mean", Some(1))?.values()[0];
        let low = weights.number("ratingMin", -1e9..=1e9)?;
        let high = weights.number("ratingMax", low..=1e9)?;
        Ok(Self {
            mean,
            bias: weights.vector("viewer.bias", Some(n_viewers))?,
            factors: weights.matrix("viewer.factors", Some(n_viewers), Some(d))?,
            assumed: f64::midpoint(f64::from(mean), high),
            lambda: weights.number("regularization", 0.0..=1e9)?,
        })
    }

    /// Trained base (mean and bias) and vector `(d)`; those of the average viewer for `None`.
    pub fn trained(&self, known: Option<ViewerRow>) -> (f32, Vec<f32>) {
        match known {
            Some(known) => {
                let row = known.idx();
                (self.mean + self.bias.values()[row], self.factors.row(row).to_vec())
            }
            None => (self.mean, vec![0.0; self.factors.cols()]),
        }
    }

    /// Base and vector `(d)` once the new titles of `prior` are folded in.
    pub fn fold_in(&self, index: &TitleIndex, prior: &Prior<'_>) -> (f32, Vec<f32>) {
        let (base, vector) = self.trained(prior.known);
        let features = |title: TitleRow| -> Vec<f32> {
            let row = index.factors().row(title.idx());
            std::iter::once(1.0).chain(row.iter().copied()).collect()
        };
        let n_watched = prior.history.len() + prior.new.len();
        let mut system = System::diagonal(index.d() + 1, (self.lambda * n_watched as f64).max(1e-6));
        let rows: Vec<Vec<f32>> =
            prior.history.iter().chain(prior.new).map(|title| features(*title)).collect();
        system.add_outer(rows.iter().map(Vec::as_slice), 1.0);
        for (title, row) in prior.new.iter().zip(&rows[prior.history.len()..]) {
            let factors = &row[1..];
            let bias = index.bias().get(title.idx()).copied().unwrap_or_default();
            let predicted =
                f64::from(base) + f64::from(bias) + dot(&vector, factors) + dot(prior.added, factors);
            system.add_right(row, self.assumed - predicted);
        }
        let change = system.solve();
        let vector =
            vector.iter().zip(&change[1..]).map(|(x, change)| (f64::from(*x) + change) as f32).collect();
        ((f64::from(base) + change[0]) as f32, vector)
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}
