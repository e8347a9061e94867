//! The factors in i8: a quarter of the bytes, and a bound on what that loses.
//!
//! Row x of d factors becomes integers q = round(x / s) with its own scale s = max |x| / 127; a query y becomes 16-bit
//! integers p with scale r. The integer product is exact, so only rounding of the two is lost:
//!
//! `|y·x - s r (p·q)| <= |y - r p| |x| + |r p| |x - s q| <= s (|y - r p| m + |r p| c)`
//!
//! where m and c are the largest `|x| / s` and `|x - s q| / s` of any title. A title whose score cannot reach the
//! worst of the k kept so far, even if all of the bound (with the rounding of f32 itself) were in its favour, is passed
//! over; any other is scored in f32. What comes back is therefore what the plain scan gives, bit for bit.

use rayon::prelude::*;

use crate::rows::Scored;
use crate::rows::TitleRow;
use crate::weights::Table;

use super::candidates::Candidates;
use super::kernel::{Kernel, LANES, QuantizedPair, Work, dispatch};
use super::{Query, Search, TitleIndex};

/// Blocks of 16 titles that stay in the second-level cache while every query of a batch passes over them.
const TILE_BLOCKS: usize = 128;

/// Queries that share one reading of a block.
const TOGETHER: usize = 4;

/// Scales below this are of rows that are as good as zero.
const LEAST_SCALE: f32 = 1e-30;

/// Largest |x| / s of any component, by construction.
const LARGEST: f32 = 127.0;

/// Factors in i8, in blocks of 16 titles that hold dimension pairs one after the other.
pub(super) struct Quantized {
    /// `(n_blocks, ceil(d / 2))`.
    pairs: Vec<QuantizedPair>,
    pairs_a_block: usize,
    /// s, `(n_blocks)` by 16; 0 beyond the last title.
    scales: Vec<[f32; LANES]>,
    /// The largest `|x| / s`.
    largest_norm: f64,
    /// The largest `|x - s q| / s`.
    largest_error: f64,
    /// The largest `|bias|`.
    largest_bias: f32,
}

impl Quantized {
    /// Of factors `(n_titles, d)` and biases `(n_titles)`, or none.
    pub(super) fn new(factors: &Table, bias: &[f32]) -> Self {
        let d = factors.cols();
        let pairs_a_block = d.div_ceil(2);
        let n_blocks = factors.rows().div_ceil(LANES);
        let mut pairs = vec![[0_i8; 2 * LANES]; n_blocks * pairs_a_block];
        let mut scales = vec![[0.0; LANES]; n_blocks];
        let (largest_norm, largest_error) = pairs
            .par_chunks_mut(pairs_a_block)
            .zip(&mut scales)
            .zip(factors.values().par_chunks(LANES * d))
            .map(|((pairs, scales), rows)| quantize_block(rows, d, pairs, scales))
            .reduce(|| (0.0, 0.0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        let largest_bias = bias.iter().fold(0.0_f32, |most, bias| most.max(bias.abs()));
        Self { pairs, pairs_a_block, scales, largest_norm, largest_error, largest_bias }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        std::mem::size_of_val(&*self.pairs) + std::mem::size_of_val(&*self.scales)
    }

    pub(super) fn scan(&self, index: &TitleIndex, searches: &[Search<'_>]) -> Vec<Vec<Scored>> {
        let mut sought: Vec<Sought<'_>> =
            searches.iter().map(|search| Sought::new(self, search, search.k.min(index.n_titles()))).collect();
        dispatch(index.level, Scan { quantized: self, index, sought: &mut sought });
        sought
            .into_iter()
            .map(|Sought { query, candidates, .. }| {
                candidates.into_sorted(|titles| index.score(query, titles))
            })
            .collect()
    }
}

/// Quantizes up to 16 rows; returns the largest `|x| / s` and `|x - s q| / s`.
fn quantize_block(
    rows: &[f32],
    d: usize,
    pairs: &mut [QuantizedPair],
    scales: &mut [f32; LANES],
) -> (f64, f64) {
    let (mut largest_norm, mut largest_error) = (0.0_f64, 0.0_f64);
    for (title, row) in rows.chunks(d).enumerate() {
        let most = row.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let scale = (most / LARGEST).max(LEAST_SCALE);
        scales[title] = scale;
        let (mut norm, mut error) = (0.0_f64, 0.0_f64);
        for (dim, x) in row.iter().enumerate() {
            let q = (x / scale).round().clamp(-LARGEST, LARGEST);
            pairs[dim / 2][2 * title + dim % 2] = q as i8;
            let exact = f64::from(*x) / f64::from(scale);
            norm += exact * exact;
            error += (exact - f64::from(q)) * (exact - f64::from(q));
        }
        largest_norm = largest_norm.max(norm.sqrt());
        largest_error = largest_error.max(error.sqrt());
    }
    (largest_norm, largest_error)
}

/// A query in integers, its bound, and what could be among its best.
struct Sought<'a> {
    query: &'a Query,
    /// Two dimensions each, as [`Kernel::quantized_dots`] wants them.
    pairs: Vec<i32>,
    /// r.
    scale: f32,
    /// What rounding can lose, in units of a title's scale.
    slack: f32,
    candidates: Candidates<'a>,
}

impl<'a> Sought<'a> {
    fn new(quantized: &Quantized, search: &Search<'a>, k: usize) -> Self {
        let query = search.query;
        let vector = query.padded();
        let n_pairs = quantized.pairs_a_block;
        // 127 · 2 n_pairs products of this size stay within an i32.
        let range = (f64::from(i32::MAX) / (f64::from(LARGEST) * 2.0 * n_pairs as f64)).min(32767.0).floor();
        let most = vector.iter().fold(0.0_f32, |most, y| most.max(y.abs()));
        let scale = (most / range as f32).max(LEAST_SCALE);
        let rounded = |y: f32| f64::from(y / scale).round().clamp(-range, range);
        let mut integers: Vec<i32> = vector.iter().map(|y| rounded(*y) as i32).collect();
        integers.resize(2 * n_pairs, 0);
        let pairs =
            integers.as_chunks::<2>().0.iter().map(|[even, odd]| (odd << 16) | (even & 0xFFFF)).collect();
        let lost = vector.iter().map(|y| f64::from(*y) - f64::from(scale) * rounded(*y));
        let error = lost.map(|lost| lost * lost).sum::<f64>().sqrt();
        let (norm, m, c) = (query.norm, quantized.largest_norm, quantized.largest_error);
        // The last term is f32's own rounding: d products and sums of the score, and a few operations of the test.
        let slack = error * m + (norm + error) * c + (2.0 * n_pairs as f64 * 1.2e-7 + 1e-6) * norm * (m + c);
        let slack = (slack * 1.00001) as f32 + f32::MIN_POSITIVE;
        let candidates = Candidates::new(k, search.excluded, query.base.abs() + quantized.largest_bias);
        Self { query, pairs, scale, slack, candidates }
    }

    /// Takes the titles of a block whose upper bound passed.
    #[cold]
    fn offer(&mut self, index: &TitleIndex, first: usize, upper: &[f32; LANES], scales: &[f32; LANES]) {
        let query = self.query;
        for i in 0..LANES.min(index.n_titles() - first) {
            if upper[i] >= self.candidates.threshold() {
                let lower = upper[i] - 2.0 * (scales[i] * self.slack);
                self.candidates.offer(TitleRow((first + i) as u32), lower, upper[i], |titles| {
                    index.score(query, titles)
                });
            }
        }
    }
}

/// The blocks read once for all that is sought.
struct Scan<'s, 'a> {
    quantized: &'s Quantized,
    index: &'s TitleIndex,
    sought: &'s mut [Sought<'a>],
}

impl Work for Scan<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) {
        let n_blocks = self.quantized.scales.len();
        for tile in (0..n_blocks).step_by(TILE_BLOCKS) {
            let blocks = tile..(tile + TILE_BLOCKS).min(n_blocks);
            for together in self.sought.chunks_mut(TOGETHER) {
                if let Ok(four) = <&mut [Sought<'_>; TOGETHER]>::try_from(&mut *together) {
                    scan_blocks(self.quantized, self.index, blocks.clone(), four, kernel);
                } else {
                    for one in together {
                        scan_blocks(
                            self.quantized,
                            self.index,
                            blocks.clone(),
                            std::array::from_mut(one),
                            kernel,
                        );
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn scan_blocks<K: Kernel, const Q: usize>(
    quantized: &Quantized,
    index: &TitleIndex,
    blocks: std::ops::Range<usize>,
    sought: &mut [Sought<'_>; Q],
    kernel: K,
) {
    let bias = index.bias();
    for block in blocks {
        let first = block * LANES;
        let pairs = &quantized.pairs[block * quantized.pairs_a_block..][..quantized.pairs_a_block];
        let dots = kernel.quantized_dots(sought.each_ref().map(|sought| sought.pairs.as_slice()), pairs);
        let scales = &quantized.scales[block];
        let mut biases = [0.0; LANES];
        if let Some(of_block) = bias.get(first..) {
            let n = of_block.len().min(LANES);
            biases[..n].copy_from_slice(&of_block[..n]);
        }
        for (sought, dots) in sought.iter_mut().zip(&dots) {
            let (scale, slack, base) = (sought.scale, sought.slack, sought.query.base);
            let threshold = sought.candidates.threshold();
            let upper: [f32; LANES] =
                std::array::from_fn(|i| (base + biases[i]) + scales[i] * (dots[i] as f32 * scale + slack));
            if upper.iter().fold(false, |any, upper| any | (*upper >= threshold)) {
                sought.offer(index, first, &upper, scales);
            }
        }
    }
}
