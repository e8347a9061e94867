//! The context of every reconcile: client, caches, counters, clock. Nothing is global.

use std::{future::Future, sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;
use kube::Client;
use parking_lot::Mutex;

use crate::{
    cache::children::{ChildCache, Owners},
    error::{Error, Result},
    events::Events,
    kinds::Kinds,
    metrics::Metrics,
    names::ResourceId,
    operator::Operator,
};

/// Time limit for a request and its answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The context of every reconcile.
pub struct Context<O: Operator> {
    /// The API server.
    pub client: Client,
    /// The kinds that are reconciled, with their resources and queues.
    pub kinds: Kinds<Self>,
    /// The objects that the operator made.
    pub children: Mutex<ChildCache<O::ChildFacts>>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Events of Kubernetes.
    pub events: Events,
    /// The part that only this operator has.
    pub operator: O,
}

impl<O: Operator> Context<O> {
    /// A context whose caches are empty. Events name `instance` as their source.
    pub fn new(
        client: Client,
        kinds: Kinds<Self>,
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

    /// Schedules a reconcile of a resource as soon as possible.
    pub fn enqueue(&self, id: &ResourceId) {
        let Some(listed) = self.kinds.get(id.kind) else { return };
        if listed.queue().add(&id.key) {
            self.metrics.adds.with_label_values(&[listed.controller()]).inc();
        }
    }

    /// Schedules a reconcile of every resource.
    pub fn enqueue_all(&self) {
        for listed in self.kinds.iter() {
            for key in listed.keys() {
                self.enqueue(&ResourceId::new(listed.kind(), key));
            }
        }
    }

    /// Calls `read` with the lookup that finds the resource of a child.
    pub fn with_owners<T>(&self, read: impl FnOnce(&Owners<'_>) -> T) -> T {
        read(&Owners { names: O::NAMES, kind: &|name| self.kinds.named(name) })
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
