//! A set of rows of one table: one bit a row, 64 in a word.

use std::marker::PhantomData;

use marquee_artifacts::TableRow;

/// A set of rows below a bound that is fixed when it is made. Rows at or above the bound are never in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitmap<R> {
    words: Vec<u64>,
    rows: PhantomData<R>,
}

impl<R: TableRow> Bitmap<R> {
    /// The empty set with room for the first `n` rows.
    pub fn with_room(n: usize) -> Self {
        Self { words: vec![0; n.div_ceil(64)], rows: PhantomData }
    }

    /// Empties the set and makes room for the first `n` rows, without giving memory back.
    pub fn reset(&mut self, n: usize) {
        self.words.clear();
        self.words.resize(n.div_ceil(64), 0);
    }

    /// Whether there is room for any row. Without room, no row is in the set.
    pub fn has_room(&self) -> bool {
        !self.words.is_empty()
    }

    /// Whether `row` is in the set.
    #[inline]
    pub fn contains(&self, row: R) -> bool {
        let number = row.number();
        self.words.get(number as usize / 64).copied().unwrap_or(0) >> (number % 64) & 1 == 1
    }

    /// Adds `row`; true when it was not in the set before. A row without room is not added, and is never new.
    #[inline]
    pub fn insert(&mut self, row: R) -> bool {
        let number = row.number();
        let Some(word) = self.words.get_mut(number as usize / 64) else { return false };
        let bit = 1 << (number % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Makes it the set of all of the first `n` rows, without giving memory back.
    pub fn fill(&mut self, n: usize) {
        self.words.clear();
        self.words.resize(n / 64, u64::MAX);
        if !n.is_multiple_of(64) {
            self.words.push((1 << (n % 64)) - 1);
        }
    }

    /// Removes `row`; true when it was in the set before.
    #[inline]
    pub fn remove(&mut self, row: R) -> bool {
        let number = row.number();
        let Some(word) = self.words.get_mut(number as usize / 64) else { return false };
        let bit = 1 << (number % 64);
        let was_in = *word & bit != 0;
        *word &= !bit;
        was_in
    }

    /// Makes it the set of the rows in `all` whose numbers are not in `without`, which may be of another table.
    pub fn assign_difference<W: TableRow>(&mut self, all: &Self, without: &Bitmap<W>) {
        let padded = without.words.iter().copied().chain(std::iter::repeat(0));
        self.words.clear();
        self.words.extend(all.words.iter().zip(padded).map(|(all, without)| all & !without));
    }
}

#[cfg(test)]
mod tests {
    use marquee_artifacts::{CatalogueRow, TitleRow};

    use super::Bitmap;

    #[test]
    fn a_row_is_in_the_set_after_insert_and_not_after_reset() {
        let mut set = Bitmap::with_room(130);
        assert!(!set.contains(TitleRow(129)));
        assert!(set.insert(TitleRow(129)) && set.insert(TitleRow(0)) && set.insert(TitleRow(64)));
        assert!(!set.insert(TitleRow(129)), "the second time is not new");
        assert!(
            [129, 0, 64].into_iter().all(|row| set.contains(TitleRow(row))) && !set.contains(TitleRow(63))
        );
        set.reset(65);
        assert!([0, 64, 129].into_iter().all(|row| !set.contains(TitleRow(row))));
    }

    #[test]
    fn a_row_without_room_is_never_in_the_set() {
        let mut set = Bitmap::with_room(3);
        assert!(!set.insert(TitleRow(u32::MAX)) && !set.contains(TitleRow(u32::MAX)));
    }

    #[test]
    fn a_full_set_ends_at_its_number_and_loses_what_is_removed() {
        for n in [0, 1, 63, 64, 65, 130] {
            let mut set = Bitmap::<TitleRow>::default();
            set.fill(n);
            assert!((0..200).all(|row| set.contains(TitleRow(row)) == (row < n as u32)), "{n}");
        }
        let mut set = Bitmap::default();
        set.fill(70);
        assert!(set.remove(TitleRow(69)) && !set.remove(TitleRow(69)) && !set.remove(TitleRow(70)));
        let mut few = Bitmap::with_room(3);
        few.insert(CatalogueRow(2));
        let mut rest = Bitmap::default();
        rest.assign_difference(&set, &few);
        assert!((0..200).all(|row| rest.contains(TitleRow(row)) == (row < 69 && row != 2)));
    }
}
