//! Limits log lines on request paths to one per second, because a failing model could write thousands.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

/// Allows one log line per second.
pub struct LogRateLimiter {
    began: Instant,
    /// Time of the last allowed line: seconds since `began`, plus one.
    last: AtomicU64,
}

impl LogRateLimiter {
    /// Allows the first line.
    pub fn new(began: Instant) -> Self {
        Self { began, last: AtomicU64::new(0) }
    }

    /// Whether a line may be written now.
    pub fn allows(&self, now: Instant) -> bool {
        let second = now.saturating_duration_since(self.began).as_secs() + 1;
        let last = self.last.load(Relaxed);
        last != second && self.last.compare_exchange(last, second, Relaxed, Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn once_a_second() {
        let began = Instant::now();
        let limiter = LogRateLimiter::new(began);
        let answers =
            [0, 10, 999, 1000, 1001, 3500].map(|ms| limiter.allows(began + Duration::from_millis(ms)));
        assert_eq!(answers, [true, false, false, true, false, true]);
    }
}
