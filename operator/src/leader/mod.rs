//! One of several operators leads, and only the one that leads writes: an election over a `coordination.k8s.io/v1` Lease.
//!
//! [`election`] is the pure half. Safety rests on clocks that run at about the same speed and on nothing else: a leader writes no later than
//! `renew_deadline` after it asked for its last renewal, and others wait `lease_duration` from when they saw it. A process that was
//! frozen finds its time run out on its own clock before it writes again.

mod election;

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{Api, Client, api::PostParams, core::ObjectMeta};
use parking_lot::Mutex;
use tokio::{sync::watch, time};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use election::Terms;
use election::{Election, Move, Record};

/// Whether this process leads. Cheap to clone; clones share one answer.
#[derive(Clone, Debug)]
pub struct Leadership(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Until when this process may write; none while another leads.
    until: Mutex<Option<Instant>>,
    leads: watch::Sender<bool>,
    /// Who leads, as far as is known.
    holder: Mutex<String>,
}

impl Default for Leadership {
    fn default() -> Self {
        Self(Arc::new(Inner {
            until: Mutex::default(),
            leads: watch::Sender::new(false),
            holder: Mutex::default(),
        }))
    }
}

impl Leadership {
    /// Of an operator that runs alone, without an election: it leads for ever.
    pub fn alone(identity: &str, now: Instant) -> Self {
        /// Longer than any process runs, and short enough to be added to an instant.
        const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
        let leadership = Self::default();
        leadership.grant(identity, now + FOR_EVER);
        leadership
    }

    /// Whether a request that changes something may be sent at `now`.
    pub fn may_write(&self, now: Instant) -> bool {
        self.0.until.lock().is_some_and(|until| now < until)
    }

    /// Returns once this process leads.
    pub async fn wait_until_leading(&self) {
        let mut leads = self.0.leads.subscribe();
        // The sender lives as long as this does.
        let _ = leads.wait_for(|leads| *leads).await;
    }

    /// Who leads, as far as is known; empty before anybody was seen.
    pub fn holder(&self) -> String {
        self.0.holder.lock().clone()
    }

    fn grant(&self, identity: &str, until: Instant) {
        *self.0.until.lock() = Some(until);
        identity.clone_into(&mut self.0.holder.lock());
        self.0.leads.send_replace(true);
    }

    fn withdraw(&self) {
        *self.0.until.lock() = None;
        self.0.leads.send_replace(false);
    }

    fn seen(&self, holder: &str) {
        holder.clone_into(&mut self.0.holder.lock());
    }
}

/// Where the Lease lies, and who asks for it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Unlike any other process', e.g. the pod's name and a random suffix.
    pub identity: String,
    /// Times.
    pub terms: Terms,
}

/// How a campaign ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to end, and has given the lease back if it had it.
    Released,
    /// It led and could not renew in time: another may lead by now, so the process must end.
    Lost,
}

/// Stands for election, and holds what it won, until `shutdown` or until the lease is lost.
pub async fn campaign(
    client: Client,
    candidate: Candidate,
    leadership: Leadership,
    shutdown: CancellationToken,
) -> Ended {
    let leases: Api<Lease> = Api::namespaced(client, &candidate.namespace);
    let mut race = Race {
        election: Election::new(candidate.identity.clone(), candidate.terms),
        leases,
        candidate,
        leadership,
    };
    loop {
        let pause = match race.step().await {
            Step::Again(pause) => pause,
            Step::Lost => {
                race.leadership.withdraw();
                return Ended::Lost;
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {
                race.release().await;
                return Ended::Released;
            }
            () = time::sleep(pause) => {}
        }
    }
}

enum Step {
    Again(Duration),
    Lost,
}

struct Race {
    election: Election,
    leases: Api<Lease>,
    candidate: Candidate,
    leadership: Leadership,
}

impl Race {
    /// Looks at the lease, and takes or renews it if it may.
    async fn step(&mut self) -> Step {
        let terms = self.candidate.terms;
        let asked = Instant::now();
        let seen = self.soon("look at", self.leases.get_opt(&self.candidate.name)).await;
        let Some(lease) = seen else { return self.or_lost() };
        let record = lease.as_ref().map(record);
        let now = Instant::now();
        if let Some(record) = record.as_ref().filter(|record| !record.holder.is_empty()) {
            self.leadership.seen(&record.holder);
        }
        match self.election.next(record.as_ref(), now) {
            Move::Wait => return Step::Again(terms.retry_period),
            // Another holds what this process led by: whatever it did, this one has lost.
            Move::Yield => return Step::Lost,
            Move::Take | Move::Renew => {}
        }
        let next =
            self.election.claim(lease.and_then(|lease| lease.spec).unwrap_or_default(), Timestamp::now());
        let (name, version) = (self.candidate.name.clone(), record.map(|record| record.version));
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                resource_version: version.clone(),
                ..ObjectMeta::default()
            },
            spec: Some(next),
        };
        let params = PostParams {
            field_manager: Some(marquee_crds::labels::OPERATOR.into()),
            ..PostParams::default()
        };
        let written = match version {
            // A version that is no longer the newest is refused: of two who take it, one does.
            Some(_) => self.soon("take", self.leases.replace(&name, &params, &lease)).await,
            None => self.soon("make", self.leases.create(&params, &lease)).await,
        };
        let Some(written) = written else { return self.or_lost() };
        if self.election.won(record_of(&written), asked) {
            info!(identity = self.candidate.identity, "leading");
        }
        self.leadership.grant(&self.candidate.identity, asked + terms.renew_deadline);
        Step::Again(terms.retry_period)
    }

    /// After a request that failed: a leader whose time has run out has lost, all others try again.
    fn or_lost(&self) -> Step {
        if self.election.leads() && !self.leadership.may_write(Instant::now()) {
            return Step::Lost;
        }
        Step::Again(self.candidate.terms.retry_period)
    }

    /// The answer, if it comes soon and is one: the client itself would try again for minutes.
    async fn soon<T>(&self, verb: &'static str, ask: impl Future<Output = kube::Result<T>>) -> Option<T> {
        match time::timeout(self.candidate.terms.retry_period.max(Duration::from_millis(500)), ask).await {
            Ok(Ok(answer)) => Some(answer),
            // Somebody else was faster.
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => None,
            Ok(Err(error)) => {
                warn!(
                    verb,
                    lease = self.candidate.name,
                    error = &error as &dyn std::error::Error,
                    "lease out of reach"
                );
                None
            }
            Err(_) => {
                warn!(
                    verb,
                    lease = self.candidate.name,
                    "the API server did not answer about the lease in time"
                );
                None
            }
        }
    }

    /// Gives the lease back, so that the next leader need not wait for it to run out.
    async fn release(&mut self) {
        self.leadership.withdraw();
        let Some((version, spec)) = self.election.give_back(Timestamp::now()) else { return };
        let name = Some(self.candidate.name.clone());
        let lease = Lease {
            metadata: ObjectMeta { name, resource_version: Some(version), ..ObjectMeta::default() },
            spec: Some(spec),
        };
        if self
            .soon("give back", self.leases.replace(&self.candidate.name, &PostParams::default(), &lease))
            .await
            .is_some()
        {
            info!(identity = self.candidate.identity, "lease given back");
        }
    }
}

fn record(lease: &Lease) -> Record {
    record_of(lease)
}

fn record_of(lease: &Lease) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    Record {
        holder: spec.holder_identity.clone().unwrap_or_default(),
        version: lease.metadata.resource_version.clone().unwrap_or_default(),
        lasts: Duration::from_secs(u64::try_from(spec.lease_duration_seconds.unwrap_or(0)).unwrap_or(0)),
        spec,
    }
}

/// As a Lease has it.
fn micro_time(at: Timestamp) -> MicroTime {
    MicroTime(at)
}

/// What a holder writes.
fn spec(
    identity: &str,
    terms: Terms,
    (acquired, now): (Timestamp, Timestamp),
    transitions: i32,
) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(identity.into()),
        // Whole seconds, upwards: others must not wait too short.
        lease_duration_seconds: i32::try_from(terms.lease_duration.as_millis().div_ceil(1000)).ok(),
        acquire_time: Some(micro_time(acquired)),
        renew_time: Some(micro_time(now)),
        lease_transitions: Some(transitions),
        ..LeaseSpec::default()
    }
}

#[cfg(test)]
mod tests;
