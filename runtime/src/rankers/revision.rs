//! The pods of one revision, as one: balances over them, leaves failing ones alone, tries once more elsewhere.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use futures::{FutureExt, future::BoxFuture};
use tokio::sync::mpsc;
use tonic::{Code, Request, Status};
use tracing::{info, warn};

use super::{
    Key,
    budget::RetryBudget,
    health::{self, Failure},
    message,
    pod::Pod,
};
use crate::{
    contract::marquee::v1::{ConsultRequest, Model},
    service::{
        Observer,
        passes::RankError,
        remote::{Ask, Heard, RemoteRanker},
    },
};

/// Who had less time than this to answer is not blamed for being late.
const FAIR_TIME: Duration = Duration::from_millis(20);

/// The pods of one revision.
pub struct Revision {
    /// Of which model, and which revision.
    pub key: Key,
    pods: ArcSwap<Vec<Arc<Pod>>>,
    budget: RetryBudget,
    /// Chance enough for a choice of two.
    random: AtomicU64,
    observer: Arc<dyn Observer>,
    /// Told when the pods serve another artifact than the one whose titles are known.
    stale: mpsc::Sender<Key>,
}

impl Revision {
    /// A revision without pods.
    pub fn new(key: Key, observer: Arc<dyn Observer>, stale: mpsc::Sender<Key>) -> Arc<Self> {
        Arc::new(Self {
            key,
            pods: ArcSwap::default(),
            budget: RetryBudget::default(),
            random: AtomicU64::new(0),
            observer,
            stale,
        })
    }

    /// From now on requests go to these pods. Those that are known stay connected; what is in flight to others ends in peace.
    pub fn set_addresses(&self, addresses: &[String]) {
        let known = self.pods.load();
        let mut pods = Vec::with_capacity(addresses.len());
        for address in addresses {
            match known.iter().find(|pod| pod.address == *address) {
                Some(pod) => pods.push(pod.clone()),
                None => match Pod::new(address) {
                    Ok(pod) => pods.push(pod),
                    Err(error) => warn!(address, %error, "an address that is none is passed over"),
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
        let random = mixed(self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed));
        let chosen = health::choose(pods.len(), avoid, random, |idx| pods[idx].candidate(now))?;
        pods.get(chosen).cloned()
    }

    async fn ask(
        &self,
        message: ConsultRequest,
        n_titles_near: usize,
        until: Instant,
    ) -> Result<Heard, RankError> {
        self.budget.earn();
        let Some(first) = self.pick(None, Instant::now()) else {
            self.count("no_pod");
            return Err(RankError::NotReady);
        };
        let failure = match self.ask_pod(&first, message.clone(), until).await {
            Ok(heard) => return message::heard(heard, n_titles_near),
            Err(failure) => failure,
        };
        if !is_worth_another_try(&failure) || Instant::now() >= until || !self.budget.spend() {
            return Err(self.told(&failure));
        }
        let Some(second) = self.pick(Some(&first), Instant::now()) else { return Err(RankError::NotReady) };
        self.observer.remote_retry(&self.key.objective);
        match self.ask_pod(&second, message, until).await {
            Ok(heard) => message::heard(heard, n_titles_near),
            Err(failure) => Err(self.told(&failure)),
        }
    }

    async fn ask_pod(
        &self,
        pod: &Arc<Pod>,
        message: ConsultRequest,
        until: Instant,
    ) -> Result<crate::contract::marquee::v1::ConsultResponse, Status> {
        let began = Instant::now();
        let _on_its_way = pod.begin();
        let allowed = until.saturating_duration_since(began);
        let mut request = Request::new(message);
        request.set_timeout(allowed);
        let mut client = pod.client();
        let answered = tokio::time::timeout_at(until.into(), client.consult(request)).await;
        let result = answered.unwrap_or_else(|_| Err(Status::deadline_exceeded("the page's deadline")));
        match &result {
            Ok(_) => {
                pod.succeeded();
                self.count("ok");
            }
            Err(status) => {
                self.count(outcome(status.code()));
                if let Some(failure) = blame(status, allowed)
                    && pod.failed(failure, Instant::now())
                {
                    self.observer.ejected(&self.key.objective);
                    let (objective, revision, address) =
                        (&*self.key.objective, &*self.key.revision, &pod.address);
                    info!(objective, revision, address, code = ?status.code(), "a pod is left alone for a while");
                }
            }
        }
        result.map(tonic::Response::into_inner)
    }

    fn told(&self, status: &Status) -> RankError {
        match status.code() {
            Code::DeadlineExceeded => RankError::DeadlineExceeded,
            Code::FailedPrecondition => {
                // Full: it is told already.
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

impl RemoteRanker for (Arc<Revision>, Model) {
    fn consult(&self, ask: Ask, until: Instant) -> BoxFuture<'_, Result<Heard, RankError>> {
        let (revision, model) = self;
        let n_near = ask.near.len();
        revision.ask(message::request(model.clone(), ask), n_near, until).boxed()
    }
}

/// A question changes nothing, so whatever may be the pod's fault and not the question's is worth another.
fn is_worth_another_try(status: &Status) -> bool {
    !matches!(
        status.code(),
        Code::DeadlineExceeded | Code::InvalidArgument | Code::FailedPrecondition | Code::Unimplemented
    )
}

/// What the pod is to be blamed for, if for anything.
fn blame(status: &Status, allowed: Duration) -> Option<Failure> {
    match status.code() {
        Code::InvalidArgument | Code::FailedPrecondition | Code::ResourceExhausted => None,
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

/// SplitMix64's: steps of a counter in, chance out.
fn mixed(step: u64) -> u64 {
    let step = (step ^ (step >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let step = (step ^ (step >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    step ^ (step >> 31)
}
