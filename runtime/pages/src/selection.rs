//! Finds the best few of many titles without sorting the others.

/// A title with its score, packed so that the larger number is the better title.
///
/// The high half has the score's bits in an order-preserving form; the low half has the complement of the table row's number.
/// So titles with equal scores are in ascending order of their rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ranked(u64);

impl Ranked {
    /// Packs a `score` that is not NaN.
    #[inline]
    fn new(score: f32, number: u32) -> Self {
        // Adding zero turns -0.0 into 0.0, which the bits would otherwise tell apart.
        let bits = (score + 0.0).to_bits();
        let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
        Self(u64::from(ordered) << 32 | u64::from(!number))
    }

    /// The score.
    #[inline]
    pub(crate) fn score(self) -> f32 {
        let ordered = (self.0 >> 32) as u32;
        f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
    }

    /// Number of the title's row.
    #[inline]
    pub(crate) fn number(self) -> u32 {
        !(self.0 as u32)
    }
}

/// Keeps the best `wanted` of the titles that it is offered.
///
/// It collects twice as many as wanted (or a few dozen) and then drops all but the best.
/// A later title must reach the score of the worst one left, so most titles of a long slice cost one comparison.
#[derive(Debug)]
pub(crate) struct Selection {
    kept: Vec<Ranked>,
    wanted: usize,
    room: usize,
    bar: f32,
}

impl Selection {
    /// An empty selection.
    pub(crate) fn new() -> Self {
        Self { kept: Vec::new(), wanted: 0, room: 0, bar: f32::NEG_INFINITY }
    }

    /// Drops all titles. From now on it keeps the best `wanted`.
    pub(crate) fn start(&mut self, wanted: usize) {
        self.kept.clear();
        self.wanted = wanted;
        self.room = wanted.saturating_mul(2).max(wanted.saturating_add(32));
        self.bar = f32::NEG_INFINITY;
    }

    /// Whether a title with this score may be among the best. False for NaN and minus infinity.
    #[inline]
    pub(crate) fn may_take(&self, score: f32) -> bool {
        score >= self.bar && score > f32::NEG_INFINITY
    }

    /// Takes a title for which [`Self::may_take`] returned true.
    #[inline]
    pub(crate) fn take(&mut self, score: f32, number: u32) {
        self.kept.push(Ranked::new(score, number));
        if self.kept.len() >= self.room {
            self.drop_all_but_the_best();
        }
    }

    fn drop_all_but_the_best(&mut self) {
        if self.wanted == 0 {
            return self.kept.clear();
        }
        if self.kept.len() > self.wanted {
            let (_, worst, _) = self.kept.select_nth_unstable_by(self.wanted - 1, |a, b| b.cmp(a));
            self.bar = worst.score();
            self.kept.truncate(self.wanted);
        }
    }

    /// The titles kept, best first.
    pub(crate) fn best(&mut self) -> &[Ranked] {
        self.drop_all_but_the_best();
        self.kept.sort_unstable_by(|a, b| b.cmp(a));
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::{Ranked, Selection};

    #[test]
    fn packing_keeps_score_and_row_and_orders_both() {
        let scores = [f32::MIN, -2.5, -1e-30, 0.0, 1e-30, 3.25, f32::MAX, f32::INFINITY];
        for pair in scores.windows(2) {
            assert!(Ranked::new(pair[0], 7) < Ranked::new(pair[1], 7), "{pair:?}");
        }
        for score in scores {
            let ranked = Ranked::new(score, 41);
            assert_eq!((ranked.score(), ranked.number()), (score, 41));
            assert!(
                Ranked::new(score, 1) > Ranked::new(score, 2),
                "titles with equal scores are in ascending order of their rows"
            );
        }
        assert_eq!(Ranked::new(-0.0, 3), Ranked::new(0.0, 3), "minus zero is zero");
    }

    #[test]
    fn nan_and_minus_infinity_are_refused_from_the_start() {
        let mut selection = Selection::new();
        selection.start(3);
        assert!(!selection.may_take(f32::NAN) && !selection.may_take(f32::NEG_INFINITY));
        assert!(selection.may_take(f32::MIN) && selection.may_take(f32::INFINITY));
    }

    #[test]
    fn a_selection_of_none_keeps_no_title() {
        let mut selection = Selection::new();
        selection.start(0);
        for title in 0..100 {
            selection.take(1.0, title);
        }
        assert!(selection.best().is_empty());
    }
}
