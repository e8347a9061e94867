//! SVD++: biased matrix factorization that also learns from which titles were rated, whatever the rating.
//!
//! Koren, "Factorization Meets the Neighborhood: a Multifaceted Collaborative Filtering Model", KDD 2008.

use marquee_artifacts::manifest::Architecture;

use crate::audience::Audience;
use crate::explicit::{Prior, Ratings};
use crate::factors::{Embedding, FactorModel};
use crate::model::{ModelError, Viewer};
use crate::scan::{ScanOptions, TitleIndex};
use crate::weights::{Table, Weights};

/// Score: `global.mean + viewer.bias[v] + title.bias[t] + title.factors[t] · (viewer.factors[v] + |N|^-½ Σ_{j in N} title.implicit[j])`,
/// N being what the viewer watched (recent titles included); a rating, not clipped.
///
/// Weights: `title.bias` `(n_titles)`, `title.factors` and `title.implicit` `(n_titles, d)`, and those of [`Ratings`] and [`Audience`].
/// Fold-in: N grows by the recent titles, then see [`Ratings`], where the implicit sum is what the architecture adds.
pub struct SvdPlusPlus {
    audience: Audience,
    ratings: Ratings,
    index: TitleIndex,
    implicit: Table,
}

impl SvdPlusPlus {
    /// Reads weights and hyper-parameters.
    pub fn load(weights: &Weights<'_>, options: ScanOptions) -> Result<Self, ModelError> {
        let audience = Audience::load(weights)?;
        let n_titles = Some(audience.n_titles());
        let titles = weights.matrix("title.factors", n_titles, None)?;
        let d = titles.cols();
        let implicit = weights.matrix("title.implicit", n_titles, Some(d))?;
        let bias = weights.vector("title.bias", n_titles)?;
        weights.check_factors(d)?;
        let ratings = Ratings::load(weights, audience.n_viewers(), d)?;
        Ok(Self { audience, ratings, index: TitleIndex::new(titles, Some(bias), options)?, implicit })
    }

    /// `|N|^-½ Σ_{j in N} title.implicit[j]`, `(d)`, summed in the order of `titles`.
    fn implicit_sum(&self, titles: &[u32]) -> Vec<f32> {
        let mut sum = vec![0.0_f32; self.index.d()];
        for title in titles {
            for (sum, y) in sum.iter_mut().zip(self.implicit.row(*title as usize)) {
                *sum += y;
            }
        }
        let norm = (titles.len().max(1) as f32).sqrt().recip();
        sum.iter_mut().for_each(|sum| *sum *= norm);
        sum
    }
}

impl FactorModel for SvdPlusPlus {
    const ARCHITECTURE: Architecture = Architecture::SvdPlusPlus;

    fn audience(&self) -> &Audience {
        &self.audience
    }

    fn index(&self) -> &TitleIndex {
        &self.index
    }

    fn embed(&self, viewer: &Viewer<'_>) -> Embedding {
        let implicit = self.implicit_sum(&self.audience.watched(viewer));
        let new = self.audience.new_titles(viewer);
        let (base, vector) = if new.is_empty() {
            self.ratings.trained(viewer.known)
        } else {
            let history = viewer.known.map(|known| self.audience.history(known)).unwrap_or_default();
            let prior = Prior { known: viewer.known, history, new: &new, added: &implicit };
            self.ratings.fold_in(&self.index, &prior)
        };
        let vector = vector.iter().zip(&implicit).map(|(p, y)| p + y).collect();
        Embedding { base, vector }
    }
}
