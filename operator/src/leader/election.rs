//! What a candidate does next, given what it has seen: pure.

use std::time::{Duration, Instant};

use k8s_openapi::{api::coordination::v1::LeaseSpec, jiff::Timestamp};

use super::spec;

/// Times of an election. The defaults are those of Kubernetes' own controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long a lease counts after its holder was seen to renew it.
    pub lease_duration: Duration,
    /// How long after it asked for its last renewal a leader may still write.
    pub renew_deadline: Duration,
    /// How often the lease is looked at and renewed.
    pub retry_period: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
        }
    }
}

impl Terms {
    /// Why no leader could be safe with these times, if so.
    pub fn fault(&self) -> Option<String> {
        let (lease, renew, retry) = (self.lease_duration, self.renew_deadline, self.retry_period);
        if lease <= renew {
            return Some(format!(
                "the lease lasts {lease:?} and may be renewed until {renew:?}: make it last longer"
            ));
        }
        (renew <= retry || retry.is_zero()).then(|| {
            format!("the lease is renewed every {retry:?} with {renew:?} to do it: renew it more often")
        })
    }
}

/// A lease as it was seen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    /// Who holds it; empty for nobody.
    pub(super) holder: String,
    /// Changes with every write.
    pub(super) version: String,
    /// For how long it counts.
    pub(super) lasts: Duration,
    pub(super) spec: LeaseSpec,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Another holds it.
    Wait,
    /// Nobody holds it, or its holder was not seen for longer than it lasts.
    Take,
    /// It is ours.
    Renew,
    /// It was ours, and is another's.
    Yield,
}

/// One candidate's view. Time is its own: wall clocks of two machines are never compared.
#[derive(Debug)]
pub(super) struct Election {
    identity: String,
    terms: Terms,
    /// The lease as it was seen last, and when it was first seen so.
    seen: Option<(Record, Instant)>,
    leads: bool,
}

impl Election {
    pub(super) fn new(identity: String, terms: Terms) -> Self {
        Self { identity, terms, seen: None, leads: false }
    }

    /// Whether it has won and not lost since.
    pub(super) fn leads(&self) -> bool {
        self.leads
    }

    /// What to do about the lease as it is at `now`; none is no lease at all.
    pub(super) fn next(&mut self, lease: Option<&Record>, now: Instant) -> Move {
        let Some(lease) = lease else { return Move::Take };
        if self.seen.as_ref().is_none_or(|(before, _)| before.version != lease.version) {
            self.seen = Some((lease.clone(), now));
        }
        if lease.holder == self.identity {
            return Move::Renew;
        }
        if self.leads {
            return Move::Yield;
        }
        let unchanged =
            self.seen.as_ref().map_or(Duration::ZERO, |(_, since)| now.saturating_duration_since(*since));
        if lease.holder.is_empty() || unchanged > lease.lasts.max(Duration::from_secs(1)) {
            Move::Take
        } else {
            Move::Wait
        }
    }

    /// What to write to take or renew the lease that says `before`.
    pub(super) fn claim(&self, before: LeaseSpec, now: Timestamp) -> LeaseSpec {
        let ours = before.holder_identity.as_deref() == Some(self.identity.as_str());
        let acquired = before.acquire_time.filter(|_| ours).map_or(now, |time| time.0);
        let transitions = before.lease_transitions.unwrap_or(0).saturating_add(i32::from(!ours));
        spec(&self.identity, self.terms, (acquired, now), transitions)
    }

    /// The claim stands; true if it is a new one.
    pub(super) fn won(&mut self, lease: Record, asked: Instant) -> bool {
        self.seen = Some((lease, asked));
        !std::mem::replace(&mut self.leads, true)
    }

    /// The version that is given back, and what to write; none if there is nothing to give back.
    pub(super) fn give_back(&mut self, now: Timestamp) -> Option<(String, LeaseSpec)> {
        let (lease, _) = self.seen.take().filter(|_| std::mem::take(&mut self.leads))?;
        let mut given = lease.spec;
        given.holder_identity = None;
        given.lease_duration_seconds = Some(1);
        given.renew_time = Some(super::micro_time(now));
        Some((lease.version, given))
    }
}
