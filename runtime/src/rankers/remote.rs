//! One revision of a model in other pods, as pages use it.
//!
//! The first call recognises the viewer and returns the viewer's scores. Scores near titles need a second call, because they
//! depend on the viewer's history, which the first call returns. A page therefore needs at most two round trips.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::{BoxFuture, FutureExt};
use marquee_artifacts::{IdTable, TitleRow};
use tonic::Status;
use tracing::debug;

use super::{message, pod::Pod, revision::Revision};
use crate::{
    contract::marquee::v1::{KeepSlicesRequest, Model, QueryRequest, QueryResponse, TitlesRequest},
    service::{
        client::{
            KnownViewer, NearQuery, OwnedViewer, RankError, RankerClient, ScoresAnswer, ScoresQuery,
            ScoresResult, ViewerQuery,
        },
        lists::{Slice, TitleList},
        types::ModelInfo,
    },
    serving::deadline,
};

/// A title table that does not arrive in this time is requested again.
const TITLES_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a pod may take to receive a slice.
const SLICE_TIMEOUT: Duration = Duration::from_secs(10);

/// A revision of a model in other pods, with its title table.
pub struct RemoteRanker {
    info: ModelInfo,
    titles: IdTable<TitleRow>,
    plays: Vec<f32>,
    model: Model,
    revision: Arc<Revision>,
}

/// Reads the title table from one of the pods.
///
/// # Errors
/// Fails if no pod answers in time, or if the table is incomplete.
pub async fn fetch(revision: &Arc<Revision>) -> Result<RemoteRanker, Status> {
    let read = async {
        let no_pod = || Status::unavailable("the revision has no pods");
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
        read.unwrap_or_else(|_| Err(Status::deadline_exceeded("the titles did not arrive in time")))?;
    let info = ModelInfo {
        objective: revision.key.objective.clone(),
        artifact_digest: model.revision.as_str().into(),
    };
    Ok(RemoteRanker { info, titles, plays, model, revision: revision.clone() })
}

impl RemoteRanker {
    /// Sends `query` to a pod. `lists` are the lists of the query: if the pod lacks their slices, it receives them for the next
    /// query.
    async fn query<'a>(
        &self,
        query: QueryRequest,
        lists: impl IntoIterator<Item = &'a TitleList>,
        until: Instant,
    ) -> Result<QueryResponse, RankError> {
        let answer = deadline::within(Some(until), self.revision.query(query, until)).await;
        let (pod, answer) = answer.unwrap_or(Err(RankError::DeadlineExceeded))?;
        if answer.slices_missing && pod.may_send_slices(Instant::now()) {
            let slices: Vec<&Slice> = lists.into_iter().filter_map(|list| list.slice.as_ref()).collect();
            let requests: Vec<_> = slices
                .iter()
                .map(|slice| message::slice(self.model.clone(), slice, self.titles.len()))
                .collect();
            tokio::spawn(send_slices(pod, requests));
        }
        Ok(answer)
    }

    async fn known_viewer(
        &self,
        query: ViewerQuery<'_>,
        until: Instant,
    ) -> Result<KnownViewer<'_>, RankError> {
        let (recent, lists) = (query.recent.clone(), query.lists.clone());
        let query = message::viewer_query(self.model.clone(), query);
        let answer = self.query(query, lists.iter(), until).await?;
        message::known_viewer(answer, recent, self.titles.len())
    }

    async fn near(&self, near: Vec<NearQuery>, watched_by: OwnedViewer, until: Instant) -> Vec<ScoresResult> {
        let n_near = near.len();
        let query = message::near_query(self.model.clone(), &near, watched_by);
        let answer = self.query(query, near.iter().filter_map(|near| near.list.as_ref()), until).await;
        match answer.and_then(|answer| message::near_scores(&answer, n_near, self.titles.len())) {
            Ok(near) => near.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error); n_near],
        }
    }
}

/// Sends one slice in each message, so that no message is too large. If a slice does not arrive, later answers are only longer.
async fn send_slices(pod: Arc<Pod>, requests: Vec<KeepSlicesRequest>) {
    for request in requests {
        let sent = tokio::time::timeout(SLICE_TIMEOUT, pod.client().keep_slices(request)).await;
        if let Ok(Err(status)) = sent {
            debug!(address = pod.address, code = ?status.code(), error = status.message(), "cannot send a slice");
        }
    }
}

impl RankerClient for RemoteRanker {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn titles(&self) -> &IdTable<TitleRow> {
        &self.titles
    }

    fn plays(&self) -> &[f32] {
        &self.plays
    }

    fn is_available(&self, now: Instant) -> bool {
        self.revision.is_available(now)
    }

    fn wants_lists(&self) -> bool {
        true
    }

    fn recognise<'a: 'q, 'q>(
        &'a self,
        query: ViewerQuery<'q>,
        until: Instant,
    ) -> BoxFuture<'q, Result<KnownViewer<'a>, RankError>> {
        self.known_viewer(query, until).boxed()
    }

    fn scores(&self, query: ScoresQuery, until: Instant) -> BoxFuture<'_, ScoresAnswer> {
        // The recognition returned the viewer's scores. If the pod left them out, no second call is made.
        let missing = |_: OwnedViewer| Err(RankError::Failed("the answer lacks the viewer's scores".into()));
        let viewer = query.viewer.map(missing);
        match query.near.is_empty() {
            true => std::future::ready(ScoresAnswer { viewer, near: Vec::new() }).boxed(),
            false => {
                let near = self.near(query.near, query.watched_by, until);
                near.map(|near| ScoresAnswer { viewer, near }).boxed()
            }
        }
    }
}
