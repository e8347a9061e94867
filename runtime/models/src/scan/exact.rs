//! The f32 scans: given titles, all titles, the best titles of one query and of many.

use crate::rows::TitleRow;
use crate::select::Best;

use super::kernel::{Chunk, Kernel, LANES, Work};
use super::{Query, Search, TitleIndex};

/// Titles whose factors stay in the first-level cache while every query of a batch passes over them.
const TILE_TITLES: usize = 128;

/// Scores of the given titles.
pub(super) struct ScoreTitles<'a> {
    pub(super) index: &'a TitleIndex,
    pub(super) query: &'a Query,
    /// Each below `n_titles`.
    pub(super) titles: &'a [TitleRow],
    /// As long as `titles`.
    pub(super) out: &'a mut [f32],
}

impl Work for ScoreTitles<'_> {
    type Output = ();

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) {
        let Self { index, query, titles, out } = self;
        for (titles, out) in titles.chunks(LANES).zip(out.chunks_mut(LANES)) {
            let at: [usize; LANES] = std::array::from_fn(|i| titles[i.min(titles.len() - 1)].idx());
            let scores = scores(index, query, at, kernel);
            out.copy_from_slice(&scores[..out.len()]);
        }
    }
}

/// Scores of 16 titles for one query.
#[inline(always)]
fn scores<K: Kernel>(index: &TitleIndex, query: &Query, titles: [usize; LANES], kernel: K) -> Chunk {
    let (values, d) = (index.factors.values(), index.d());
    let mut scores = kernel.dots_1x16(&query.chunks, titles.map(|title| &values[title * d..][..d]));
    for i in 0..LANES {
        scores[i] += index.bias_of(titles[i]).map_or(query.base, |bias| query.base + bias);
    }
    scores
}

/// Scores of 16 titles in a row, for one query.
struct Run<'a> {
    /// `(n_titles, d)`.
    values: &'a [f32],
    d: usize,
    /// `(n_titles)`, or empty.
    bias: &'a [f32],
    n_titles: usize,
}

impl<'a> Run<'a> {
    fn new(index: &'a TitleIndex) -> Self {
        Self { values: index.factors.values(), d: index.d(), bias: index.bias(), n_titles: index.n_titles() }
    }

    /// Scores of `first..first + 16`, the last title's repeated beyond the end.
    #[inline(always)]
    fn scores<K: Kernel>(&self, query: &Query, first: usize, kernel: K) -> Chunk {
        let d = self.d;
        let dots = match self.values.get(first * d..(first + LANES) * d) {
            Some(block) => kernel.dots_block(&query.chunks, block),
            None => {
                let at = |i: usize| (first + i).min(self.n_titles - 1) * d;
                kernel.dots_1x16(&query.chunks, std::array::from_fn(|i| &self.values[at(i)..][..d]))
            }
        };
        let mut offsets = [query.base; LANES];
        for (offset, bias) in offsets.iter_mut().zip(self.bias.get(first..).unwrap_or_default()) {
            *offset += bias;
        }
        std::array::from_fn(|i| offsets[i] + dots[i])
    }
}

/// Scores of every title for each query.
pub(super) struct ScoreAll<'a> {
    pub(super) index: &'a TitleIndex,
    pub(super) queries: &'a [Query],
    /// `(batch, n_titles)`.
    pub(super) out: &'a mut [f32],
}

impl Work for ScoreAll<'_> {
    type Output = ();

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) {
        let run = Run::new(self.index);
        for tile in (0..run.n_titles).step_by(TILE_TITLES) {
            let end = (tile + TILE_TITLES).min(run.n_titles);
            for (query, out) in self.queries.iter().zip(self.out.chunks_mut(run.n_titles)) {
                for first in (tile..end).step_by(LANES) {
                    let scores = run.scores(query, first, kernel);
                    let out = &mut out[first..end.min(first + LANES)];
                    match <&mut Chunk>::try_from(&mut *out) {
                        Ok(out) => *out = scores,
                        Err(_) => out.copy_from_slice(&scores[..out.len()]),
                    }
                }
            }
        }
    }
}

/// The best titles of the only search.
pub(super) struct ScanOne<'a> {
    pub(super) index: &'a TitleIndex,
    pub(super) searches: &'a [Search<'a>],
    pub(super) bests: Vec<Best<'a>>,
}

impl<'a> Work for ScanOne<'a> {
    type Output = Vec<Best<'a>>;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> Vec<Best<'a>> {
        let Self { index, searches, mut bests } = self;
        let run = Run::new(index);
        for (search, best) in searches.iter().zip(&mut bests) {
            let mut threshold = best.threshold();
            for first in (0..run.n_titles).step_by(LANES) {
                let scores = run.scores(search.query, first, kernel);
                if scores.iter().fold(false, |any, score| any | (*score > threshold)) {
                    offer(best, first, &scores[..LANES.min(run.n_titles - first)]);
                    threshold = best.threshold();
                }
            }
        }
        bests
    }
}

#[cold]
fn offer(best: &mut Best<'_>, first: usize, scores: &[f32]) {
    for (i, score) in scores.iter().enumerate() {
        best.offer(TitleRow((first + i) as u32), *score);
    }
}

/// The best titles of each search, the titles read once.
pub(super) struct ScanMany<'a> {
    pub(super) index: &'a TitleIndex,
    pub(super) searches: &'a [Search<'a>],
    pub(super) bests: Vec<Best<'a>>,
}

/// Four queries that go through the titles together; number q fills places `4 q .. 4 q + 4` of each chunk.
struct Four<'a> {
    queries: [&'a [Chunk]; 4],
    base: Chunk,
    threshold: Chunk,
    /// Of the first, in the list of all.
    start: usize,
}

impl<'a> Four<'a> {
    /// Missing queries repeat the first and let nothing through.
    fn new(start: usize, searches: &'a [Search<'a>], bests: &[Best<'_>]) -> Self {
        let of = |q: usize| searches.get(q).unwrap_or(&searches[0]).query;
        Self {
            queries: std::array::from_fn(|q| of(q).chunks.as_slice()),
            base: std::array::from_fn(|at| of(at / 4).base),
            threshold: std::array::from_fn(|at| bests.get(at / 4).map_or(f32::INFINITY, Best::threshold)),
            start,
        }
    }

    #[cold]
    fn offer(&mut self, bests: &mut [Best<'_>], first: usize, n: usize, scores: &Chunk) {
        for (q, best) in bests[self.start..].iter_mut().take(4).enumerate() {
            for t in 0..n {
                best.offer(TitleRow((first + t) as u32), scores[4 * q + t]);
            }
            self.threshold[4 * q..4 * q + 4].fill(best.threshold());
        }
    }
}

impl<'a> Work for ScanMany<'a> {
    type Output = Vec<Best<'a>>;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> Vec<Best<'a>> {
        let Self { index, searches, mut bests } = self;
        let run = Run::new(index);
        let mut fours: Vec<Four<'_>> = searches
            .chunks(4)
            .zip(bests.chunks(4))
            .enumerate()
            .map(|(at, (searches, bests))| Four::new(4 * at, searches, bests))
            .collect();
        for tile in (0..run.n_titles).step_by(TILE_TITLES) {
            let end = (tile + TILE_TITLES).min(run.n_titles);
            for four in &mut fours {
                for first in (tile..end).step_by(4) {
                    let at = |t: usize| (first + t).min(run.n_titles - 1);
                    let rows = std::array::from_fn(|t| &run.values[at(t) * run.d..][..run.d]);
                    let dots = kernel.dots_4x4(four.queries, rows);
                    let mut scores = four.base;
                    if !run.bias.is_empty() {
                        let bias: [f32; 4] = std::array::from_fn(|t| run.bias[at(t)]);
                        for i in 0..LANES {
                            scores[i] += bias[i % 4];
                        }
                    }
                    for i in 0..LANES {
                        scores[i] += dots[i];
                    }
                    if (0..LANES).fold(false, |any, i| any | (scores[i] > four.threshold[i])) {
                        four.offer(&mut bests, first, (end - first).min(4), &scores);
                    }
                }
            }
        }
        bests
    }
}
