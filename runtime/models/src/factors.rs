//! What the factor models share: a viewer becomes a base and a vector, and the title index does the rest.

use marquee_artifacts::Architecture;
use marquee_artifacts::layout::Declaration;
use marquee_artifacts::layout::Size::{Factors, Titles, Viewers};

use crate::capabilities::{Embeddings, Neighbours, ScoreAll, TopK, TopKQuery};
use crate::capability::Capability;
use crate::descriptor::Descriptor;
use crate::error::ModelError;
use crate::lists;
use crate::model::Model;
use crate::rows::Scored;
use crate::rows::TitleRow;
use crate::scan::{Query, Search, TitleIndex};
use crate::select::Excluded;
use crate::viewer::ViewerContext;
use crate::watch_history::WatchHistory;

/// What factor models offer.
pub const CAPABILITIES: &[Capability] = &Capability::ALL;

/// The weights of a model that has a vector for each viewer and each title.
pub const FACTORS: &[Declaration] = &[
    Declaration::f32("viewer.factors", &[Viewers, Factors]),
    Declaration::f32("title.factors", &[Titles, Factors]),
];

/// A model whose score of title t is `(base + bias[t]) + vector · factors[t]`, base and vector being the viewer's.
pub trait FactorModel: Send + Sync {
    /// What it is.
    const DESCRIPTOR: &'static Descriptor;

    /// Plays and histories.
    fn watch_history(&self) -> &WatchHistory;

    /// Title factors `(n_titles, d)` and biases `(n_titles)`.
    fn index(&self) -> &TitleIndex;

    /// The viewer's base, and vector `(d)`: trained, or folded in. Viewer and titles are known to be in range.
    fn embed(&self, viewer: &ViewerContext<'_>) -> Embedding;

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

fn query<M: FactorModel>(model: &M, viewer: &ViewerContext<'_>) -> Result<Query, ModelError> {
    model.watch_history().check_viewer(viewer)?;
    let embedding = model.embed(viewer);
    Ok(Query::new(embedding.base, &embedding.vector))
}

impl<M: FactorModel> Model for M {
    fn architecture(&self) -> Architecture {
        M::DESCRIPTOR.architecture()
    }

    fn n_titles(&self) -> usize {
        self.watch_history().n_titles()
    }

    fn n_viewers(&self) -> usize {
        self.watch_history().n_viewers()
    }

    fn kept_history(&self) -> Option<&WatchHistory> {
        Some(self.watch_history())
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.index().heap_bytes() + self.extra_heap_bytes()
    }

    fn score(
        &self,
        viewers: &[ViewerContext<'_>],
        candidates: &[&[TitleRow]],
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        lists::check_one_each(viewers, candidates)?;
        let one = |(viewer, titles): (&ViewerContext<'_>, &&[TitleRow])| {
            self.watch_history().check_titles(titles)?;
            Ok(self.index().score(&query(self, viewer)?, titles))
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

    fn embeddings(&self) -> Option<&dyn Embeddings> {
        Some(self.index())
    }
}

impl<M: FactorModel> ScoreAll for M {
    fn score_all_into(&self, viewers: &[ViewerContext<'_>], scores: &mut [f32]) -> Result<(), ModelError> {
        lists::check_scores(viewers.len(), self.index().n_titles(), scores)?;
        let queries =
            viewers.iter().map(|viewer| query(self, viewer)).collect::<Result<Vec<_>, ModelError>>()?;
        self.index().score_all(&queries, scores);
        Ok(())
    }
}

impl<M: FactorModel> TopK for M {
    fn best(&self, queries: &[TopKQuery<'_>]) -> Result<Vec<Vec<Scored>>, ModelError> {
        let history = self.watch_history();
        let mut viewers: Vec<Query> = Vec::with_capacity(queries.len());
        let mut prepared = Vec::with_capacity(queries.len());
        for (at, asked) in queries.iter().enumerate() {
            if at == 0 || queries[at - 1].viewer != asked.viewer {
                viewers.push(query(self, &asked.viewer)?);
            }
            let candidates = lists::candidates(history, asked.candidates)?;
            prepared.push((viewers.len() - 1, candidates, lists::excluded(history, asked)));
        }
        let searches: Vec<Search<'_>> = queries
            .iter()
            .zip(&prepared)
            .map(|(asked, (viewer, candidates, (watched, also)))| Search {
                query: &viewers[*viewer],
                k: asked.k,
                candidates: candidates.as_deref(),
                excluded: Excluded { watched, also },
            })
            .collect();
        Ok(self.index().top_k(&searches))
    }
}

impl<M: FactorModel> Neighbours for M {}
