//! How often a failed request may be tried again, so that trying again never becomes the load that makes pods fail.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// Requests that pay for one more try: a fifth of them may be tried again.
const PRICE: i64 = 5;
/// Tries that a quiet time saves up.
const SAVED: i64 = 20;

/// Tries that are left. Shared by all who ask one revision.
#[derive(Debug)]
pub struct RetryBudget(AtomicI64);

impl Default for RetryBudget {
    /// A full one: the first requests of all may be tried again.
    fn default() -> Self {
        Self(AtomicI64::new(SAVED * PRICE))
    }
}

impl RetryBudget {
    /// A request begins.
    pub fn earn(&self) {
        if self.0.load(Relaxed) < SAVED * PRICE {
            self.0.fetch_add(1, Relaxed);
        }
    }

    /// Whether one may be tried again now.
    pub fn spend(&self) -> bool {
        let spent = self.0.fetch_update(Relaxed, Relaxed, |left| (left >= PRICE).then_some(left - PRICE));
        spent.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_a_fifth_is_tried_again_for_long() {
        let budget = RetryBudget::default();
        let tried = (0..1000).filter(|_| {
            budget.earn();
            budget.spend()
        });
        assert!((200..=220).contains(&tried.count()));
    }

    #[test]
    fn a_quiet_time_saves_up_a_few() {
        let budget = RetryBudget::default();
        (0..1_000_000).for_each(|_| budget.earn());
        assert_eq!((0..100).filter(|_| budget.spend()).count(), SAVED as usize);
    }
}
