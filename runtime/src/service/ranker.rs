//! A model as it is served: id tables, forward passes through its batcher, and what a pass costs.

use std::{
    cmp::Ordering,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use marquee_artifacts::{Artifact, Digest, IdTable};
use marquee_crds::pod_config::RankerConfig;
use marquee_models::{Model, Scored, TitleRow, ViewerRow};
use tokio::sync::Semaphore;

use super::{
    Observer,
    describe::{ModelDescription, ViewerDescription},
    passes::{Answer, Job, ModelPass, OwnedQuery, OwnedViewer, RankError},
    types::{ModelInfo, Recognised},
    validate::MAX_TITLES,
};
use crate::serving::batcher::{BatchLimits, Batcher, Pass, Unanswered};

/// A loaded artifact with its model, checked. Shared by the plans that serve it.
pub struct LoadedModel {
    /// Files, tables and manifest.
    pub artifact: Artifact,
    /// Of the title table.
    pub titles: IdTable,
    /// Of the viewer table.
    pub viewers: IdTable,
    /// What computes.
    pub model: Arc<dyn Model>,
    /// How long one pass over all titles takes here, for a viewer with up to [`super::passes::COSTED_RECENT`] titles.
    pub whole_pass: Duration,
    /// Zeros in place of the plays that the model does not tell; empty where it does.
    no_plays: Vec<f32>,
    /// Title rows, those that most viewers watched first: as many as a stranger may ask for.
    popular: Vec<u32>,
    /// Viewer rows, those who watched most first: as many as a picker may ask for. Sorted when first asked for.
    busiest: OnceLock<Vec<u32>>,
}

/// Titles of [`LoadedModel::popular`]: the largest `k`, and the most exclusions.
const POPULAR_KEPT: usize = 2 * MAX_TITLES;
/// Viewers of [`ServedModel::busiest_viewers`].
pub const BUSIEST_KEPT: usize = 50_000;

impl LoadedModel {
    /// A model with what its artifact says, and what a pass costs. None for an artifact without id tables, which no
    /// model's is.
    pub fn new(mut artifact: Artifact, model: Arc<dyn Model>, whole_pass: Duration) -> Option<Self> {
        // The tables move out: they are asked for at every request.
        let (titles, viewers) = (artifact.titles.take()?, artifact.viewers.take()?);
        // The model holds what it needs of the mapping.
        artifact.tensors.clear();
        let no_plays = if model.popularity().is_some() { Vec::new() } else { vec![0.0; titles.len()] };
        let plays = model.popularity().map_or(&*no_plays, |popularity| popularity.plays());
        let popular = first_by(plays.len(), POPULAR_KEPT, |a, b| plays[b].total_cmp(&plays[a]));
        Some(Self {
            artifact,
            titles,
            viewers,
            model,
            whole_pass,
            no_plays,
            popular,
            busiest: OnceLock::new(),
        })
    }

    /// Of the artifact's manifest.
    pub fn digest(&self) -> Digest {
        self.artifact.digest
    }

    /// Title rows, those that most viewers watched first: as many as a stranger may ask for.
    pub fn popular(&self) -> &[u32] {
        &self.popular
    }

    /// Viewers that watched each title in training; zeros where the model does not tell.
    pub fn plays(&self) -> &[f32] {
        self.model.popularity().map_or(&self.no_plays, |popularity| popularity.plays())
    }

    /// Title rows that a viewer watched in training; empty where the model does not tell.
    pub fn history(&self, viewer: u32) -> &[u32] {
        let watched = self.model.history().map(|history| history.watched(ViewerRow(viewer)));
        TitleRow::numbers(watched.unwrap_or_default())
    }

    fn busiest(&self) -> &[u32] {
        self.busiest.get_or_init(|| {
            let watched: Vec<usize> =
                (0..self.viewers.len() as u32).map(|viewer| self.history(viewer).len()).collect();
            first_by(watched.len(), BUSIEST_KEPT, |a, b| watched[b].cmp(&watched[a]))
        })
    }

    /// Rows of those of `recent` that the model knows, each once, in the same order.
    pub fn recent_rows<S: AsRef<str>>(&self, recent: &[S]) -> Vec<u32> {
        recent_rows(&self.titles, recent)
    }

    /// Bytes held beside the mapped file.
    pub fn heap_bytes(&self) -> usize {
        let tables = self.titles.memory_bytes() + self.viewers.memory_bytes();
        self.model.heap_bytes() + tables + 4 * self.popular.len()
    }
}

/// Rows of those of `recent` that the table has, each once, in the same order.
pub fn recent_rows<S: AsRef<str>>(titles: &IdTable, recent: &[S]) -> Vec<u32> {
    let mut rows = Vec::with_capacity(recent.len());
    for id in recent {
        if let Some(row) = titles.row(id.as_ref())
            && !rows.contains(&row)
        {
            rows.push(row);
        }
    }
    rows
}

/// A model that is served under an objective.
pub struct ServedModel {
    /// What the manifest says.
    pub config: RankerConfig,
    /// By which answers name it.
    pub info: ModelInfo,
    /// For which it ranks.
    pub surface: Arc<str>,
    /// What computes.
    pub loaded: Arc<LoadedModel>,
    batcher: Batcher<ModelPass>,
}

/// What the passes of all models share.
#[derive(Clone)]
pub struct PassPool {
    /// Bounds the heavy passes that run at once.
    pub heavy: Arc<Semaphore>,
    /// Told of batch sizes.
    pub observer: Arc<dyn Observer>,
}

impl ServedModel {
    /// Serves `loaded` as `config` says.
    pub fn new(config: RankerConfig, loaded: Arc<LoadedModel>, pool: &PassPool) -> Self {
        let info = ModelInfo {
            objective: config.objective.as_str().into(),
            revision: loaded.digest().to_string().into(),
        };
        let pass = ModelPass {
            loaded: loaded.clone(),
            objective: info.objective.clone(),
            observer: pool.observer.clone(),
        };
        let limits = BatchLimits { max_batch: config.max_batch, max_delay: config.max_delay };
        let batcher = Batcher::new(pass, limits, pool.heavy.clone());
        Self { surface: config.surface.as_str().into(), config, info, loaded, batcher }
    }

    /// Whether work of this length leaves the thread that asks for it.
    pub fn leaves_the_thread(&self, viewer: &OwnedViewer) -> bool {
        self.batcher.is_worth_batching(self.batcher.pass().whole(viewer))
    }

    /// Scores of all titles, by title row.
    pub async fn score_all(
        &self,
        viewer: OwnedViewer,
        until: Option<Instant>,
    ) -> Result<Vec<f32>, RankError> {
        self.run(Job::All(viewer), until).await.map(Answer::into_scores)
    }

    /// Scores of `titles`, in their order.
    pub async fn score(
        &self,
        viewer: OwnedViewer,
        titles: Vec<u32>,
        until: Option<Instant>,
    ) -> Result<Vec<f32>, RankError> {
        self.run(Job::Some(viewer, titles), until).await.map(Answer::into_scores)
    }

    /// The best titles.
    pub async fn top_k(&self, query: OwnedQuery, until: Option<Instant>) -> Result<Vec<Scored>, RankError> {
        self.run(Job::Best(query), until).await.map(Answer::into_best)
    }

    async fn run(&self, job: Job, until: Option<Instant>) -> Result<Answer, RankError> {
        let pass = self.batcher.pass();
        if !self.batcher.is_worth_batching(pass.estimate(&job)) {
            // A pass that panics fails its request, here as in a batch.
            return catch_unwind(AssertUnwindSafe(|| pass.run_one(&job))).unwrap_or_else(|_| Err(panicked()));
        }
        match self.batcher.submit(job, Instant::now(), until).await {
            Ok(answer) => answer,
            Err(Unanswered::DeadlineExceeded) => Err(RankError::DeadlineExceeded),
            Err(Unanswered::Failed) => Err(panicked()),
        }
    }

    /// How the viewer of a request is recognised.
    pub fn recognise(&self, viewer: &OwnedViewer) -> Recognised {
        let knows = match self.loaded.model.fold_in() {
            Some(fold_in) => fold_in.knows(&viewer.context(&viewer.events())),
            None => viewer.known.is_some(),
        };
        match viewer.known {
            _ if !knows => Recognised::Stranger,
            Some(_) => Recognised::Known,
            None => Recognised::FoldedIn,
        }
    }

    /// The viewer of a request in the rows of this model. Ids that it does not know are ignored.
    pub fn viewer<S: AsRef<str>>(&self, viewer: &S, recent: &[S]) -> OwnedViewer {
        let known = self.loaded.viewers.row(viewer.as_ref());
        OwnedViewer { known, recent: self.loaded.recent_rows(recent) }
    }

    /// For those who ask what is served.
    pub fn description(&self) -> ModelDescription {
        ModelDescription {
            objective: self.info.objective.clone(),
            surface: self.surface.clone(),
            revision: self.info.revision.clone(),
            architecture: self.loaded.artifact.manifest.architecture.to_string(),
            n_titles: self.loaded.titles.len(),
            n_viewers: self.loaded.viewers.len(),
            max_top_k: self.config.max_top_k,
        }
    }

    /// Up to `limit` viewers (and [`BUSIEST_KEPT`]), those who watched most first.
    pub fn busiest_viewers(&self, limit: usize) -> Vec<ViewerDescription> {
        let describe = |&row: &u32| ViewerDescription {
            id: self.loaded.viewers.id(row).into(),
            n_watched: self.loaded.history(row).len(),
        };
        self.loaded.busiest().iter().take(limit).map(describe).collect()
    }
}

fn panicked() -> RankError {
    RankError::Failed("the pass panicked".into())
}

/// The first `kept` of the rows `0..n` in the order of `compare`, equal ones by ascending row.
fn first_by(n: usize, kept: usize, compare: impl Fn(usize, usize) -> Ordering) -> Vec<u32> {
    let compare = |a: &u32, b: &u32| compare(*a as usize, *b as usize).then(a.cmp(b));
    let mut rows: Vec<u32> = (0..n as u32).collect();
    if n > kept {
        rows.select_nth_unstable_by(kept, compare);
        rows.truncate(kept);
        rows.shrink_to_fit();
    }
    rows.sort_unstable_by(compare);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_those_of_a_full_sort() {
        let plays = [3.0f32, 9.0, 1.0, 9.0, 4.0, 3.0];
        let order = |a: usize, b: usize| plays[b].total_cmp(&plays[a]);
        assert_eq!(first_by(6, 10, order), [1, 3, 4, 0, 5, 2], "equal ones by row");
        assert_eq!(first_by(6, 4, order), [1, 3, 4, 0]);
    }
}
