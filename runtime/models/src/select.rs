//! The k best of a stream of scores, titles arriving in ascending order.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::model::Scored;

/// Titles that must not be chosen: two ascending lists, so that a mapped history need not be copied.
#[derive(Clone, Copy, Debug, Default)]
pub struct Excluded<'a> {
    /// Ascending.
    pub watched: &'a [u32],
    /// Ascending.
    pub also: &'a [u32],
}

impl Excluded<'_> {
    /// Whether `title` must not be chosen.
    pub fn contains(&self, title: u32) -> bool {
        self.watched.binary_search(&title).is_ok() || self.also.binary_search(&title).is_ok()
    }
}

/// Ordered so that the greatest is the one to drop first: lowest score, then highest title.
#[derive(Clone, Copy, PartialEq)]
struct Worst(Scored);

impl Eq for Worst {}

impl PartialOrd for Worst {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Worst {
    fn cmp(&self, other: &Self) -> Ordering {
        best_first(&self.0, &other.0)
    }
}

/// Higher scores first; equal ones by ascending title.
pub fn best_first(a: &Scored, b: &Scored) -> Ordering {
    // Scores are finite, and adding 0 makes the two zeros equal.
    (b.score + 0.0).total_cmp(&(a.score + 0.0)).then(a.title.cmp(&b.title))
}

/// Keeps the k best titles that it was offered.
pub struct Best<'a> {
    k: usize,
    excluded: Excluded<'a>,
    heap: BinaryHeap<Worst>,
}

impl<'a> Best<'a> {
    /// Keeps `k`, and none of `excluded`.
    pub fn new(k: usize, excluded: Excluded<'a>) -> Self {
        Self { k, excluded, heap: BinaryHeap::with_capacity(k.min(4096)) }
    }

    /// A score at or below this cannot come in (for a title above those offered so far).
    pub fn threshold(&self) -> f32 {
        match self.heap.peek() {
            _ if self.k == 0 => f32::INFINITY,
            Some(worst) if self.heap.len() == self.k => worst.0.score,
            _ => f32::NEG_INFINITY,
        }
    }

    /// Whether `title` may be chosen at all.
    pub fn may_choose(&self, title: u32) -> bool {
        !self.excluded.contains(title)
    }

    /// Offers a title; what is excluded or not finite is never kept.
    pub fn offer(&mut self, title: u32, score: f32) {
        if !(score > self.threshold() && score.is_finite()) || self.excluded.contains(title) {
            return;
        }
        let new = Worst(Scored { title, score });
        if self.heap.len() < self.k {
            self.heap.push(new);
        } else if let Some(mut worst) = self.heap.peek_mut() {
            *worst = new;
        }
    }

    /// Best first.
    pub fn into_sorted(self) -> Vec<Scored> {
        self.heap.into_sorted_vec().into_iter().map(|Worst(scored)| scored).collect()
    }
}

/// The k best of a full list of scores, `(n_titles)`.
pub fn top_k(scores: &[f32], k: usize, excluded: Excluded<'_>) -> Vec<Scored> {
    let mut best = Best::new(k.min(scores.len()), excluded);
    let mut threshold = best.threshold();
    for (title, score) in scores.iter().enumerate() {
        if *score > threshold {
            best.offer(title as u32, *score);
            threshold = best.threshold();
        }
    }
    best.into_sorted()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_chosen_in_order() {
        let nan = f32::NAN;
        #[rustfmt::skip]
        let cases: [(&str, &[f32], usize, &[u32], &[u32]); 8] = [
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
            let found = top_k(scores, k, Excluded { watched: &[], also });
            assert_eq!(found.iter().map(|scored| scored.title).collect::<Vec<_>>(), expected, "{why}");
        }
    }
}
