//! AVX-512. Sixteen accumulators live in registers and are folded together by a transposing reduction.

use std::arch::x86_64::{__m256i, __m512, __m512i};

use pulp::Simd;
use pulp::x86::V4;

use super::kernel::{Chunk, Kernel, LANES, QuantizedPair, chunked};

/// Proof that the machine has the instructions.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(pub(crate) V4);

impl Avx512 {
    #[inline(always)]
    fn part(self, rest: &[f32]) -> __m512 {
        pulp::cast(self.0.partial_load_f32s(rest))
    }

    #[inline(always)]
    fn multiply_add(self, a: __m512, b: __m512, sum: __m512) -> __m512 {
        self.0.avx512f._mm512_fmadd_ps(a, b, sum)
    }

    /// Lanes 16 → 8 of two accumulators: `[a | b]`.
    #[inline(always)]
    fn fold_8(self, a: __m512, b: __m512) -> __m512 {
        let f = self.0.avx512f;
        f._mm512_add_ps(f._mm512_shuffle_f32x4::<0x44>(a, b), f._mm512_shuffle_f32x4::<0xEE>(a, b))
    }

    /// Lanes 8 → 4 of four accumulators: `[a | b | c | d]`.
    #[inline(always)]
    fn fold_4(self, ab: __m512, cd: __m512) -> __m512 {
        let f = self.0.avx512f;
        f._mm512_add_ps(f._mm512_shuffle_f32x4::<0x88>(ab, cd), f._mm512_shuffle_f32x4::<0xDD>(ab, cd))
    }

    /// Lanes 4 → 2, of two by four accumulators.
    #[inline(always)]
    fn fold_2(self, p: __m512, q: __m512) -> __m512 {
        let f = self.0.avx512f;
        f._mm512_add_ps(f._mm512_unpacklo_ps(p, q), f._mm512_unpackhi_ps(p, q))
    }

    /// One query by four rows. A few rows at a time, so that memory is read nearly in order.
    #[inline(always)]
    fn four(self, query: &[Chunk], rows: [&[f32]; 4]) -> [__m512; 4] {
        let n_chunks = rows[0].len() / LANES;
        let (whole, rest) = chunked(n_chunks, rows);
        let mut sums = [self.0.avx512f._mm512_setzero_ps(); 4];
        for (at, query) in query[..n_chunks].iter().enumerate() {
            let query = pulp::cast(*query);
            for i in 0..4 {
                sums[i] = self.multiply_add(query, pulp::cast(whole[i][at]), sums[i]);
            }
        }
        if let Some(query) = query.get(n_chunks) {
            let query = pulp::cast(*query);
            for i in 0..4 {
                sums[i] = self.multiply_add(query, self.part(rest[i]), sums[i]);
            }
        }
        sums
    }

    /// Sixteen accumulators to their sixteen sums, in place order.
    #[inline(always)]
    fn sums(self, a: [__m512; 16]) -> Chunk {
        let f = self.0.avx512f;
        // Spelled out: a closure may not be inlined, and then it is compiled without the instructions.
        let p = self.fold_4(self.fold_8(a[0], a[4]), self.fold_8(a[8], a[12]));
        let q = self.fold_4(self.fold_8(a[1], a[5]), self.fold_8(a[9], a[13]));
        let r = self.fold_4(self.fold_8(a[2], a[6]), self.fold_8(a[10], a[14]));
        let s = self.fold_4(self.fold_8(a[3], a[7]), self.fold_8(a[11], a[15]));
        let (pq, rs) = (pulp::cast(self.fold_2(p, q)), pulp::cast(self.fold_2(r, s)));
        let low = pulp::cast(f._mm512_unpacklo_pd(pq, rs));
        let high = pulp::cast(f._mm512_unpackhi_pd(pq, rs));
        pulp::cast(f._mm512_add_ps(low, high))
    }
}

/// Four rows that follow one another.
#[inline(always)]
fn quarters(rows: &[f32]) -> [&[f32]; 4] {
    let (low, high) = rows.split_at(rows.len() / 2);
    let (first, second) = low.split_at(low.len() / 2);
    let (third, fourth) = high.split_at(high.len() / 2);
    [first, second, third, fourth]
}

impl Kernel for Avx512 {
    #[inline(always)]
    fn dots_1x16(self, query: &[Chunk], r: [&[f32]; 16]) -> Chunk {
        let [a, b, c, d] = self.four(query, [r[0], r[1], r[2], r[3]]);
        let [e, f, g, h] = self.four(query, [r[4], r[5], r[6], r[7]]);
        let [i, j, k, l] = self.four(query, [r[8], r[9], r[10], r[11]]);
        let [m, n, o, p] = self.four(query, [r[12], r[13], r[14], r[15]]);
        self.sums([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
    }

    #[inline(always)]
    fn dots_block(self, query: &[Chunk], block: &[f32]) -> Chunk {
        let (low, high) = block.split_at(block.len() / 2);
        let (first, second) = low.split_at(low.len() / 2);
        let (third, fourth) = high.split_at(high.len() / 2);
        let [a, b, c, d] = self.four(query, quarters(first));
        let [e, f, g, h] = self.four(query, quarters(second));
        let [i, j, k, l] = self.four(query, quarters(third));
        let [m, n, o, p] = self.four(query, quarters(fourth));
        self.sums([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
    }

    #[inline(always)]
    fn dots_4x4(self, queries: [&[Chunk]; 4], rows: [&[f32]; 4]) -> Chunk {
        let n_chunks = rows[0].len() / LANES;
        let (whole, rest) = chunked(n_chunks, rows);
        let padded = queries.map(|query| query.get(n_chunks));
        let queries = queries.map(|query| &query[..n_chunks]);
        let mut sums = [self.0.avx512f._mm512_setzero_ps(); 16];
        for at in 0..n_chunks {
            let row: [__m512; 4] = std::array::from_fn(|r| pulp::cast(whole[r][at]));
            for q in 0..4 {
                let query = pulp::cast(queries[q][at]);
                for r in 0..4 {
                    sums[4 * q + r] = self.multiply_add(query, row[r], sums[4 * q + r]);
                }
            }
        }
        if let [Some(a), Some(b), Some(c), Some(d)] = padded {
            for (q, query) in [a, b, c, d].into_iter().enumerate() {
                for r in 0..4 {
                    sums[4 * q + r] =
                        self.multiply_add(pulp::cast(*query), self.part(rest[r]), sums[4 * q + r]);
                }
            }
        }
        self.sums(sums)
    }

    #[inline(always)]
    fn quantized_dots<const Q: usize>(
        self,
        queries: [&[i32]; Q],
        block: &[QuantizedPair],
    ) -> [[i32; LANES]; Q] {
        let (f, bw) = (self.0.avx512f, self.0.avx512bw);
        let queries = queries.map(|query| &query[..block.len()]);
        let mut sums: [__m512i; Q] = [f._mm512_setzero_si512(); Q];
        for (at, pair) in block.iter().enumerate() {
            let bytes: __m256i = pulp::cast(*pair);
            let titles = bw._mm512_cvtepi8_epi16(bytes);
            for q in 0..Q {
                let product = bw._mm512_madd_epi16(titles, f._mm512_set1_epi32(queries[q][at]));
                sums[q] = f._mm512_add_epi32(sums[q], product);
            }
        }
        sums.map(pulp::cast)
    }
}
