//! Random numbers for names and pauses, so that several operators and resources do not act in step. They protect no secret.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

/// A random number.
pub fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A random number from 0 to 1.
pub fn share() -> f64 {
    number() as f64 / u64::MAX as f64
}

/// The pause, shortened by up to a fifth: by the whole fifth for a `share` of 0, not at all for 1.
pub fn spread(pause: Duration, share: f64) -> Duration {
    pause.mul_f64(0.8 + 0.2 * share.clamp(0.0, 1.0))
}
