//! The pods of one revision: balances queries over them, avoids failing pods, and retries a failed query on another pod.

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

/// If a pod had less time than this, a late answer does not count as a failure.
const FAIR_TIME: Duration = Duration::from_millis(20);

/// The pods of one revision.
pub struct Revision {
    /// Objective and name of the revision.
    pub key: RevisionKey,
    pods: ArcSwap<Vec<Arc<Pod>>>,
    budget: RetryBudget,
    /// State of the random sequence that chooses two pods.
    random: AtomicU64,
    observer: Arc<dyn Observer>,
    /// Receives the key when the pods serve another artifact than the one whose titles were read.
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

    /// Sends new requests to these pods only. Connections to known pods stay open, and requests in flight to other pods finish.
    pub fn set_addresses(&self, addresses: &[String]) {
        let known = self.pods.load();
        let mut pods = Vec::with_capacity(addresses.len());
        for address in addresses {
            match known.iter().find(|pod| pod.address == *address) {
                Some(pod) => pods.push(pod.clone()),
                None => match Pod::new(address) {
                    Ok(pod) => pods.push(pod),
                    Err(error) => warn!(address, %error, "skipping an invalid pod address"),
                },
            }
        }
        self.observer.endpoints(&self.key.objective, &self.key.revision, Some(pods.len()));
        self.pods.store(Arc::new(pods));
    }

    /// Number of pods.
    pub fn n_pods(&self) -> usize {
        self.pods.load().len()
    }

    /// Whether a query at `now` is likely to be answered: at least one pod has not failed lately.
    pub fn is_available(&self, now: Instant) -> bool {
        self.pods.load().iter().any(|pod| !pod.is_failing(now))
    }

    /// Chooses a pod for a query. Chooses `avoid` only if it is the only pod.
    pub fn pick(&self, avoid: Option<&Arc<Pod>>, now: Instant) -> Option<Arc<Pod>> {
        let pods = self.pods.load();
        let avoid = avoid.and_then(|avoid| pods.iter().position(|pod| Arc::ptr_eq(pod, avoid)));
        let random = mix64(self.random.fetch_add(MIX_STEP, Relaxed));
        let chosen = health::choose(pods.len(), avoid, random, |idx| pods[idx].candidate(now))?;
        pods.get(chosen).cloned()
    }

    /// Sends the query to one pod, and to another pod if the first fails. Returns the answer and the pod that gave it.
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
        if !is_retryable(&failure) || Instant::now() >= until || !self.budget.spend() {
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
        let _in_flight = pod.begin();
        let allowed = until.saturating_duration_since(began);
        let mut request = Request::new(message);
        request.set_timeout(allowed);
        let mut client = pod.client();
        let answered = tokio::time::timeout_at(until.into(), client.query(request)).await;
        let result =
            answered.unwrap_or_else(|_| Err(Status::deadline_exceeded("the page's deadline passed")));
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
                    info!(objective, revision, address, code = ?status.code(), "pod ejected after failures");
                }
            }
        }
        result.map(tonic::Response::into_inner)
    }

    fn error(&self, status: &Status) -> RankError {
        match status.code() {
            Code::DeadlineExceeded => RankError::DeadlineExceeded,
            Code::FailedPrecondition => {
                // If the channel is full, this message is already in it.
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

/// Whether another pod may answer. Queries change nothing, so a retry is safe; it is useful only if the pod caused the failure.
fn is_retryable(status: &Status) -> bool {
    !matches!(
        status.code(),
        Code::DeadlineExceeded | Code::InvalidArgument | Code::FailedPrecondition | Code::Unimplemented
    )
}

/// The pod's failure; `None` if the pod is not the cause.
fn failure_of_pod(status: &Status, allowed: Duration) -> Option<Failure> {
    match status.code() {
        Code::InvalidArgument | Code::FailedPrecondition | Code::ResourceExhausted => None,
        // The request was not sent: the pod closed an old connection at that moment.
        Code::Cancelled => None,
        Code::DeadlineExceeded => (allowed >= FAIR_TIME).then_some(Failure::Poor),
        Code::Internal | Code::NotFound | Code::Unimplemented => Some(Failure::Poor),
        // The connection broke, or was never made.
        _ => Some(Failure::Unreachable),
    }
}

/// Outcome of a query, as a metric label.
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
