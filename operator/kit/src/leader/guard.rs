//! The check before each write: is the lease still held?
//!
//! A process that was frozen may wake in the middle of a reconcile while another one leads. So every request that changes something asks
//! here first. The answer depends on the local clock alone.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Until when this process may write.
#[derive(Debug)]
pub struct Guard {
    began: Instant,
    /// Milliseconds after `began`; [`u64::MAX`] without election.
    until: AtomicU64,
}

/// The lease is not held, so the request was not sent.
#[derive(Debug, thiserror::Error)]
#[error("this operator does not hold the lease: the request was not sent")]
pub struct NotLeader;

impl Guard {
    /// Nothing may be written yet.
    pub fn closed() -> Self {
        Self { began: Instant::now(), until: AtomicU64::new(0) }
    }

    /// Everything may be written at all times: there is no other operator.
    pub fn open() -> Self {
        Self { began: Instant::now(), until: AtomicU64::new(u64::MAX) }
    }

    /// The lease is held until `until`.
    pub fn hold(&self, until: Instant) {
        let millis = until.saturating_duration_since(self.began).as_millis();
        self.until.store(u64::try_from(millis).unwrap_or(u64::MAX - 1), Ordering::Release);
    }

    /// The lease is released.
    pub fn close(&self) {
        self.until.store(0, Ordering::Release);
    }

    /// Whether something may be written now.
    ///
    /// # Errors
    /// The lease is not held.
    pub fn check(&self, now: Instant) -> Result<(), NotLeader> {
        let until = self.until.load(Ordering::Acquire);
        let held = until == u64::MAX || now < self.began + Duration::from_millis(until);
        if held { Ok(()) } else { Err(NotLeader) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_before_the_lease_is_held_nor_after() {
        let (guard, now) = (Guard::closed(), Instant::now());
        assert!(guard.check(now).is_err());
        guard.hold(now + Duration::from_secs(10));
        assert!(guard.check(now + Duration::from_secs(9)).is_ok());
        assert!(guard.check(now + Duration::from_secs(11)).is_err(), "a process that slept");
        guard.close();
        assert!(guard.check(now).is_err());
        assert!(Guard::open().check(now + Duration::from_secs(1_000_000)).is_ok());
    }
}
