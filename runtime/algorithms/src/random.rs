//! Random numbers from the seed alone: each purpose and iteration has a stream of its own, so that a resumed fit draws the same.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Normal};

use crate::factors::Factors;

/// What a stream is drawn for. The numbers are part of what makes a seed's result: never renumber.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Initial = 1,
    Shuffle = 2,
    Sample = 3,
    Split = 4,
    Bootstrap = 5,
}

/// The stream of one purpose; `number` is the iteration, the member of an ensemble, the thread, as the purpose has it.
pub(crate) fn stream(seed: u64, purpose: Purpose, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((purpose as u64) << 56) | number);
    rng
}

/// A table of normal numbers with mean 0.
pub(crate) fn normal_factors(rng: &mut ChaCha8Rng, rows: usize, dim: usize, deviation: f32) -> Factors {
    let mut factors = Factors::zeros(rows, dim);
    // A deviation that was checked is finite and not negative: `new` cannot fail, and zeros are a lawful start if it did.
    if let Ok(normal) = Normal::new(0.0f32, deviation) {
        factors.values_mut().iter_mut().for_each(|value| *value = normal.sample(rng));
    }
    factors
}
