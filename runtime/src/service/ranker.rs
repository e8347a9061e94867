//! A served model: id tables, forward passes through its batcher, and the cost of a pass.

use std::{sync::Arc, time::Instant};

use futures::future::{BoxFuture, FutureExt, join, join_all};
use marquee_artifacts::IdTable;
use marquee_crds::pod_config::RankerConfig;
use marquee_models::{Scored, TitleRow, ViewerRow};
use tokio::sync::Semaphore;

use super::{
    Observer,
    client::{
        KnownViewer, OwnedViewer, RankError, RankerClient, Scores, ScoresAnswer, ScoresQuery, ScoresResult,
        ViewerQuery,
    },
    describe::{ModelDescription, ViewerDescription},
    forward::{ForwardAnswer, ForwardPass, ForwardRequest, ListsQuery, OwnedQuery},
    lists::TitleList,
    loaded_model::LoadedModel,
    types::{ModelInfo, Recognised},
};
use crate::serving::{
    batcher::{BatchLimits, Batcher, Unanswered},
    deadline,
};

/// A model that is served under an objective.
pub struct ServedModel {
    /// Configuration of the model.
    pub config: RankerConfig,
    /// Name of the model in answers.
    pub info: ModelInfo,
    /// The surface that it ranks for.
    pub surface: Arc<str>,
    /// The loaded model.
    pub loaded: Arc<LoadedModel>,
    batcher: Batcher<ForwardPass>,
}

/// Resources that the passes of all models share.
#[derive(Clone)]
pub struct PassPool {
    /// Limits the heavy passes that run at once.
    pub heavy: Arc<Semaphore>,
    /// Counts batch sizes.
    pub observer: Arc<dyn Observer>,
}

impl ServedModel {
    /// Serves `loaded` with the settings in `config`.
    pub fn new(config: RankerConfig, loaded: Arc<LoadedModel>, pool: &PassPool) -> Self {
        let info = ModelInfo {
            objective: config.objective.as_str().into(),
            artifact_digest: loaded.digest().to_string().into(),
        };
        let pass = ForwardPass {
            loaded: loaded.clone(),
            objective: info.objective.clone(),
            observer: pool.observer.clone(),
        };
        let limits = BatchLimits { max_batch: config.max_batch, max_delay: config.max_delay };
        let batcher = Batcher::new(pass, limits, pool.heavy.clone());
        Self { surface: config.surface.as_str().into(), config, info, loaded, batcher }
    }

    /// Scores of `titles`, in their order.
    pub async fn score(
        &self,
        viewer: OwnedViewer,
        titles: Vec<TitleRow>,
        until: Option<Instant>,
    ) -> Result<Vec<f32>, RankError> {
        self.run(ForwardRequest::Some(viewer, titles), until).await.map(ForwardAnswer::into_scores)
    }

    /// The best titles.
    pub async fn top_k(&self, query: OwnedQuery, until: Option<Instant>) -> Result<Vec<Scored>, RankError> {
        self.run(ForwardRequest::Best(query), until).await.map(ForwardAnswer::into_best)
    }

    async fn run(&self, request: ForwardRequest, until: Option<Instant>) -> Result<ForwardAnswer, RankError> {
        match self.batcher.submit(request, Instant::now(), until).await {
            Ok(answer) => answer,
            Err(Unanswered::DeadlineExceeded) => Err(RankError::DeadlineExceeded),
            Err(Unanswered::Failed) => Err(panicked()),
        }
    }

    /// How the viewer of a request is recognised.
    pub fn recognised(&self, viewer: &OwnedViewer) -> Recognised {
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

    /// The viewer of a request in this model's rows. Unknown ids are ignored.
    pub fn viewer<S: AsRef<str>>(&self, viewer: &S, recent: &[S]) -> OwnedViewer {
        let known = self.loaded.viewers.row(viewer.as_ref());
        OwnedViewer { known, recent: self.loaded.recent_rows(recent) }
    }

    /// Description of the model for metadata requests.
    pub fn description(&self) -> ModelDescription {
        ModelDescription {
            objective: self.info.objective.clone(),
            surface: self.surface.clone(),
            artifact_digest: self.info.artifact_digest.clone(),
            architecture: self.loaded.artifact.manifest.architecture.to_string(),
            n_titles: self.loaded.titles.len(),
            n_viewers: self.loaded.viewers.len(),
            max_top_k: self.config.max_top_k,
        }
    }

    /// Scores of all titles. Returns at `until` even if the pass takes longer.
    async fn scores_by(
        &self,
        viewer: OwnedViewer,
        lists: Arc<[TitleList]>,
        watched_by: OwnedViewer,
        until: Instant,
    ) -> ScoresResult {
        if deadline::has_passed(Some(until), Instant::now()) {
            return Err(RankError::DeadlineExceeded);
        }
        let scores = async {
            if lists.is_empty() {
                return self
                    .run(ForwardRequest::All(viewer), Some(until))
                    .await
                    .map(|answer| Scores::All(answer.into_scores()));
            }
            let query = ListsQuery { viewer, lists, watched_by };
            let answer = self.run(ForwardRequest::Lists(query), Some(until)).await;
            answer.map(|answer| Scores::Listed(answer.into_listed()))
        };
        deadline::within(Some(until), scores).await.unwrap_or(Err(RankError::DeadlineExceeded))
    }
}

/// Answers in this process. Light passes run inline; heavy requests are submitted together, so that they share passes.
impl RankerClient for ServedModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn titles(&self) -> &IdTable<TitleRow> {
        &self.loaded.titles
    }

    fn plays(&self) -> &[f32] {
        self.loaded.plays()
    }

    fn recognise<'a: 'q, 'q>(
        &'a self,
        query: ViewerQuery<'q>,
        _: Instant,
    ) -> BoxFuture<'q, Result<KnownViewer<'a>, RankError>> {
        let known = self.loaded.viewers.row(&query.viewer);
        let viewer = OwnedViewer { known, recent: query.recent };
        let recognised = self.recognised(&viewer);
        let history = known.map_or(&[][..], |known| self.loaded.history(known));
        let known = KnownViewer { recognised, viewer, history: history.into(), scores: None };
        std::future::ready(Ok(known)).boxed()
    }

    fn scores(&self, query: ScoresQuery, until: Instant) -> BoxFuture<'_, ScoresAnswer> {
        let ScoresQuery { viewer, lists, near, watched_by } = query;
        let of_viewer = async move {
            match viewer {
                Some(viewer) if lists.is_empty() => {
                    Some(self.scores_by(viewer, lists, OwnedViewer::default(), until).await)
                }
                Some(viewer) => Some(self.scores_by(viewer.clone(), lists, viewer, until).await),
                None => None,
            }
        };
        if near.is_empty() {
            return of_viewer.map(|viewer| ScoresAnswer { viewer, near: Vec::new() }).boxed();
        }
        let near = join_all(near.into_iter().map(move |near| {
            let lists = near.list.into_iter().collect();
            self.scores_by(OwnedViewer::of_title(near.title), lists, watched_by.clone(), until)
        }));
        join(of_viewer, near).map(|(viewer, near)| ScoresAnswer { viewer, near }).boxed()
    }

    fn busiest_viewers(&self, limit: usize) -> Option<Vec<ViewerDescription>> {
        let describe = |&row: &ViewerRow| ViewerDescription {
            id: self.loaded.viewers.id(row).into(),
            n_watched: self.loaded.history(row).len(),
        };
        Some(self.loaded.busiest().iter().take(limit).map(describe).collect())
    }
}

fn panicked() -> RankError {
    RankError::Failed("it panicked".into())
}
