//! Plain Rust: the reference for the other levels, and the fallback.

use super::kernel::{Chunk, Kernel, LANES, QuantizedPair};

/// No instruction beyond the build's target.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Kernel for Portable {
    #[inline(always)]
    fn dots_1x16(self, query: &[Chunk], rows: [&[f32]; 16]) -> Chunk {
        rows.map(|row| dot(query, row))
    }

    #[inline(always)]
    fn dots_4x4(self, queries: [&[Chunk]; 4], rows: [&[f32]; 4]) -> Chunk {
        std::array::from_fn(|at| dot(queries[at / 4], rows[at % 4]))
    }

    #[inline(always)]
    fn quantized_dots<const Q: usize>(
        self,
        queries: [&[i32]; Q],
        block: &[QuantizedPair],
    ) -> [[i32; LANES]; Q] {
        queries.map(|query| {
            let mut sums = [0_i32; LANES];
            for (pair, titles) in query.iter().zip(block) {
                let (even, odd) = (i32::from(*pair as i16), *pair >> 16);
                for (sum, [first, second]) in sums.iter_mut().zip(titles.as_chunks::<2>().0) {
                    *sum += even * i32::from(*first) + odd * i32::from(*second);
                }
            }
            sums
        })
    }
}

/// The product of a query and a row, in the order that `kernel` lays down.
#[inline(always)]
fn dot(query: &[Chunk], row: &[f32]) -> f32 {
    let (whole, rest) = row.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (query, row) in query.iter().zip(whole) {
        for lane in 0..LANES {
            sums[lane] = multiply_add(query[lane], row[lane], sums[lane]);
        }
    }
    if let Some(query) = query.get(whole.len()) {
        for (lane, element) in rest.iter().enumerate() {
            sums[lane] = multiply_add(query[lane], *element, sums[lane]);
        }
    }
    for width in [8, 4] {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3])
}

/// Fused where the build has the instruction; a library call for it would cost a hundredfold.
#[inline(always)]
fn multiply_add(a: f32, b: f32, sum: f32) -> f32 {
    if cfg!(target_feature = "fma") { a.mul_add(b, sum) } else { a * b + sum }
}
