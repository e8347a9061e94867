//! A set of small numbers: one bit a number, 64 in a word.

/// A set of numbers below a bound that is fixed when it is made. Numbers at or above the bound are never in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitmap {
    words: Vec<u64>,
}

impl Bitmap {
    /// The empty set with room for the numbers `0..n`.
    pub fn with_room(n: usize) -> Self {
        Self { words: vec![0; n.div_ceil(64)] }
    }

    /// Empties the set and makes room for `0..n`, without giving memory back.
    pub fn reset(&mut self, n: usize) {
        self.words.clear();
        self.words.resize(n.div_ceil(64), 0);
    }

    /// Whether `number` is in the set.
    #[inline]
    pub fn contains(&self, number: u32) -> bool {
        self.words.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Puts `number` in; true when it was not there before. A number without room stays out, and is never new.
    #[inline]
    pub fn insert(&mut self, number: u32) -> bool {
        let Some(word) = self.words.get_mut(number as usize / 64) else { return false };
        let bit = 1 << (number % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::Bitmap;

    #[test]
    fn a_number_is_in_once_put_in_and_out_after_a_reset() {
        let mut set = Bitmap::with_room(130);
        assert!(!set.contains(129));
        assert!(set.insert(129) && set.insert(0) && set.insert(64));
        assert!(!set.insert(129), "the second time is not new");
        assert!(set.contains(129) && set.contains(0) && set.contains(64) && !set.contains(63));
        set.reset(65);
        assert!(!set.contains(0) && !set.contains(64) && !set.contains(129));
    }

    #[test]
    fn a_number_without_room_is_never_in() {
        let mut set = Bitmap::with_room(3);
        assert!(!set.insert(u32::MAX) && !set.contains(u32::MAX));
    }
}
