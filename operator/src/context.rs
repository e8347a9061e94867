//! What every reconcile is handed: client, caches, counters, clock. Nothing is global.

use std::{future::Future, sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;
use kube::Client;

use crate::{
    error::{Error, Result},
    events::Events,
    metrics::Metrics,
    observed::Settings,
    queue::Queue,
    world::{Key, Kind, World, primaries},
};

/// How long a request may take with its answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// What every reconcile is handed.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// What there is.
    pub world: World,
    /// What waits for a reconcile.
    pub queues: Queues,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where people are told.
    pub events: Events,
    /// What is the same for every decision.
    pub settings: Settings,
}

impl Context {
    /// The time.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Asks the API server; a refusal names what was asked for.
    ///
    /// # Errors
    /// A refusal, or no answer in time.
    pub async fn ask<T>(&self, what: Ask<'_>, answer: impl Future<Output = kube::Result<T>>) -> Result<T> {
        let Ask { verb, kind, name } = what;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(answer) => answer.map_err(|source| Error::Api {
                verb,
                kind,
                name: name.into(),
                source: Box::new(source),
            }),
            Err(_) => Err(Error::Silent { verb, kind, name: name.into(), after: PATIENCE }),
        }
    }

    /// Has a resource reconciled as soon as may be.
    pub fn enqueue(&self, kind: Kind, key: &Key) {
        if self.queues.of(kind).add(key) {
            self.metrics.adds.with_label_values(&[kind.controller()]).inc();
        }
    }

    /// Has every resource reconciled.
    pub fn enqueue_all(&self) {
        let models: Vec<Key> =
            self.world.models.lock().iter().map(|model| primaries::key(&**model)).collect();
        models.iter().for_each(|key| self.enqueue(Kind::RankingModel, key));
        let layouts: Vec<Key> =
            self.world.layouts.lock().iter().map(|layout| primaries::key(&**layout)).collect();
        layouts.iter().for_each(|key| self.enqueue(Kind::PageLayout, key));
    }
}

/// What the API server is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// A verb.
    pub verb: &'static str,
    /// A kind.
    pub kind: &'static str,
    /// An object.
    pub name: &'a str,
}

/// One queue a kind.
#[derive(Default)]
pub struct Queues {
    models: Queue,
    layouts: Queue,
}

impl Queues {
    /// That of a kind.
    pub fn of(&self, kind: Kind) -> &Queue {
        match kind {
            Kind::RankingModel => &self.models,
            Kind::PageLayout => &self.layouts,
        }
    }
}
