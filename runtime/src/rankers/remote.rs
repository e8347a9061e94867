//! One revision of a model in other pods, as pages ask it.
//!
//! A pod says who the viewer is and brings the viewer's scores along in one call. The scores near titles take a second call,
//! because only the first answer tells the viewer's history. So a page takes two round trips at most.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::{BoxFuture, FutureExt};
use marquee_artifacts::IdTable;
use tonic::Status;

use super::{message, revision::Revision};
use crate::{
    contract::marquee::v1::{Model, QueryRequest, QueryResponse, TitlesRequest},
    service::{
        client::{
            KnownViewer, OwnedViewer, RankError, RankerClient, ScoresAnswer, ScoresQuery, ScoresResult,
            ViewerQuery,
        },
        types::ModelInfo,
    },
    serving::deadline,
};

/// A title table that does not come in this time is asked for again.
const TITLES_TIMEOUT: Duration = Duration::from_secs(10);

/// A revision of a model in other pods, with its title table.
pub struct RemoteRanker {
    info: ModelInfo,
    titles: IdTable,
    plays: Vec<f32>,
    model: Model,
    revision: Arc<Revision>,
}

/// Reads the title table from one of the pods.
///
/// # Errors
/// When no pod answers in time, or the table is not whole.
pub async fn fetch(revision: &Arc<Revision>) -> Result<RemoteRanker, Status> {
    let read = async {
        let no_pod = || Status::unavailable("the revision has no pod");
        let pod = revision.pick(None, Instant::now()).ok_or_else(no_pod)?;
        let _in_flight = pod.begin();
        let request = TitlesRequest { objective: revision.key.objective.to_string() };
        let mut chunks = pod.client().titles(request).await?.into_inner();
        let mut titles = message::Titles::default();
        while let Some(chunk) = chunks.message().await? {
            titles.add(chunk);
        }
        titles.finish()
    };
    let read = tokio::time::timeout(TITLES_TIMEOUT, read).await;
    let (model, titles, plays) =
        read.unwrap_or_else(|_| Err(Status::deadline_exceeded("the titles did not come in time")))?;
    let info =
        ModelInfo { objective: revision.key.objective.clone(), revision: model.revision.as_str().into() };
    Ok(RemoteRanker { info, titles, plays, model, revision: revision.clone() })
}

impl RemoteRanker {
    async fn query(&self, query: QueryRequest, until: Instant) -> Result<QueryResponse, RankError> {
        let answer = deadline::within(Some(until), self.revision.query(query, until)).await;
        answer.unwrap_or(Err(RankError::DeadlineExceeded))
    }

    async fn known_viewer(&self, query: ViewerQuery, until: Instant) -> Result<KnownViewer<'_>, RankError> {
        let recent = query.recent.clone();
        let answer = self.query(message::viewer_query(self.model.clone(), query), until).await?;
        message::known_viewer(answer, recent, self.titles.len())
    }

    async fn near(&self, titles: Vec<u32>, until: Instant) -> Vec<ScoresResult> {
        let n_near = titles.len();
        let answer = self.query(message::near_query(self.model.clone(), titles), until).await;
        match answer.and_then(|answer| message::near_scores(&answer, n_near, self.titles.len())) {
            Ok(near) => near.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error); n_near],
        }
    }
}

impl RankerClient for RemoteRanker {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn titles(&self) -> &IdTable {
        &self.titles
    }

    fn plays(&self) -> &[f32] {
        &self.plays
    }

    fn recognise(
        &self,
        query: ViewerQuery,
        until: Instant,
    ) -> BoxFuture<'_, Result<KnownViewer<'_>, RankError>> {
        self.known_viewer(query, until).boxed()
    }

    fn scores(&self, query: ScoresQuery, until: Instant) -> BoxFuture<'_, ScoresAnswer> {
        // The viewer's scores came with the recognition; a pod that left them out does not get a second call.
        let missing = |_: OwnedViewer| Err(RankError::Failed("the answer lacks the viewer's scores".into()));
        let viewer = query.viewer.map(missing);
        match query.near.is_empty() {
            true => std::future::ready(ScoresAnswer { viewer, near: Vec::new() }).boxed(),
            false => {
                let near = self.near(query.near, until);
                near.map(|near| ScoresAnswer { viewer, near }).boxed()
            }
        }
    }
}
