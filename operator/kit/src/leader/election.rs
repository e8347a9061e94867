//! The next step of a candidate. Pure. A candidate never compares its clock with those of other machines: it treats a holder as gone when the
//! record has not changed for the duration of the lease, by the candidate's own clock.

use std::time::{Duration, Instant};

/// The duration of a lease, and the times of its renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long other candidates wait after the last renewal that they saw.
    pub lease: Duration,
    /// How long the holder tries to renew before it gives up. It is shorter than `lease`, so that the holder stops before another one starts.
    pub renew: Duration,
    /// How often the holder and the candidates try.
    pub retry: Duration,
}

/// The content of a Lease.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Record {
    /// Its holder; empty after a release.
    pub holder: String,
    /// How long each renewal lasts.
    pub lease: Duration,
    /// Changes with every renewal.
    pub version: String,
}

/// The next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Create the Lease, which does not exist.
    Create,
    /// Take the Lease, which is free or whose holder is gone.
    Take,
    /// Renew the Lease, which this candidate holds.
    Renew,
    /// Wait, because another candidate holds the Lease.
    Wait,
}

/// The Lease as one candidate has seen it.
#[derive(Debug)]
pub struct Election {
    identity: String,
    seen: Option<(Record, Instant)>,
}

impl Election {
    /// A candidate that has not seen the Lease.
    pub fn new(identity: impl Into<String>) -> Self {
        Self { identity: identity.into(), seen: None }
    }

    /// Its name.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// How long the record has not changed at `now`, as far as this candidate has seen it.
    pub fn silence(&self, now: Instant) -> Duration {
        self.seen.as_ref().map_or(Duration::ZERO, |(_, since)| now.saturating_duration_since(*since))
    }

    /// The next step, given the Lease at the time `now`.
    pub fn step(&mut self, lease: Option<&Record>, now: Instant) -> Step {
        let Some(record) = lease else {
            self.seen = None;
            return Step::Create;
        };
        let since = match &self.seen {
            Some((seen, since)) if seen == record => *since,
            _ => {
                self.seen = Some((record.clone(), now));
                now
            }
        };
        if record.holder == self.identity {
            Step::Renew
        } else if record.holder.is_empty() || now.saturating_duration_since(since) >= record.lease {
            Step::Take
        } else {
            Step::Wait
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(holder: &str, version: u32) -> Record {
        Record { holder: holder.into(), lease: Duration::from_secs(15), version: version.to_string() }
    }

    #[test]
    fn a_lease_is_taken_only_when_it_is_free_or_has_not_changed_for_its_duration() {
        let start = Instant::now();
        let mut election = Election::new("me");
        #[rustfmt::skip]
        let story = [
            // why                                             second  lease                      step
            ("nobody has made one",                                 0, None,                      Step::Create),
            ("another was faster",                                  1, Some(record("other", 1)),  Step::Wait),
            ("not changed, but not for long enough",               15, Some(record("other", 1)),  Step::Wait),
            ("renewed: the wait begins anew",                      16, Some(record("other", 2)),  Step::Wait),
            ("still held",                                         30, Some(record("other", 2)),  Step::Wait),
            ("not renewed for 15 s",                               31, Some(record("other", 2)),  Step::Take),
            ("ours now",                                           32, Some(record("me", 3)),     Step::Renew),
            ("another took it while we slept",                    100, Some(record("other", 4)),  Step::Wait),
            ("given back",                                        101, Some(record("", 5)),       Step::Take),
            ("somebody deleted it",                               102, None,                      Step::Create),
        ];
        for (why, second, lease, step) in story {
            assert_eq!(election.step(lease.as_ref(), start + Duration::from_secs(second)), step, "{why}");
        }
    }

    #[test]
    fn a_lease_found_expired_by_the_clock_on_the_wall_is_still_watched_first() {
        let mut election = Election::new("me");
        let old = Record { lease: Duration::from_secs(1), ..record("other", 1) };
        assert_eq!(election.step(Some(&old), Instant::now()), Step::Wait);
    }
}
