//! Limits retries, so that they never become the load that makes pods fail.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// Requests for each retry: at most one request in five is retried.
const PRICE: i64 = 5;
/// Most retries that may accumulate while no request fails.
const SAVED: i64 = 20;

/// Retries left. All requests to one revision share them.
#[derive(Debug)]
pub struct RetryBudget(AtomicI64);

impl Default for RetryBudget {
    /// A full budget: the very first requests may be retried.
    fn default() -> Self {
        Self(AtomicI64::new(SAVED * PRICE))
    }
}

impl RetryBudget {
    /// Adds the share of a new request to the budget.
    pub fn earn(&self) {
        if self.0.load(Relaxed) < SAVED * PRICE {
            self.0.fetch_add(1, Relaxed);
        }
    }

    /// Takes one retry from the budget; false if none is left.
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
