//! Rankers in other processes: follows a traffic plan, and gives the engine the models that the plan names.
//!
//! Reading order: this file turns plans into models; `plan` is the traffic plan; `remote` queries one model; `revision` holds
//! all pods of a revision (`pod` is one pod, `health` chooses a pod, `budget` limits retries); `message` and [`scores`] encode
//! queries and answers.

mod budget;
mod health;
mod message;
mod plan;
mod pod;
mod remote;
mod revision;
pub mod scores;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, stream::FuturesUnordered};
use marquee_artifacts::{Backoff, jitter};
use tokio::sync::{mpsc, watch};
use tonic::Status;
use tracing::{info, warn};

pub use plan::{Target, TrafficPlan};
use remote::RemoteRanker;
use revision::Revision;

use crate::service::{
    Observer, TargetStatus, TrafficStatus, client::RankerClient, page::Share, types::RevisionName,
};

/// Wait before the titles of a revision are requested again.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(250), longest: Duration::from_secs(2) };

/// Names a revision of a model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RevisionKey {
    /// Objective of the model.
    pub objective: Arc<str>,
    /// Name of the revision.
    pub revision: RevisionName,
}

/// The models in other processes.
#[derive(Clone, Default)]
pub struct RemoteRankers {
    /// By objective.
    pub models: BTreeMap<String, Vec<Share>>,
    /// Whether a plan was read and each model with traffic was queried once. A model that is missing after that is not loading.
    pub settled: bool,
    /// The traffic plan in use, for `/status`. `None` if this process follows no plan.
    pub traffic: Option<TrafficStatus>,
}

impl RemoteRankers {
    /// No models, now or later.
    pub fn none() -> Self {
        Self { settled: true, ..Self::default() }
    }
}

/// The rankers in other processes: follows the traffic plan, and reads title tables.
pub struct RankerDirectory {
    observer: Arc<dyn Observer>,
    revisions: BTreeMap<RevisionKey, Arc<Revision>>,
    /// Revisions whose titles were read.
    models: BTreeMap<RevisionKey, Arc<RemoteRanker>>,
    /// Failed attempts to read the titles of each revision.
    failures: BTreeMap<RevisionKey, u32>,
    fetching: BTreeSet<RevisionKey>,
    plan: TrafficPlan,
    generation: u64,
    since: String,
    /// The models that pages use now.
    shares: BTreeMap<String, Vec<(RevisionKey, Share)>>,
    stale: (mpsc::Sender<RevisionKey>, mpsc::Receiver<RevisionKey>),
    /// Current time, in the format of the status.
    clock: fn() -> String,
}

/// Result of an attempt to read the titles of a revision.
struct Fetched {
    key: RevisionKey,
    result: Result<RemoteRanker, Status>,
}

impl RankerDirectory {
    /// A directory without a plan. `clock` returns the current time in the format of the status.
    pub fn new(observer: Arc<dyn Observer>, clock: fn() -> String) -> Self {
        Self {
            observer,
            revisions: BTreeMap::new(),
            models: BTreeMap::new(),
            failures: BTreeMap::new(),
            fetching: BTreeSet::new(),
            plan: TrafficPlan::default(),
            generation: 0,
            since: String::new(),
            shares: BTreeMap::new(),
            stale: mpsc::channel(16),
            clock,
        }
    }

    /// Follows `plans` and sends the models that answer to `rankers`, until every receiver is dropped. When `plans` ends, the
    /// last plan stays in use. Run it on the runtime that answers requests, because connections belong to that runtime.
    pub async fn run(
        mut self,
        mut plans: watch::Receiver<Option<TrafficPlan>>,
        rankers: watch::Sender<RemoteRankers>,
    ) {
        let mut fetches = FuturesUnordered::new();
        let mut ended = false;
        loop {
            tokio::select! {
                () = rankers.closed() => return,
                changed = plans.changed(), if !ended => {
                    ended = changed.is_err();
                    let plan = plans.borrow_and_update().clone();
                    if let Some(plan) = plan.filter(|plan| self.generation == 0 || *plan != self.plan) {
                        self.apply(plan);
                    }
                }
                Some(fetched) = fetches.next() => self.fetched(fetched),
                Some(key) = self.stale.1.recv() => {
                    warn!(objective = &*key.objective, revision = %key.revision, "pods serve another artifact: reading the titles again");
                    self.models.remove(&key);
                }
            }
            for key in self.missing() {
                self.fetching.insert(key.clone());
                if let Some(revision) = self.revisions.get(&key) {
                    let failures = self.failures.get(&key).copied().unwrap_or(0);
                    fetches.push(fetch_after(BACKOFF.wait(failures, jitter()), revision.clone()));
                }
            }
            if self.generation > 0 {
                rankers.send_replace(self.publish());
            }
        }
    }

    fn apply(&mut self, plan: TrafficPlan) {
        self.generation += 1;
        self.since = (self.clock)();
        for (objective, targets) in &plan.objectives {
            for target in targets {
                let key = key(objective, target);
                let revision = self
                    .revisions
                    .entry(key.clone())
                    .or_insert_with(|| Revision::new(key, self.observer.clone(), self.stale.0.clone()));
                revision.set_addresses(&target.addresses);
            }
        }
        let objectives = plan.objectives.len();
        info!(generation = self.generation, objectives, "traffic plan applied");
        self.observer.traffic_plan(self.generation);
        self.plan = plan;
    }

    /// Revisions with traffic and pods whose titles were not read yet and are not being read.
    fn missing(&self) -> Vec<RevisionKey> {
        let keys = self.plan.weighted().map(|(objective, target)| (key(objective, target), target));
        let missing = keys.filter(|(key, target)| {
            !target.addresses.is_empty() && !self.models.contains_key(key) && !self.fetching.contains(key)
        });
        missing.map(|(key, _)| key).collect()
    }

    fn fetched(&mut self, fetched: Fetched) {
        let Fetched { key, result } = fetched;
        self.fetching.remove(&key);
        let (objective, revision) = (&*key.objective, key.revision.as_str());
        match result {
            Ok(model) => {
                info!(objective, revision, titles = model.titles().len(), "titles of a model read");
                self.failures.remove(&key);
                self.models.insert(key, Arc::new(model));
            }
            Err(status) => {
                // One line is enough for a series of failures.
                if !self.failures.contains_key(&key) {
                    warn!(objective, revision, code = ?status.code(), error = status.message(), "cannot read the titles of a model");
                }
                *self.failures.entry(key).or_default() += 1;
            }
        }
    }

    /// The models that pages should use now. A revision receives viewers once its titles were read; until then the previous
    /// revisions keep them.
    fn publish(&mut self) -> RemoteRankers {
        let mut shares: BTreeMap<String, Vec<(RevisionKey, Share)>> = BTreeMap::new();
        for (objective, targets) in &self.plan.objectives {
            let weighted: Vec<_> = targets.iter().filter(|target| target.weight > 0).collect();
            let ready: Vec<(RevisionKey, Share)> =
                weighted.iter().filter_map(|target| self.share(objective, target)).collect();
            let next = match self.shares.get(objective) {
                Some(before) if !weighted.is_empty() && ready.len() < weighted.len() => before.clone(),
                _ => ready,
            };
            shares.insert(objective.clone(), next);
        }
        self.shares = shares;
        self.forget();
        let models = self.shares.iter().map(|(objective, shares)| {
            (objective.clone(), shares.iter().map(|(_, share)| share.clone()).collect())
        });
        let asked = |(objective, target): (&str, &Target)| {
            let key = key(objective, target);
            target.addresses.is_empty() || self.models.contains_key(&key) || self.failures.contains_key(&key)
        };
        RemoteRankers {
            models: models.collect(),
            settled: self.plan.weighted().all(asked),
            traffic: Some(self.status()),
        }
    }

    fn share(&self, objective: &str, target: &Target) -> Option<(RevisionKey, Share)> {
        let key = key(objective, target);
        let model = self.models.get(&key)?.clone();
        Some((key, Share { client: model, weight: target.weight }))
    }

    /// Forgets revisions that neither the plan nor a page names.
    fn forget(&mut self) {
        let planned = self.plan.objectives.iter();
        let mut named: BTreeSet<RevisionKey> = planned
            .flat_map(|(objective, targets)| targets.iter().map(move |target| key(objective, target)))
            .collect();
        named.extend(self.shares.values().flatten().map(|(key, _)| key.clone()));
        for gone in self.revisions.keys().filter(|key| !named.contains(key)) {
            self.observer.endpoints(&gone.objective, &gone.revision, None);
        }
        self.revisions.retain(|key, _| named.contains(key));
        self.models.retain(|key, _| named.contains(key));
        self.failures.retain(|key, _| named.contains(key));
    }

    fn status(&self) -> TrafficStatus {
        let of = |objective: &String, targets: &Vec<Target>| {
            let answering = self.shares.get(objective);
            let is_asked = |key: &RevisionKey| {
                answering.is_some_and(|shares| shares.iter().any(|(known, _)| known == key))
            };
            let mut all: Vec<TargetStatus> = Vec::new();
            for target in targets {
                let key = key(objective, target);
                let endpoints = self.revisions.get(&key).map_or(0, |revision| revision.n_pods());
                all.push(TargetStatus {
                    revision: target.revision.clone().into(),
                    weight: target.weight,
                    endpoints,
                    answers: endpoints > 0 && is_asked(&key),
                });
            }
            (objective.clone(), all)
        };
        TrafficStatus {
            generation: self.generation,
            since: self.since.clone(),
            objectives: self
                .plan
                .objectives
                .iter()
                .map(|(objective, targets)| of(objective, targets))
                .collect(),
        }
    }
}

fn key(objective: &str, target: &Target) -> RevisionKey {
    RevisionKey { objective: objective.into(), revision: target.revision.clone() }
}

async fn fetch_after(wait: Duration, revision: Arc<Revision>) -> Fetched {
    tokio::time::sleep(wait).await;
    Fetched { key: revision.key.clone(), result: remote::fetch(&revision).await }
}
