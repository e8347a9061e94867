//! The k best of a stream of scores, titles arriving in ascending order.

use std::cmp::Ordering;

use crate::rows::Scored;
use crate::rows::TitleRow;

/// Titles that must not be chosen: two ascending lists, so that a mapped history need not be copied.
#[derive(Clone, Copy, Debug, Default)]
pub struct Excluded<'a> {
    /// Ascending.
    pub watched: &'a [TitleRow],
    /// Ascending.
    pub also: &'a [TitleRow],
}

impl Excluded<'_> {
    /// Whether `title` must not be chosen.
    pub fn contains(&self, title: TitleRow) -> bool {
        self.watched.binary_search(&title).is_ok() || self.also.binary_search(&title).is_ok()
    }
}

/// Higher scores first; equal ones by ascending title.
pub fn best_first(a: &Scored, b: &Scored) -> Ordering {
    // Scores are finite, and adding 0 makes the two zeros equal.
    (b.score + 0.0).total_cmp(&(a.score + 0.0)).then(a.title.cmp(&b.title))
}

/// Scores are put aside and pruned when there are this many times k: cheaper than keeping the best in order.
const ROOM: usize = 2;

/// Fewest scores put aside before they are pruned.
const LEAST_ROOM: usize = 64;

/// Keeps the k best titles that it was offered.
pub struct Best<'a> {
    k: usize,
    excluded: Excluded<'a>,
    kept: Vec<Scored>,
    room: usize,
    threshold: f32,
}

impl<'a> Best<'a> {
    /// Keeps `k`, and none of `excluded`.
    pub fn new(k: usize, excluded: Excluded<'a>) -> Self {
        let room = k.saturating_mul(ROOM).max(LEAST_ROOM);
        let threshold = if k == 0 { f32::INFINITY } else { f32::NEG_INFINITY };
        Self { k, excluded, kept: Vec::with_capacity(room.min(4096)), room, threshold }
    }

    /// A score at or below this cannot come in (for a title above those offered so far).
    pub fn threshold(&self) -> f32 {
        self.threshold
    }

    /// Offers a title above those offered so far; what is excluded or not finite is never kept.
    pub fn offer(&mut self, title: TitleRow, score: f32) {
        if !(score > self.threshold && score.is_finite()) || self.excluded.contains(title) {
            return;
        }
        self.kept.push(Scored { title, score });
        if self.kept.len() == self.room {
            self.prune();
        }
    }

    fn prune(&mut self) {
        if self.kept.len() > self.k {
            self.kept.select_nth_unstable_by(self.k - 1, best_first);
            self.kept.truncate(self.k);
            self.threshold = self.kept[self.k - 1].score;
        }
    }

    /// Best first.
    pub fn into_sorted(mut self) -> Vec<Scored> {
        self.prune();
        self.kept.sort_unstable_by(best_first);
        self.kept
    }
}

/// The k best of a full list of scores, `(n_titles)`.
pub fn top_k(scores: &[f32], k: usize, excluded: Excluded<'_>) -> Vec<Scored> {
    let mut best = Best::new(k.min(scores.len()), excluded);
    let mut threshold = best.threshold();
    for (title, score) in scores.iter().enumerate() {
        if *score > threshold {
            best.offer(TitleRow(title as u32), *score);
            threshold = best.threshold();
        }
    }
    best.into_sorted()
}

/// The k best of `candidates`, which ascend; `score` gives the score of the candidate at a place in the list.
pub fn top_k_of(
    candidates: &[TitleRow],
    score: impl Fn(usize) -> f32,
    k: usize,
    excluded: Excluded<'_>,
) -> Vec<Scored> {
    let mut best = Best::new(k.min(candidates.len()), excluded);
    let mut threshold = best.threshold();
    for (place, title) in candidates.iter().enumerate() {
        let score = score(place);
        if score > threshold {
            best.offer(*title, score);
            threshold = best.threshold();
        }
    }
    best.into_sorted()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why, scores, k, excluded, chosen.
    type Case<'a> = (&'a str, &'a [f32], usize, &'a [u32], &'a [u32]);

    #[test]
    fn the_best_are_chosen_in_order() {
        let nan = f32::NAN;
        #[rustfmt::skip]
        let cases: [Case; 8] = [
            ("best first",                          &[1.0, 3.0, 2.0],       2, &[],     &[1, 2]),
            ("equal scores by ascending title",     &[1.0, 2.0, 2.0, 2.0],  2, &[],     &[1, 2]),
            ("the two zeros are equal",             &[-0.0, 0.0, -1.0],     2, &[],     &[0, 1]),
            ("fewer come back when fewer are left", &[1.0, 2.0],            5, &[1],    &[0]),
            ("NaN and infinity never",              &[nan, f32::INFINITY, 1.0], 3, &[], &[2]),
            ("none asked",                          &[1.0],                 0, &[],     &[]),
            ("all excluded",                        &[1.0, 1.0],            1, &[0, 1], &[]),
            ("nothing to choose from",              &[],                    3, &[],     &[]),
        ];
        for (why, scores, k, also, expected) in cases {
            let excluded = Excluded { watched: &[], also: TitleRow::from_numbers(also) };
            let titles = |found: Vec<Scored>| found.iter().map(|scored| scored.title.0).collect::<Vec<_>>();
            assert_eq!(titles(top_k(scores, k, excluded)), expected, "{why}");
            let all: Vec<TitleRow> = (0..scores.len() as u32).map(TitleRow).collect();
            assert_eq!(
                titles(top_k_of(&all, |at| scores[at], k, excluded)),
                expected,
                "{why}: as candidates"
            );
        }
    }
}
