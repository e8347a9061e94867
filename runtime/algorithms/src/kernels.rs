//! The inner loops, on SIMD registers through `pulp` (which checks the CPU once and has a scalar fallback).
//!
//! Rows are padded to whole multiples of [`LANES`] numbers, and the padding stays zero, so that no loop has a tail.

use pulp::{Arch, Simd, WithSimd};

use crate::factors::Factors;

/// Rows are padded to multiples of this: one AVX-512 register of f32, two of AVX2.
pub(crate) const LANES: usize = 16;

/// How many rows of a block are worked on at once.
pub(crate) const BLOCK: usize = 8;

/// A table whose rows are padded with zeros to whole registers.
#[derive(Debug, Clone)]
pub(crate) struct Padded {
    stride: usize,
    values: Vec<f32>,
}

impl Padded {
    pub(crate) fn zeros(rows: usize, dim: usize) -> Self {
        let stride = dim.next_multiple_of(LANES);
        Self { stride, values: vec![0.0; rows * stride] }
    }

    pub(crate) fn from_rows(dim: usize, rows: &[f32]) -> Self {
        let mut padded = Self::zeros(rows.len() / dim, dim);
        for (to, from) in padded.values.chunks_exact_mut(padded.stride).zip(rows.chunks_exact(dim)) {
            to[..dim].copy_from_slice(from);
        }
        padded
    }

    /// The rows without padding.
    pub(crate) fn to_rows(&self, dim: usize) -> Vec<f32> {
        self.values.chunks_exact(self.stride).flat_map(|row| &row[..dim]).copied().collect()
    }

    pub(crate) fn to_factors(&self, dim: usize) -> Factors {
        Factors::from_values(dim, self.to_rows(dim)).unwrap_or_else(|| Factors::zeros(0, dim))
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    pub(crate) fn rows(&self) -> usize {
        self.values.len() / self.stride
    }

    pub(crate) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.stride..][..self.stride]
    }

    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.values[row * self.stride..][..self.stride]
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }
}

/// Scores of all rows of `table` for one vector, neither of them padded.
pub(crate) fn score(vector: &[f32], table: &Factors, scores: &mut [f32]) {
    Arch::new().dispatch(Score { vector, table, scores });
}

struct Score<'a> {
    vector: &'a [f32],
    table: &'a Factors,
    scores: &'a mut [f32],
}

impl WithSimd for Score<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (_, tail) = S::as_simd_f32s(self.vector);
        let whole = self.vector.len() - tail.len();
        for (score, row) in self.scores.iter_mut().zip(self.table.values().chunks_exact(self.vector.len())) {
            let rest: f32 = tail.iter().zip(&row[whole..]).map(|(a, b)| a * b).sum();
            *score = dot(simd, &self.vector[..whole], &row[..whole]) + rest;
        }
    }
}

/// `a · b`, both of whole registers.
#[inline(always)]
pub(crate) fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let (a, _) = S::as_simd_f32s(a);
    let (b, _) = S::as_simd_f32s(b);
    let mut sums = [simd.splat_f32s(0.0); 4];
    let (mut four_a, mut four_b) = (a.chunks_exact(4), b.chunks_exact(4));
    for (a, b) in (&mut four_a).zip(&mut four_b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum = simd.mul_add_e_f32s(*a, *b, *sum);
        }
    }
    for (a, b) in four_a.remainder().iter().zip(four_b.remainder()) {
        sums[0] = simd.mul_add_e_f32s(*a, *b, sums[0]);
    }
    let pairs = [simd.add_f32s(sums[0], sums[1]), simd.add_f32s(sums[2], sums[3])];
    simd.reduce_sum_f32s(simd.add_f32s(pairs[0], pairs[1]))
}

/// `to ← from`: short rows, for which a call of the library's copy costs more than the copy.
#[inline(always)]
pub(crate) fn copy<S: Simd>(_: S, from: &[f32], to: &mut [f32]) {
    let (from, from_rest) = from.as_chunks::<64>();
    let (to, to_rest) = to.as_chunks_mut::<64>();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    for (to, from) in to_rest.as_chunks_mut::<LANES>().0.iter_mut().zip(from_rest.as_chunks::<LANES>().0) {
        *to = *from;
    }
}

/// `y ← −y`.
#[inline(always)]
pub(crate) fn negate<S: Simd>(simd: S, y: &mut [f32]) {
    let (y, _) = S::as_mut_simd_f32s(y);
    for y in y {
        *y = simd.neg_f32s(*y);
    }
}

/// `y ← y + a x`.
#[inline(always)]
pub(crate) fn axpy<S: Simd>(simd: S, a: f32, x: &[f32], y: &mut [f32]) {
    let a = simd.splat_f32s(a);
    let (x, _) = S::as_simd_f32s(x);
    let (y, _) = S::as_mut_simd_f32s(y);
    for (y, x) in y.iter_mut().zip(x) {
        *y = simd.mul_add_e_f32s(a, *x, *y);
    }
}

/// `y ← x + a y`.
#[inline(always)]
pub(crate) fn xpay<S: Simd>(simd: S, x: &[f32], a: f32, y: &mut [f32]) {
    let a = simd.splat_f32s(a);
    let (x, _) = S::as_simd_f32s(x);
    let (y, _) = S::as_mut_simd_f32s(y);
    for (y, x) in y.iter_mut().zip(x) {
        *y = simd.mul_add_e_f32s(a, *y, *x);
    }
}

/// `y ← c y + a x`.
#[inline(always)]
pub(crate) fn scale_add<S: Simd>(simd: S, c: f32, y: &mut [f32], a: f32, x: &[f32]) {
    let (a, c) = (simd.splat_f32s(a), simd.splat_f32s(c));
    let (x, _) = S::as_simd_f32s(x);
    let (y, _) = S::as_mut_simd_f32s(y);
    for (y, x) in y.iter_mut().zip(x) {
        *y = simd.mul_add_e_f32s(a, *x, simd.mul_f32s(c, *y));
    }
}

/// One step of gradient descent on a pair of rows: `p ← keep p + step q` and `q ← keep q + step p`, each from the old of the other.
#[inline(always)]
pub(crate) fn step_pair<S: Simd>(simd: S, keep: f32, step: f32, p: &mut [f32], q: &mut [f32]) {
    let (keep, step) = (simd.splat_f32s(keep), simd.splat_f32s(step));
    let (p, _) = S::as_mut_simd_f32s(p);
    let (q, _) = S::as_mut_simd_f32s(q);
    for (p, q) in p.iter_mut().zip(q) {
        let (old_p, old_q) = (*p, *q);
        *p = simd.mul_add_e_f32s(step, old_q, simd.mul_f32s(keep, old_p));
        *q = simd.mul_add_e_f32s(step, old_p, simd.mul_f32s(keep, old_q));
    }
}

/// `out ← A x` for a symmetric `A` of `x.len()` rows, row after row.
#[inline(always)]
pub(crate) fn symmetric_times<S: Simd>(simd: S, matrix: &[f32], x: &[f32], out: &mut [f32]) {
    let (matrix, _) = S::as_simd_f32s(matrix);
    let (out, _) = S::as_mut_simd_f32s(out);
    let registers = out.len();
    let mut from = 0;
    while from + 8 <= registers {
        columns_times::<S, 8>(simd, &matrix[from..], x, &mut out[..], from);
        from += 8;
    }
    while from + 4 <= registers {
        columns_times::<S, 4>(simd, &matrix[from..], x, &mut out[..], from);
        from += 4;
    }
    while from < registers {
        columns_times::<S, 1>(simd, &matrix[from..], x, &mut out[..], from);
        from += 1;
    }
}

/// `WIDTH` registers of `A x` from register `from` on, kept in registers over all rows; `matrix` begins at that register.
#[inline(always)]
fn columns_times<S: Simd, const WIDTH: usize>(
    simd: S,
    matrix: &[S::f32s],
    x: &[f32],
    out: &mut [S::f32s],
    from: usize,
) {
    let mut sums = [simd.splat_f32s(0.0); WIDTH];
    for (x, row) in x.iter().zip(matrix.chunks(out.len())) {
        let x = simd.splat_f32s(*x);
        for (sum, value) in sums.iter_mut().zip(&row[..WIDTH]) {
            *sum = simd.mul_add_e_f32s(x, *value, *sum);
        }
    }
    out[from..from + WIDTH].copy_from_slice(&sums);
}

/// `out ← out + Σ weigh(i, rowᵢ · x) rowᵢ` over the rows of `rows`, which lie one after the other.
///
/// [`BLOCK`] rows are worked on at once, so that `x` and `out` are loaded once for all of them.
#[inline(always)]
pub(crate) fn weighted_sum<S: Simd>(
    simd: S,
    rows: &[f32],
    x: &[f32],
    out: &mut [f32],
    weigh: impl Fn(usize, f32) -> f32,
) {
    let stride = x.len();
    let (x_registers, _) = S::as_simd_f32s(x);
    let mut blocks = rows.chunks_exact(stride * BLOCK);
    let mut first = 0;
    for block in &mut blocks {
        let (block, _) = S::as_simd_f32s(block);
        let dots = block_dots(simd, block, x_registers);
        let mut weights = [simd.splat_f32s(0.0); BLOCK];
        for (i, (weight, dot)) in weights.iter_mut().zip(dots).enumerate() {
            *weight = simd.splat_f32s(weigh(first + i, dot));
        }
        let (out, _) = S::as_mut_simd_f32s(out);
        block_add(simd, block, &weights, out);
        first += BLOCK;
    }
    for (i, row) in blocks.remainder().chunks_exact(stride).enumerate() {
        let weight = weigh(first + i, dot(simd, row, x));
        axpy(simd, weight, row, out);
    }
}

/// The rows of one block, as slices of equal length that the compiler can see. Written out: a loop that fills an array of
/// slices is turned into scattered stores, which cost more than the sums.
#[inline(always)]
fn block_rows<T>(block: &[T], stride: usize) -> [&[T]; BLOCK] {
    let (a, rest) = block.split_at(stride);
    let (b, rest) = rest.split_at(stride);
    let (c, rest) = rest.split_at(stride);
    let (d, rest) = rest.split_at(stride);
    let (e, rest) = rest.split_at(stride);
    let (f, rest) = rest.split_at(stride);
    let (g, rest) = rest.split_at(stride);
    let (h, _) = rest.split_at(stride);
    [a, b, c, d, e, f, g, h]
}

#[inline(always)]
fn block_dots<S: Simd>(simd: S, block: &[S::f32s], x: &[S::f32s]) -> [f32; BLOCK] {
    let [a, b, c, d, e, f, g, h] = block_rows(block, x.len());
    let mut sums = [simd.splat_f32s(0.0); BLOCK];
    for (k, x) in x.iter().enumerate() {
        sums[0] = simd.mul_add_e_f32s(a[k], *x, sums[0]);
        sums[1] = simd.mul_add_e_f32s(b[k], *x, sums[1]);
        sums[2] = simd.mul_add_e_f32s(c[k], *x, sums[2]);
        sums[3] = simd.mul_add_e_f32s(d[k], *x, sums[3]);
        sums[4] = simd.mul_add_e_f32s(e[k], *x, sums[4]);
        sums[5] = simd.mul_add_e_f32s(f[k], *x, sums[5]);
        sums[6] = simd.mul_add_e_f32s(g[k], *x, sums[6]);
        sums[7] = simd.mul_add_e_f32s(h[k], *x, sums[7]);
    }
    // Not `map`: its closure would be compiled without this function's instruction set.
    let mut dots = [0.0; BLOCK];
    for (dot, sum) in dots.iter_mut().zip(sums) {
        *dot = simd.reduce_sum_f32s(sum);
    }
    dots
}

#[inline(always)]
fn block_add<S: Simd>(simd: S, block: &[S::f32s], weights: &[S::f32s; BLOCK], out: &mut [S::f32s]) {
    let [a, b, c, d, e, f, g, h] = block_rows(block, out.len());
    for (k, out) in out.iter_mut().enumerate() {
        // Two chains, so that one addition need not wait for the one before.
        let mut even = simd.mul_add_e_f32s(weights[0], a[k], *out);
        let mut odd = simd.mul_f32s(weights[1], b[k]);
        even = simd.mul_add_e_f32s(weights[2], c[k], even);
        odd = simd.mul_add_e_f32s(weights[3], d[k], odd);
        even = simd.mul_add_e_f32s(weights[4], e[k], even);
        odd = simd.mul_add_e_f32s(weights[5], f[k], odd);
        even = simd.mul_add_e_f32s(weights[6], g[k], even);
        odd = simd.mul_add_e_f32s(weights[7], h[k], odd);
        *out = simd.add_f32s(even, odd);
    }
}

#[cfg(test)]
mod tests;
