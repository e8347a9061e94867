//! Log lines on request paths: one a second is enough to know, and a failing model answers thousands.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

/// Says yes at most once a second.
pub struct Seldom {
    began: Instant,
    /// Seconds since `began`, plus one, of the last yes.
    last: AtomicU64,
}

impl Seldom {
    /// The first question is answered yes.
    pub fn new(began: Instant) -> Self {
        Self { began, last: AtomicU64::new(0) }
    }

    /// Whether to speak now.
    pub fn may_speak(&self, now: Instant) -> bool {
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
        let seldom = Seldom::new(began);
        let answers =
            [0, 10, 999, 1000, 1001, 3500].map(|ms| seldom.may_speak(began + Duration::from_millis(ms)));
        assert_eq!(answers, [true, false, false, true, false, true]);
    }
}
