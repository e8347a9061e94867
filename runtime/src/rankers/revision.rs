//! The pods of one revision, as one: balances over them, avoids failing ones, tries once more elsewhere.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use marquee_artifacts::{MIX_STEP, jitter, mix64};
use tokio::sync::mpsc;
use tonic::{Code, Request, Status};
use tracing::{info, warn};

use super::{
    RevisionKey,
    budget::RetryBudget,
    health::{self, Failure},
    pod::Pod,
};
use crate::{
    contract::marquee::v1::{QueryRequest, QueryResponse},
    service::{Observer, client::RankError},
};

/// A pod that had less time than this to answer has not failed by being late.
const FAIR_TIME: Duration = Duration::from_millis(20);

/// The pods of one revision.
pub struct Revision {
    /// Of which model, and which revision.
    pub key: RevisionKey,
    pods: ArcSwap<Vec<Arc<Pod>>>,
    budget: RetryBudget,
    /// Steps of a random sequence, for the choice of two pods.
    random: AtomicU64,
    observer: Arc<dyn Observer>,
    /// Receives the key when the pods serve another artifact than the one whose titles are known.
    stale: mpsc::Sender<RevisionKey>,
}

impl Revision {
    /// A revision without pods.
    pub fn new(key: RevisionKey, observer: Arc<dyn Observer>, stale: mpsc::Sender<RevisionKey>) -> Arc<Self> {
        Arc::new(Self {
            key,
            pods: ArcSwap::default(),
            budget: RetryBudget::default(),
            random: AtomicU64::new(0),
            observer,
            stale,
        })
    }

    /// From now on requests go to these pods. Pods known before stay connected; requests in flight to other pods finish.
    pub fn set_addresses(&self, addresses: &[String]) {
        let known = self.pods.load();
        let mut pods = Vec::with_capacity(addresses.len());
        for address in addresses {
            match known.iter().find(|pod| pod.address == *address) {
                Some(pod) => pods.push(pod.clone()),
                None => match Pod::new(address) {
                    Ok(pod) => pods.push(pod),
                    Err(error) => warn!(address, %error, "an invalid address is skipped"),
                },
            }
        }
        self.observer.endpoints(&self.key.objective, &self.key.revision, Some(pods.len()));
        self.pods.store(Arc::new(pods));
    }

    /// Pods that are known.
    pub fn n_pods(&self) -> usize {
        self.pods.load().len()
    }

    /// The pod to ask, not `avoid` if there is another.
    pub fn pick(&self, avoid: Option<&Arc<Pod>>, now: Instant) -> Option<Arc<Pod>> {
        let pods = self.pods.load();
        let avoid = avoid.and_then(|avoid| pods.iter().position(|pod| Arc::ptr_eq(pod, avoid)));
        let random = mix64(self.random.fetch_add(MIX_STEP, Relaxed));
        let chosen = health::choose(pods.len(), avoid, random, |idx| pods[idx].candidate(now))?;
        pods.get(chosen).cloned()
    }

    /// Asks one pod, and another one if the first fails. The pod that answered comes with the answer.
    pub async fn query(
        &self,
        message: QueryRequest,
        until: Instant,
    ) -> Result<(Arc<Pod>, QueryResponse), RankError> {
        self.budget.earn();
        let Some(first) = self.pick(None, Instant::now()) else {
            self.count("no_pod");
            return Err(RankError::NotReady);
        };
        let failure = match self.query_pod(&first, message.clone(), until).await {
            Ok(answer) => return Ok((first, answer)),
            Err(failure) => failure,
        };
        if !is_worth_another_try(&failure) || Instant::now() >= until || !self.budget.spend() {
            return Err(self.error(&failure));
        }
        let Some(second) = self.pick(Some(&first), Instant::now()) else { return Err(RankError::NotReady) };
        self.observer.remote_retry(&self.key.objective);
        let answer = self.query_pod(&second, message, until).await.map_err(|failure| self.error(&failure))?;
        Ok((second, answer))
    }

    async fn query_pod(
        &self,
        pod: &Arc<Pod>,
        message: QueryRequest,
        until: Instant,
    ) -> Result<QueryResponse, Status> {
        let began = Instant::now();
        let _on_its_way = pod.begin();
        let allowed = until.saturating_duration_since(began);
        let mut request = Request::new(message);
        request.set_timeout(allowed);
        let mut client = pod.client();
        let answered = tokio::time::timeout_at(until.into(), client.query(request)).await;
        let result = answered.unwrap_or_else(|_| Err(Status::deadline_exceeded("the page's deadline")));
        match &result {
            Ok(_) => {
                pod.succeeded();
                self.count("ok");
            }
            Err(status) => {
                self.count(outcome(status.code()));
                if let Some(failure) = failure_of_pod(status, allowed)
                    && pod.failed(failure, Instant::now(), jitter())
                {
                    self.observer.ejected(&self.key.objective);
                    let (objective, revision, address) =
                        (&*self.key.objective, self.key.revision.as_str(), &pod.address);
                    info!(objective, revision, address, code = ?status.code(), "a failing pod is avoided for a while");
                }
            }
        }
        result.map(tonic::Response::into_inner)
    }

    fn error(&self, status: &Status) -> RankError {
        match status.code() {
            Code::DeadlineExceeded => RankError::DeadlineExceeded,
            Code::FailedPrecondition => {
                // A full channel has this message already.
                let _ = self.stale.try_send(self.key.clone());
                RankError::NotReady
            }
            code => RankError::Failed(format!("{code:?}: {}", status.message()).into()),
        }
    }

    fn count(&self, outcome: &'static str) {
        self.observer.remote(&self.key.objective, &self.key.revision, outcome);
    }
}

/// A query changes nothing, so every failure that may lie in the pod and not in the query is worth another try.
fn is_worth_another_try(status: &Status) -> bool {
    !matches!(
        status.code(),
        Code::DeadlineExceeded | Code::InvalidArgument | Code::FailedPrecondition | Code::Unimplemented
    )
}

/// What failed in the pod, if anything.
fn failure_of_pod(status: &Status, allowed: Duration) -> Option<Failure> {
    match status.code() {
        Code::InvalidArgument | Code::FailedPrecondition | Code::ResourceExhausted => None,
        // The request was not sent: the pod closed an old connection at that moment.
        Code::Cancelled => None,
        Code::DeadlineExceeded => (allowed >= FAIR_TIME).then_some(Failure::Poor),
        Code::Internal | Code::NotFound | Code::Unimplemented => Some(Failure::Poor),
        // The connection ended, or never was.
        _ => Some(Failure::Unreachable),
    }
}

/// Label of metrics.
fn outcome(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::DeadlineExceeded => "deadline",
        Code::ResourceExhausted => "shed",
        Code::InvalidArgument | Code::FailedPrecondition | Code::NotFound | Code::Unimplemented => "refused",
        Code::Internal => "failed",
        _ => "unreachable",
    }
}
