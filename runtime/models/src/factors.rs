//! What the factor models share: a viewer becomes a base and a vector, and the title index does the rest.

use candle_core::{Device, Tensor};
use marquee_artifacts::manifest::Architecture;

use crate::audience::Audience;
use crate::model::{Model, ModelError, Scored, TopKQuery, Viewer};
use crate::scan::{Query, Search, TitleIndex};
use crate::select::Excluded;

/// A model whose score of title t is `(base + bias[t]) + vector · factors[t]`, base and vector being the viewer's.
pub trait FactorModel: Send + Sync {
    /// What it is.
    const ARCHITECTURE: Architecture;

    /// Plays and histories.
    fn audience(&self) -> &Audience;

    /// Title factors `(n_titles, d)` and biases `(n_titles)`.
    fn index(&self) -> &TitleIndex;

    /// The viewer's base, and vector `(d)`: trained, or folded in. Viewer and titles are known to be in range.
    fn embed(&self, viewer: &Viewer<'_>) -> Embedding;

    /// Bytes of heap beside the index.
    fn extra_heap_bytes(&self) -> usize {
        0
    }
}

/// A viewer as a factor model sees one.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// Added to every score.
    pub base: f32,
    /// `(d)`.
    pub vector: Vec<f32>,
}

fn query<M: FactorModel>(model: &M, viewer: &Viewer<'_>) -> Result<Query, ModelError> {
    model.audience().check_viewer(viewer)?;
    let embedding = model.embed(viewer);
    Ok(Query::new(embedding.base, &embedding.vector))
}

/// Refuses lists of titles that are not one a viewer.
pub(crate) fn check_lists(viewers: &[Viewer<'_>], titles: &[&[u32]]) -> Result<(), ModelError> {
    if viewers.len() == titles.len() {
        return Ok(());
    }
    let (viewers, lists) = (viewers.len(), titles.len());
    Err(ModelError::Weights(format!(
        "titles to score: expected {viewers} lists, one a viewer, found {lists}"
    )))
}

/// What a query may not get back: the ascending list of what the viewer watched, and the rest, sorted here.
pub(crate) fn excluded_lists<'a>(audience: &'a Audience, query: &TopKQuery<'_>) -> (&'a [u32], Vec<u32>) {
    let mut also = query.exclude.to_vec();
    let mut watched: &[u32] = &[];
    if !query.include_watched {
        also.extend_from_slice(query.viewer.recent);
        watched = query.viewer.known.map(|known| audience.history(known)).unwrap_or_default();
    }
    also.sort_unstable();
    (watched, also)
}

impl<M: FactorModel> Model for M {
    fn architecture(&self) -> Architecture {
        M::ARCHITECTURE
    }

    fn n_titles(&self) -> usize {
        self.audience().n_titles()
    }

    fn n_viewers(&self) -> usize {
        self.audience().n_viewers()
    }

    fn history(&self, viewer: u32) -> &[u32] {
        self.audience().history(viewer)
    }

    fn plays(&self) -> &[f32] {
        self.audience().plays()
    }

    fn knows(&self, viewer: &Viewer<'_>) -> bool {
        self.audience().knows(viewer)
    }

    fn score_all(&self, viewers: &[Viewer<'_>]) -> Result<Tensor, ModelError> {
        let (mut bases, mut vectors) = (Vec::with_capacity(viewers.len()), Vec::new());
        for viewer in viewers {
            self.audience().check_viewer(viewer)?;
            let embedding = self.embed(viewer);
            bases.push(embedding.base);
            vectors.extend_from_slice(&embedding.vector);
        }
        let vectors = Tensor::from_vec(vectors, (viewers.len(), self.index().d()), &Device::Cpu)?;
        let bases = Tensor::from_vec(bases, viewers.len(), &Device::Cpu)?;
        Ok(self.index().forward(&vectors, &bases)?)
    }

    fn score(&self, viewers: &[Viewer<'_>], titles: &[&[u32]]) -> Result<Vec<Vec<f32>>, ModelError> {
        check_lists(viewers, titles)?;
        let one = |(viewer, titles): (&Viewer<'_>, &&[u32])| {
            self.audience().check_titles(titles)?;
            Ok(self.index().score(&query(self, viewer)?, titles))
        };
        viewers.iter().zip(titles).map(one).collect()
    }

    fn top_k(&self, queries: &[TopKQuery<'_>]) -> Result<Vec<Vec<Scored>>, ModelError> {
        let prepared = queries
            .iter()
            .map(|asked| Ok((query(self, &asked.viewer)?, excluded_lists(self.audience(), asked))))
            .collect::<Result<Vec<_>, ModelError>>()?;
        let searches: Vec<Search<'_>> = queries
            .iter()
            .zip(&prepared)
            .map(|(asked, (query, (watched, also)))| Search {
                query,
                k: asked.k,
                excluded: Excluded { watched, also },
            })
            .collect();
        Ok(self.index().top_k(&searches))
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.index().heap_bytes() + self.extra_heap_bytes()
    }
}
