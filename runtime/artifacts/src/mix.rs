//! SplitMix64 (Steele, Lea and Flood 2014): numbers that look random and are the same on every machine.

/// What the state of a generator grows by; odd, so that the period is 2^64.
pub const MIX_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads every bit of `state` over all bits of the result. Neighbouring states differ in half of their bits.
pub fn mix64(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_reference() {
        // The first outputs of the authors' generator with seed 1234567.
        let first = (1..=3).map(|n: u64| mix64(1_234_567_u64.wrapping_add(MIX_STEP.wrapping_mul(n))));
        assert_eq!(
            first.collect::<Vec<_>>(),
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }
}
