//! AVX2 and FMA. An accumulator is two registers, so tiles are a quarter of AVX-512's.

use std::arch::x86_64::{__m128i, __m256, __m256i};

use pulp::Simd;
use pulp::x86::V3;

use super::kernel::{Chunk, Kernel, LANES, QuantizedPair, chunked};

/// Proof that the machine has the instructions.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(pub(crate) V3);

/// Sixteen lanes: 0–7 and 8–15.
type Pair = [__m256; 2];

impl Avx2 {
    #[inline(always)]
    fn part(self, rest: &[f32]) -> Pair {
        let (low, high) = rest.split_at(rest.len().min(8));
        [pulp::cast(self.0.partial_load_f32s(low)), pulp::cast(self.0.partial_load_f32s(high))]
    }

    #[inline(always)]
    fn multiply_add(self, a: Pair, b: Pair, sum: Pair) -> Pair {
        let fma = self.0.fma;
        [fma._mm256_fmadd_ps(a[0], b[0], sum[0]), fma._mm256_fmadd_ps(a[1], b[1], sum[1])]
    }

    /// Lanes 16 → 4 of two accumulators: `[a | b]`.
    #[inline(always)]
    fn fold_4(self, a: Pair, b: Pair) -> __m256 {
        let avx = self.0.avx;
        let (a, b) = (avx._mm256_add_ps(a[0], a[1]), avx._mm256_add_ps(b[0], b[1]));
        let (low, high) =
            (avx._mm256_permute2f128_ps::<0x20>(a, b), avx._mm256_permute2f128_ps::<0x31>(a, b));
        avx._mm256_add_ps(low, high)
    }

    /// Four accumulators to their four sums, in place order.
    #[inline(always)]
    fn sums(self, a: [Pair; 4]) -> [f32; 4] {
        let avx = self.0.avx;
        let (p, q) = (self.fold_4(a[0], a[2]), self.fold_4(a[1], a[3]));
        let halves = avx._mm256_add_ps(avx._mm256_unpacklo_ps(p, q), avx._mm256_unpackhi_ps(p, q));
        let swapped = avx._mm256_permute_ps::<0b01_00_11_10>(halves);
        let sums: [f32; 8] = pulp::cast(avx._mm256_add_ps(halves, swapped));
        [sums[0], sums[1], sums[4], sums[5]]
    }

    /// `Q` queries by `R` rows, four accumulators in all: the product of query q and row r at `R q + r`.
    #[inline(always)]
    fn tile<const Q: usize, const R: usize>(self, queries: [&[Chunk]; Q], rows: [&[f32]; R]) -> [f32; 4] {
        const { assert!(Q * R == 4) }
        let n_chunks = rows[0].len() / LANES;
        let (whole, rest) = chunked(n_chunks, rows);
        let mut sums = [[self.0.avx._mm256_setzero_ps(); 2]; 4];
        let heads = queries.map(|query| &query[..n_chunks]);
        for at in 0..n_chunks {
            for q in 0..Q {
                for r in 0..R {
                    let (query, row) = (pulp::cast(heads[q][at]), pulp::cast(whole[r][at]));
                    sums[R * q + r] = self.multiply_add(query, row, sums[R * q + r]);
                }
            }
        }
        if queries[0].len() > n_chunks {
            for q in 0..Q {
                for r in 0..R {
                    let (query, row) = (pulp::cast(queries[q][n_chunks]), self.part(rest[r]));
                    sums[R * q + r] = self.multiply_add(query, row, sums[R * q + r]);
                }
            }
        }
        self.sums(sums)
    }
}

impl Kernel for Avx2 {
    #[inline(always)]
    fn dots_1x16(self, query: &[Chunk], rows: [&[f32]; 16]) -> Chunk {
        let mut out = [0.0; LANES];
        for (out, rows) in out.as_chunks_mut::<4>().0.iter_mut().zip(rows.as_chunks::<4>().0) {
            *out = self.tile::<1, 4>([query], *rows);
        }
        out
    }

    #[inline(always)]
    fn dots_4x4(self, queries: [&[Chunk]; 4], rows: [&[f32]; 4]) -> Chunk {
        let mut out = [0.0; LANES];
        for q in [0, 2] {
            for r in [0, 2] {
                let four = self.tile::<2, 2>([queries[q], queries[q + 1]], [rows[r], rows[r + 1]]);
                for (at, product) in four.into_iter().enumerate() {
                    out[4 * (q + at / 2) + r + at % 2] = product;
                }
            }
        }
        out
    }

    #[inline(always)]
    fn quantized_dots<const Q: usize>(
        self,
        queries: [&[i32]; Q],
        block: &[QuantizedPair],
    ) -> [[i32; LANES]; Q] {
        let (avx, avx2) = (self.0.avx, self.0.avx2);
        let queries = queries.map(|query| &query[..block.len()]);
        let mut sums: [[__m256i; 2]; Q] = [[avx._mm256_setzero_si256(); 2]; Q];
        for (at, pair) in block.iter().enumerate() {
            let [low, high]: [__m128i; 2] = pulp::cast(*pair);
            let titles = [avx2._mm256_cvtepi8_epi16(low), avx2._mm256_cvtepi8_epi16(high)];
            for q in 0..Q {
                let query = avx._mm256_set1_epi32(queries[q][at]);
                for half in 0..2 {
                    let product = avx2._mm256_madd_epi16(titles[half], query);
                    sums[q][half] = avx2._mm256_add_epi32(sums[q][half], product);
                }
            }
        }
        sums.map(pulp::cast)
    }
}
