//! What a feature level must compute, and how one is entered.
//!
//! Every level adds in the same order, so that all give the same bits where the build allows fused multiply-add: lane
//! `l` of 16 sums elements `l, l + 16, …` with fused multiply-add, then lanes are folded 16 → 8 → 4 (each with the one
//! half a width further) and the last four as `(0 + 2) + (1 + 3)`. The order depends on neither batch nor neighbours.

use crate::cpu::Level;

use super::portable::Portable;
#[cfg(target_arch = "x86_64")]
use super::{v3, v4};

/// Elements that are summed side by side.
pub(crate) const LANES: usize = 16;

/// Sixteen elements.
pub(crate) type Chunk = [f32; LANES];

/// Dimensions 2p and 2p + 1 of 16 titles, quantized: title 0's pair, title 1's pair, …
pub(crate) type QuantizedPair = [i8; 2 * LANES];

/// Dot products on one feature level. A query is `ceil(d / 16)` chunks, zero beyond d; a row is d elements.
pub(crate) trait Kernel: Copy {
    /// One query by 16 rows: 16 dot products.
    fn dots_1x16(self, query: &[Chunk], rows: [&[f32]; 16]) -> Chunk;

    /// One query by 16 rows that follow one another, `(16, d)`.
    #[inline(always)]
    fn dots_block(self, query: &[Chunk], block: &[f32]) -> Chunk {
        let d = block.len() / 16;
        self.dots_1x16(query, std::array::from_fn(|i| &block[i * d..][..d]))
    }

    /// Four queries by 4 rows: the product of query q and row r at `4 q + r`.
    fn dots_4x4(self, queries: [&[Chunk]; 4], rows: [&[f32]; 4]) -> Chunk;

    /// Exact integer products of `Q` queries (a pair of i16 in each i32, the even dimension low) with 16 titles.
    fn quantized_dots<const Q: usize>(
        self,
        queries: [&[i32]; Q],
        block: &[QuantizedPair],
    ) -> [[i32; LANES]; Q];
}

/// Work that is compiled once for each level.
pub(crate) trait Work {
    /// What comes of it.
    type Output;

    /// Must be `#[inline(always)]`, so that it is compiled with the level's instructions.
    fn run<K: Kernel>(self, kernel: K) -> Self::Output;
}

/// Runs `work` on `level`, or on the next plainer one that the machine has.
pub(crate) fn dispatch<W: Work>(level: Level, work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if level >= Level::V4
            && let Some(simd) = pulp::x86::V4::try_new()
        {
            return simd.vectorize(Entered { kernel: v4::Avx512(simd), work });
        }
        if level >= Level::V3
            && let Some(simd) = pulp::x86::V3::try_new()
        {
            return simd.vectorize(Entered { kernel: v3::Avx2(simd), work });
        }
    }
    let _ = level;
    work.run(Portable)
}

#[cfg(target_arch = "x86_64")]
struct Entered<K, W> {
    kernel: K,
    work: W,
}

#[cfg(target_arch = "x86_64")]
impl<K: Kernel, W: Work> pulp::NullaryFnOnce for Entered<K, W> {
    type Output = W::Output;

    #[inline(always)]
    fn call(self) -> Self::Output {
        self.work.run(self.kernel)
    }
}

/// The whole chunks of each row, cut to one length so that the compiler drops the bounds checks, and what is left.
#[inline(always)]
pub(crate) fn chunked<const N: usize>(n_chunks: usize, rows: [&[f32]; N]) -> ([&[Chunk]; N], [&[f32]; N]) {
    let parts = rows.map(|row| row.as_chunks::<LANES>());
    (parts.map(|(whole, _)| &whole[..n_chunks]), parts.map(|(_, rest)| rest))
}
