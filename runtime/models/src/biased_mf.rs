//! Biased matrix factorization of explicit ratings.
//!
//! Koren, Bell and Volinsky, "Matrix Factorization Techniques for Recommender Systems", Computer 42(8), 2009.

use marquee_artifacts::manifest::Architecture;

use crate::audience::Audience;
use crate::explicit::{Prior, Ratings};
use crate::factors::{Embedding, FactorModel};
use crate::model::{ModelError, Viewer};
use crate::scan::{ScanOptions, TitleIndex};
use crate::weights::Weights;

/// Score: `global.mean + viewer.bias[v] + title.bias[t] + viewer.factors[v] · title.factors[t]`, a rating, not clipped.
///
/// Weights: `title.bias` `(n_titles)`, `title.factors` `(n_titles, d)`, and those of [`Ratings`] and [`Audience`].
/// Fold-in: see [`Ratings`].
pub struct BiasedMf {
    audience: Audience,
    ratings: Ratings,
    index: TitleIndex,
}

impl BiasedMf {
    /// Reads weights and hyper-parameters.
    pub fn load(weights: &Weights<'_>, options: ScanOptions) -> Result<Self, ModelError> {
        let audience = Audience::load(weights)?;
        let titles = weights.matrix("title.factors", Some(audience.n_titles()), None)?;
        let bias = weights.vector("title.bias", Some(audience.n_titles()))?;
        weights.check_factors(titles.cols())?;
        let ratings = Ratings::load(weights, audience.n_viewers(), titles.cols())?;
        Ok(Self { audience, ratings, index: TitleIndex::new(titles, Some(bias), options)? })
    }
}

impl FactorModel for BiasedMf {
    const ARCHITECTURE: Architecture = Architecture::BiasedMf;

    fn audience(&self) -> &Audience {
        &self.audience
    }

    fn index(&self) -> &TitleIndex {
        &self.index
    }

    fn embed(&self, viewer: &Viewer<'_>) -> Embedding {
        let new = self.audience.new_titles(viewer);
        let (base, vector) = if new.is_empty() {
            self.ratings.trained(viewer.known)
        } else {
            let history = viewer.known.map(|known| self.audience.history(known)).unwrap_or_default();
            self.ratings.fold_in(&self.index, &Prior { known: viewer.known, history, new: &new, added: &[] })
        };
        Embedding { base, vector }
    }
}
