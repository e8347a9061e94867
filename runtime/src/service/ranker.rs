//! A model as it is served: id tables, forward passes through its batcher, and what a pass costs.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use marquee_artifacts::{Artifact, Digest, IdTable};
use marquee_crds::pod_config::RankerConfig;
use marquee_models::{Model, Scored};
use tokio::sync::Semaphore;

use super::{
    Observer,
    describe::{ModelDescription, ViewerDescription},
    passes::{Answer, Job, ModelPass, OwnedQuery, OwnedViewer, RankError},
    types::{ModelInfo, Recognised},
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
    popular: OnceLock<Vec<u32>>,
}

impl LoadedModel {
    /// A model with what its artifact says, and what a pass costs. None for an artifact without id tables, which no
    /// model's is.
    pub fn new(mut artifact: Artifact, model: Arc<dyn Model>, whole_pass: Duration) -> Option<Self> {
        // The tables move out: they are asked for at every request.
        let (titles, viewers) = (artifact.titles.take()?, artifact.viewers.take()?);
        // The model holds what it needs of the mapping.
        artifact.tensors.clear();
        Some(Self { artifact, titles, viewers, model, whole_pass, popular: OnceLock::new() })
    }

    /// Of the artifact's manifest.
    pub fn digest(&self) -> Digest {
        self.artifact.digest
    }

    /// Title rows, those that most viewers watched first. Sorted at the first stranger.
    pub fn popular(&self) -> &[u32] {
        self.popular.get_or_init(|| {
            let plays = self.model.plays();
            let mut rows: Vec<u32> = (0..plays.len() as u32).collect();
            rows.sort_by(|&a, &b| plays[b as usize].total_cmp(&plays[a as usize]));
            rows
        })
    }

    /// Rows of those of `recent` that the model knows, each once, in the same order.
    pub fn recent_rows<S: AsRef<str>>(&self, recent: &[S]) -> Vec<u32> {
        let mut rows = Vec::with_capacity(recent.len());
        for id in recent {
            if let Some(row) = self.titles.row(id.as_ref())
                && !rows.contains(&row)
            {
                rows.push(row);
            }
        }
        rows
    }

    /// Bytes held beside the mapped file.
    pub fn heap_bytes(&self) -> usize {
        self.model.heap_bytes() + self.titles.memory_bytes() + self.viewers.memory_bytes()
    }
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
            return pass.run_one(&job);
        }
        match self.batcher.submit(job, Instant::now(), until).await {
            Ok(answer) => answer,
            Err(Unanswered::DeadlineExceeded) => Err(RankError::DeadlineExceeded),
            Err(Unanswered::Failed) => Err(RankError::Failed("the pass panicked".into())),
        }
    }

    /// How the viewer of a request is recognised.
    pub fn recognise(&self, viewer: &OwnedViewer) -> Recognised {
        match viewer.known {
            _ if !self.loaded.model.knows(&viewer.borrow()) => Recognised::Stranger,
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

    /// Up to `limit` viewers, those who watched most first.
    pub fn busiest_viewers(&self, limit: usize) -> Vec<ViewerDescription> {
        let viewers = &self.loaded.viewers;
        let mut rows: Vec<(usize, u32)> =
            (0..viewers.len() as u32).map(|row| (self.loaded.model.history(row).len(), row)).collect();
        rows.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        rows.truncate(limit);
        rows.into_iter()
            .map(|(n_watched, row)| ViewerDescription { id: viewers.id(row).into(), n_watched })
            .collect()
    }
}
