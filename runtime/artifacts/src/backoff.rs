//! How long to wait before another try. The waits grow, so that a failing server gets few requests, and differ between
//! processes, so that processes that failed together do not try again together.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

/// Waits that double with each failure in a row, up to a limit. Pure: the jitter is an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Backoff {
    /// The wait after so many failures in a row; zero after none. A `jitter` of 1 gives the full wait; a lower one shortens it,
    /// and 0 by a fifth.
    pub fn wait(&self, failures: u32, jitter: f64) -> Duration {
        let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
        let full = self.first.saturating_mul(1 << doublings.min(16)).min(self.longest);
        full.mul_f64(0.8 + 0.2 * jitter.clamp(0.0, 1.0))
    }
}

/// A random number from 0 to 1.
pub fn jitter() -> f64 {
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_millis(250), longest: Duration::from_secs(2) };

    #[test]
    fn waits_double_up_to_the_limit() {
        let waits = [0, 1, 2, 3, 4, 5, 40, u32::MAX].map(|failures| BACKOFF.wait(failures, 1.0).as_millis());
        assert_eq!(waits, [0, 250, 500, 1000, 2000, 2000, 2000, 2000]);
    }

    #[test]
    fn jitter_shortens_a_wait_by_at_most_a_fifth() {
        let waits = [-1.0, 0.0, 0.5, 1.0, 9.0].map(|jitter| BACKOFF.wait(3, jitter).as_millis());
        assert_eq!(waits, [800, 800, 900, 1000, 1000]);
        assert!((0..100).all(|_| (0.0..=1.0).contains(&jitter())));
    }
}
