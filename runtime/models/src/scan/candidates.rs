//! Titles that could still be among the k best, each known only within bounds.

use crate::rows::Scored;
use crate::rows::TitleRow;
use crate::select::{Excluded, best_first};

/// Candidates are pruned when there are this many times k.
const ROOM: usize = 3;

/// Fewest candidates before they are pruned.
const LEAST_ROOM: usize = 96;

/// f32 rounds an upper and a lower bound in a handful of operations; this is several times what that can come to.
const MARGIN: f32 = 2e-6;

/// A title whose score lies between two bounds.
#[derive(Clone, Copy)]
struct Candidate {
    title: TitleRow,
    lower: f32,
    upper: f32,
    /// Whether both bounds are the score.
    exact: bool,
}

/// Keeps every title that could be among the k best.
pub(super) struct Candidates<'a> {
    k: usize,
    excluded: Excluded<'a>,
    kept: Vec<Candidate>,
    room: usize,
    threshold: f32,
    largest_offset: f32,
}

impl<'a> Candidates<'a> {
    /// `largest_offset`: the largest `|base + bias|` of any title; f32 loses digits beside it.
    pub(super) fn new(k: usize, excluded: Excluded<'a>, largest_offset: f32) -> Self {
        let room = k.saturating_mul(ROOM).max(LEAST_ROOM);
        let threshold = if k == 0 { f32::INFINITY } else { f32::NEG_INFINITY };
        Self { k, excluded, kept: Vec::with_capacity(room.min(4096)), room, threshold, largest_offset }
    }

    /// A title whose upper bound is below this cannot come in.
    #[inline(always)]
    pub(super) fn threshold(&self) -> f32 {
        self.threshold
    }

    /// Takes a title whose upper bound is not below the threshold; `rescore` gives the exact scores of titles.
    pub(super) fn offer(
        &mut self,
        title: TitleRow,
        lower: f32,
        upper: f32,
        rescore: impl Fn(&[TitleRow]) -> Vec<f32>,
    ) {
        if self.excluded.contains(title) {
            return;
        }
        // A NaN (of infinite bounds) promises nothing.
        let lower = lower.max(f32::NEG_INFINITY);
        self.kept.push(Candidate { title, lower, upper, exact: false });
        if self.kept.len() < self.room {
            return;
        }
        self.prune();
        if self.kept.len() > self.room / 3 * 2 {
            // Bounds cannot tell these apart: scores can.
            self.settle(rescore);
        }
    }

    /// Best first.
    pub(super) fn into_sorted(mut self, rescore: impl Fn(&[TitleRow]) -> Vec<f32>) -> Vec<Scored> {
        self.prune();
        self.settle(rescore);
        let mut best: Vec<Scored> = self.kept.iter().map(scored).collect();
        best.sort_unstable_by(best_first);
        best
    }

    /// Drops what is below the k-th largest lower bound.
    fn prune(&mut self) {
        if self.kept.len() <= self.k {
            return;
        }
        let mut lowers: Vec<f32> = self.kept.iter().map(|candidate| candidate.lower).collect();
        let (_, kth, _) = lowers.select_nth_unstable_by(self.k - 1, |a, b| b.total_cmp(a));
        self.raise(*kth);
        let threshold = self.threshold;
        self.kept.retain(|candidate| candidate.upper >= threshold);
    }

    /// Replaces bounds by scores and keeps the k best.
    fn settle(&mut self, rescore: impl Fn(&[TitleRow]) -> Vec<f32>) {
        let open: Vec<TitleRow> =
            self.kept.iter().filter(|kept| !kept.exact).map(|kept| kept.title).collect();
        let mut scores = rescore(&open).into_iter();
        for candidate in self.kept.iter_mut().filter(|kept| !kept.exact) {
            let score = scores.next().unwrap_or(f32::NAN);
            (candidate.lower, candidate.upper, candidate.exact) = (score, score, true);
        }
        self.kept.retain(|candidate| candidate.lower.is_finite());
        if self.kept.len() > self.k {
            self.kept.select_nth_unstable_by(self.k - 1, |a, b| best_first(&scored(a), &scored(b)));
            self.kept.truncate(self.k);
            self.raise(self.kept.last().map_or(f32::NEG_INFINITY, |kth| kth.lower));
        }
    }

    fn raise(&mut self, kth: f32) {
        let threshold = kth - MARGIN * (kth.abs() + self.largest_offset);
        if threshold > self.threshold {
            self.threshold = threshold;
        }
    }
}

fn scored(candidate: &Candidate) -> Scored {
    Scored { title: candidate.title, score: candidate.lower }
}
