//! Reads and writes the Lease, and reports its loss.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::{
    api::{
        coordination::v1::{Lease, LeaseSpec},
        core::v1::Pod,
    },
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use tracing::{debug, info, warn};

use super::{
    Guard, HolderPod,
    election::{Election, Record, Step, Terms},
};

/// This process lost the lease, or could not renew it in time. It must end, so that none of its writes arrives late.
#[derive(Debug, thiserror::Error)]
#[error("lease {name} is lost: another operator takes over")]
pub struct Lost {
    name: String,
}

/// A release may take this long, however short the other terms are.
const SHORTEST_RELEASE: Duration = Duration::from_secs(2);

/// Which Lease it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A candidate, and later the holder.
pub struct Leader {
    client: Client,
    api: Api<Lease>,
    name: String,
    terms: Terms,
    election: Election,
    guard: Arc<Guard>,
    held: Option<Lease>,
}

impl Leader {
    /// A candidate for `lease`.
    pub fn new(client: Client, lease: &LeaseName, identity: &str, terms: Terms, guard: Arc<Guard>) -> Self {
        Self {
            api: Api::namespaced(client.clone(), &lease.namespace),
            client,
            name: lease.name.clone(),
            terms,
            election: Election::new(identity),
            guard,
            held: None,
        }
    }

    /// Waits until this candidate holds the Lease.
    pub async fn acquire(&mut self) {
        info!(lease = self.name, identity = self.election.identity(), "waiting for the lease");
        loop {
            if self.attempt().await {
                info!(lease = self.name, identity = self.election.identity(), "leading");
                return;
            }
            tokio::time::sleep(self.terms.retry).await;
        }
    }

    /// Renews the Lease until it is lost.
    pub async fn keep(&mut self) -> Lost {
        let mut renewed = Instant::now();
        loop {
            tokio::time::sleep(self.terms.retry).await;
            let began = Instant::now();
            if self.attempt().await {
                renewed = began;
            } else if self.held.is_none() || renewed.elapsed() >= self.terms.renew {
                self.guard.close();
                return Lost { name: self.name.clone() };
            }
        }
    }

    /// Releases the Lease, so that another operator need not wait until it expires.
    pub async fn release(&mut self) {
        self.guard.close();
        let Some(held) = self.held.take() else { return };
        let limit = self.terms.retry.max(SHORTEST_RELEASE);
        match tokio::time::timeout(limit, self.put_released(held)).await {
            Ok(Ok(())) => info!(lease = self.name, "released the lease"),
            Ok(Err(error)) => {
                warn!(lease = self.name, %error, "cannot release the lease: it expires by itself")
            }
            Err(_) => warn!(lease = self.name, "cannot release the lease: it expires by itself"),
        }
    }

    /// Writes that nobody holds the Lease. The shutdown may have interrupted a renewal that still reached the API server, so after a conflict
    /// the newer version counts, if this process holds that too.
    async fn put_released(&self, held: Lease) -> kube::Result<()> {
        let put = async |lease: Lease| {
            self.api.replace(&self.name, &PostParams::default(), &released(lease)).await.map(drop)
        };
        match put(held).await {
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            other => return other,
        }
        match self.api.get_opt(&self.name).await? {
            Some(lease) if record(&lease).holder == self.election.identity() => put(lease).await,
            _ => Ok(()),
        }
    }

    /// Makes one attempt of at most `retry`. Returns whether this candidate holds the Lease.
    async fn attempt(&mut self) -> bool {
        let began = Instant::now();
        let limit = self.terms.retry.max(Duration::from_millis(500));
        match tokio::time::timeout(limit, self.try_once()).await {
            Ok(Ok(Some(lease))) => {
                self.held = Some(lease);
                self.guard.hold(began + self.terms.renew);
                true
            }
            Ok(Ok(None)) => {
                self.held = None;
                false
            }
            Ok(Err(error)) => {
                debug!(lease = self.name, %error, "cannot read or write the lease");
                false
            }
            Err(_) => {
                debug!(lease = self.name, "no answer about the lease in time");
                false
            }
        }
    }

    async fn try_once(&mut self) -> kube::Result<Option<Lease>> {
        // The holder renews the version that it wrote. It reads the Lease only after somebody else changed it.
        if let Some(held) = self.held.clone() {
            match self.put(&held).await {
                Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 => {}
                other => return other.map(Some),
            }
        }
        let lease = self.api.get_opt(&self.name).await?;
        let mut step = self.election.step(lease.as_ref().map(record).as_ref(), Instant::now());
        if step == Step::Wait && self.is_silent() && self.holder_has_ended(lease.as_ref()).await {
            info!(lease = self.name, "the pod of the lease's holder is gone: taking the lease");
            step = Step::Take;
        }
        let written = match (step, lease) {
            (Step::Wait, _) => return Ok(None),
            (Step::Take | Step::Renew, Some(lease)) => self.put(&lease).await,
            _ => self.api.create(&PostParams::default(), &self.next(None)).await,
        };
        match written {
            Ok(lease) => Ok(Some(lease)),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the holder missed a renewal. A pod that was deleted by force is gone for the API server while its process may still run, and
    /// renew.
    fn is_silent(&self) -> bool {
        self.election.silence(Instant::now()) >= self.terms.retry * 2
    }

    /// Whether the pod of the holder is gone. A pod that cannot be read is not: then the Lease has to expire.
    async fn holder_has_ended(&self, lease: Option<&Lease>) -> bool {
        let spec = lease.and_then(|lease| lease.spec.as_ref());
        let holder = spec.and_then(|spec| spec.holder_identity.as_deref());
        let Some(pod) = holder.and_then(HolderPod::of) else { return false };
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &pod.namespace);
        match pods.get_opt(&pod.name).await {
            Ok(found) => pod.has_ended(found.as_ref()),
            Err(error) => {
                debug!(lease = self.name, %pod, %error, "cannot read the pod of the lease's holder");
                false
            }
        }
    }

    /// Writes the Lease, unless somebody else has written it since. The version shows this.
    async fn put(&self, lease: &Lease) -> kube::Result<Lease> {
        self.api.replace(&self.name, &PostParams::default(), &self.next(Some(lease))).await
    }

    fn next(&self, lease: Option<&Lease>) -> Lease {
        let now = MicroTime(Timestamp::now());
        let before = lease.and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let mine = before.holder_identity.as_deref() == Some(self.election.identity());
        let seconds = i32::try_from(self.terms.lease.as_secs().max(1)).unwrap_or(i32::MAX);
        Lease {
            metadata: lease.map_or_else(
                || ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
                |lease| lease.metadata.clone(),
            ),
            spec: Some(LeaseSpec {
                holder_identity: Some(self.election.identity().into()),
                lease_duration_seconds: Some(seconds),
                acquire_time: if mine { before.acquire_time } else { Some(now.clone()) },
                renew_time: Some(now),
                lease_transitions: Some(before.lease_transitions.unwrap_or(0) + i32::from(!mine)),
                ..LeaseSpec::default()
            }),
        }
    }
}

/// The Lease without a holder.
fn released(mut lease: Lease) -> Lease {
    if let Some(spec) = &mut lease.spec {
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
        spec.renew_time = Some(MicroTime(Timestamp::now()));
    }
    lease
}

fn record(lease: &Lease) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    Record {
        holder: spec.holder_identity.unwrap_or_default(),
        lease: Duration::from_secs(u64::try_from(spec.lease_duration_seconds.unwrap_or(0)).unwrap_or(0)),
        version: lease.metadata.resource_version.clone().unwrap_or_default(),
    }
}
