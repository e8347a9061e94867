//! Chance, for what must not happen in step with others: names and pauses. Nothing secret rests on it.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// A number.
pub fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A share, from 0 to 1.
pub fn share() -> f64 {
    number() as f64 / u64::MAX as f64
}
