//! How long a resource waits for the next attempt after a failure. The wait grows with each failure, and resources do not retry in step. Pure.

use std::{collections::HashMap, time::Duration};

use crate::{jitter, names::Key};

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(300);

/// Failures in a row, by resource.
#[derive(Default, Debug)]
pub struct Backoff {
    failures: HashMap<Key, u32>,
}

impl Backoff {
    /// Records a failure of the resource, and returns how long it waits. The next wait does not grow if the reconcile still made progress, so
    /// that everything is created even if the API server accepts only every second request. `jitter` from 0 to 1 spreads resources that
    /// failed together.
    pub fn next(&mut self, key: &Key, made_progress: bool, jitter: f64) -> Duration {
        let failures = self.failures.entry(key.clone()).or_default();
        let doubled = FIRST.saturating_mul(1 << (*failures).min(16)).min(LONGEST);
        *failures += u32::from(!made_progress);
        jitter::spread(doubled, jitter)
    }

    /// Forgets the failures of a resource that was reconciled or is gone.
    pub fn reset(&mut self, key: &Key) {
        self.failures.remove(key);
    }

    /// The number of consecutive failures.
    pub fn failures(&self, key: &Key) -> u32 {
        self.failures.get(key).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_five_minutes_and_begins_anew_after_a_success() {
        let (mut backoff, key) = (Backoff::default(), Key::new("n", "m"));
        let waits: Vec<u128> = (0..12).map(|_| backoff.next(&key, false, 1.0).as_millis()).collect();
        assert_eq!(waits[..5], [500, 1000, 2000, 4000, 8000]);
        assert_eq!(waits[10..], [300_000, 300_000]);
        assert_eq!(backoff.next(&key, false, 0.0), LONGEST.mul_f64(0.8), "others wait less");
        backoff.reset(&key);
        assert_eq!((backoff.failures(&key), backoff.next(&key, true, 1.0)), (0, FIRST));
        assert_eq!(backoff.next(&key, false, 1.0), FIRST, "it made progress");
        assert_eq!(backoff.next(&key, false, 1.0), 2 * FIRST);
    }
}
