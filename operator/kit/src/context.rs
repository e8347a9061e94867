//! What every reconcile is given: client, caches, counters, clock. Nothing is global.

use std::{future::Future, sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;
use kube::Client;
use parking_lot::Mutex;

use crate::{
    cache::children::ChildCache,
    error::{Error, Result},
    events::Events,
    kinds::Kinds,
    metrics::Metrics,
    names::{Key, ResourceId, ResourceKind},
    operator::Operator,
    resource::{Change, Claim, Resource},
};

/// How long a request may take with its answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What every reconcile is given.
pub struct Context<O: Operator> {
    /// The API server.
    pub client: Client,
    /// The kinds that are reconciled, with their resources and queues.
    pub kinds: Kinds<O>,
    /// The objects that the operator made.
    pub children: Mutex<ChildCache<O::ChildFacts>>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Events of Kubernetes.
    pub events: Events,
    /// What this operator brings along.
    pub operator: O,
}

impl<O: Operator> Context<O> {
    /// A context whose caches are empty. Events name `instance` as their source.
    pub fn new(
        client: Client,
        kinds: Kinds<O>,
        operator: O,
        metrics: Arc<Metrics>,
        instance: String,
    ) -> Self {
        let events = Events::new(client.clone(), O::NAMES, instance);
        Self { client, kinds, children: Mutex::default(), metrics, events, operator }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Waits for the answer to an API call; an error names the call.
    ///
    /// # Errors
    /// The API server refuses, or does not answer in time.
    pub async fn call<T>(
        &self,
        call: ApiCall<'_>,
        answer: impl Future<Output = kube::Result<T>>,
    ) -> Result<T> {
        let ApiCall { verb, kind, name } = call;
        match tokio::time::timeout(TIMEOUT, answer).await {
            Ok(answer) => answer.map_err(|source| Error::Api {
                verb,
                kind,
                name: name.into(),
                source: Box::new(source),
            }),
            Err(_) => Err(Error::Timeout { verb, kind, name: name.into(), after: TIMEOUT }),
        }
    }

    /// Has a resource reconciled as soon as possible.
    pub fn enqueue(&self, id: &ResourceId) {
        let Some(listed) = self.kinds.get(id.kind) else { return };
        if listed.queue().add(&id.key) {
            self.metrics.adds.with_label_values(&[listed.controller()]).inc();
        }
    }

    /// Has every resource reconciled.
    pub fn enqueue_all(&self) {
        for listed in self.kinds.iter() {
            for key in listed.keys() {
                self.enqueue(&ResourceId::new(listed.kind(), key));
            }
        }
    }

    /// Takes the answer to an own write of a resource, so that the cache knows of it before the watch does.
    pub fn take_answer<R: Resource<O>>(&self, resource: R) {
        self.kinds.take_answer(self, resource);
    }

    /// The resources of one namespace that claim `value`, by name.
    pub fn claimants<R: Resource<O>>(&self, namespace: &Arc<str>, claim: Claim, value: &str) -> Vec<Arc<R>> {
        let cache = self.kinds.cache::<R>();
        cache.map(|cache| cache.lock().claimants(namespace, claim, value)).unwrap_or_default()
    }

    /// The one of them that goes first.
    pub fn first_claimant<R: Resource<O>>(
        &self,
        namespace: &Arc<str>,
        claim: Claim,
        value: &str,
    ) -> Option<Arc<R>> {
        self.kinds.cache::<R>()?.lock().first_claimant(namespace, claim, value)
    }

    /// The resources of kind `R` that claim what the changed resource claimed before or claims now.
    pub fn fellow_claimants<R, C>(&self, change: &Change<C>, claim: Claim) -> Vec<ResourceId>
    where
        R: Resource<O>,
        C: Resource<O>,
    {
        let claimed = change.claimed(claim);
        let fellows =
            claimed.iter().flat_map(|value| self.claimants::<R>(&change.key.namespace, claim, value));
        fellows.map(|fellow| ResourceId::new(R::KIND, Key::of(&*fellow))).collect()
    }

    /// The kind of this name, if the operator reconciles it.
    pub fn kind(&self, name: &str) -> Option<ResourceKind> {
        self.kinds.named(name)
    }
}

/// An API call, as an error names it.
#[derive(Clone, Copy, Debug)]
pub struct ApiCall<'a> {
    /// Its verb.
    pub verb: &'static str,
    /// The kind of the object.
    pub kind: &'static str,
    /// The name of the object.
    pub name: &'a str,
}
