//! The check before each write whether this process still holds the lease.
//!
//! A frozen process may resume in the middle of a reconcile while another process leads. Therefore each request that changes something is
//! checked here first. The result depends only on the local clock.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Stores until when this process may write.
#[derive(Debug)]
pub struct Guard {
    began: Instant,
    /// Milliseconds after `began`; [`u64::MAX`] without election.
    until: AtomicU64,
}

/// This process does not hold the lease, so it did not send the request.
#[derive(Debug, thiserror::Error)]
#[error("this operator does not hold the lease: the request was not sent")]
pub struct NotLeader;

impl Guard {
    /// A guard that allows no write yet.
    pub fn closed() -> Self {
        Self { began: Instant::now(), until: AtomicU64::new(0) }
    }

    /// A guard that always allows writes, for an operator without rivals.
    pub fn open() -> Self {
        Self { began: Instant::now(), until: AtomicU64::new(u64::MAX) }
    }

    /// Records that this process holds the lease until `until`.
    pub fn hold(&self, until: Instant) {
        let millis = until.saturating_duration_since(self.began).as_millis();
        self.until.store(u64::try_from(millis).unwrap_or(u64::MAX - 1), Ordering::Release);
    }

    /// Records that this process released the lease.
    pub fn close(&self) {
        self.until.store(0, Ordering::Release);
    }

    /// Checks whether this process may write now.
    ///
    /// # Errors
    /// This process does not hold the lease.
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
