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
/// The start of a slice is offered at once, and a bar is found from its groups' best titles without a branch for each title.
/// A later title must reach the bar, so most titles of a long slice cost one comparison.
/// The rest are collected up to twice as many as wanted (or a few dozen), and then all but the best are dropped.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    kept: Vec<Ranked>,
    wanted: usize,
    room: usize,
    bar: f32,
    /// Scores of the titles offered at once, the best of each of their groups, and places of those that reach the bar; kept for
    /// their memory.
    first: Vec<f32>,
    best_of_groups: Vec<f32>,
    places: Vec<u32>,
}

/// Number of titles at the start of a slice that are worth being offered at once.
pub(crate) const AT_ONCE: usize = 1024;

impl Selection {
    /// Drops all titles. From now on it keeps the best `wanted`.
    pub(crate) fn start(&mut self, wanted: usize) {
        self.kept.clear();
        self.wanted = wanted;
        self.room = wanted.saturating_mul(2).max(wanted.saturating_add(32));
        self.bar = f32::NEG_INFINITY;
    }

    /// Takes the best of the first titles after [`Self::start`]. NaN and minus infinity stand for titles that must not be shown.
    /// `number` has the row's number of each.
    pub(crate) fn take_best(&mut self, scores: impl Iterator<Item = f32>, number: impl Fn(usize) -> u32) {
        self.first.clear();
        self.first.extend(scores);
        self.bar = self.bar_of_first();
        let least = self.bar.max(f32::MIN);
        // Each place is written, and the next overwrites it unless its title reaches the bar: a branch would be hard to predict.
        self.places.resize(self.first.len(), 0);
        let mut n = 0;
        for (at, &score) in self.first.iter().enumerate() {
            self.places[n] = at as u32;
            n += usize::from(score >= least);
        }
        let places = self.places[..n].iter().map(|&at| at as usize);
        self.kept.extend(places.map(|at| Ranked::new(self.first[at], number(at))));
        if n >= self.room {
            self.drop_all_but_the_best();
        }
    }

    /// A lower bound of the `wanted` best first titles: of twice as many groups, `wanted` have a best title that reaches it.
    /// Minus infinity if there are too few titles.
    fn bar_of_first(&mut self) -> f32 {
        let n_groups = self.wanted.saturating_mul(2).next_multiple_of(8);
        if self.wanted == 0 || self.first.len() <= n_groups {
            return f32::NEG_INFINITY;
        }
        self.best_of_groups.clear();
        self.best_of_groups.resize(n_groups, f32::NEG_INFINITY);
        for one_each in self.first.chunks(n_groups) {
            for (best, &score) in self.best_of_groups.iter_mut().zip(one_each) {
                // Never NaN.
                *best = if score > *best { score } else { *best };
            }
        }
        *self.best_of_groups.select_nth_unstable_by(self.wanted - 1, |a, b| b.total_cmp(a)).1
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

    /// The best titles, best first.
    pub(crate) fn best(&mut self) -> &[Ranked] {
        self.kept.sort_unstable_by(|a, b| b.cmp(a));
        self.kept.truncate(self.wanted);
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
        let mut selection = Selection::default();
        selection.start(3);
        assert!(!selection.may_take(f32::NAN) && !selection.may_take(f32::NEG_INFINITY));
        assert!(selection.may_take(f32::MIN) && selection.may_take(f32::INFINITY));
    }

    #[test]
    fn a_selection_of_none_keeps_no_title() {
        let mut selection = Selection::default();
        selection.start(0);
        for title in 0..100 {
            selection.take(1.0, title);
        }
        assert!(selection.best().is_empty());
    }
}
