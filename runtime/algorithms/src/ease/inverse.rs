//! The inverse of a symmetric positive definite matrix, through its Cholesky factor, and the weights that follow from it.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::prelude::{Reborrow, ReborrowMut};
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::error::AlgorithmError;
use crate::interactions::Interactions;

/// Single or double precision.
pub(super) trait Real: faer::traits::RealField + Copy + std::ops::AddAssign {
    fn of(value: f32) -> Self;
    fn to_f64(self) -> f64;
}

impl Real for f32 {
    fn of(value: f32) -> Self {
        value
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    fn of(value: f32) -> Self {
        f64::from(value)
    }
    fn to_f64(self) -> f64 {
        self
    }
}

/// The Cholesky factor: lower triangle of a column-major matrix.
pub(super) struct Factor<T> {
    lower: Vec<T>,
    n: usize,
}

impl<T: Real> Factor<T> {
    /// Factors the matrix whose lower triangle is given, in place.
    pub(super) fn new(mut lower: Vec<T>, n: usize) -> Result<Self, AlgorithmError> {
        let par = Par::rayon(0);
        let memory = llt::factor::cholesky_in_place_scratch::<T>(n, par, Default::default());
        let factored = llt::factor::cholesky_in_place(
            MatMut::from_column_major_slice_mut(&mut lower, n, n),
            Default::default(),
            par,
            MemStack::new(&mut MemBuffer::new(memory)),
            Default::default(),
        );
        match factored {
            Ok(_) => Ok(Self { lower, n }),
            Err(_) => Err(AlgorithmError::NotPositiveDefinite { algorithm: "ease", raise: "regularization" }),
        }
    }

    /// L⁻ᵀL⁻¹, in the memory of the factor and one more matrix.
    pub(super) fn inverse(self) -> Inverse<T> {
        let Self { mut lower, n } = self;
        let par = Par::rayon(0);
        let mut spare = vec![T::of(0.0); n * n];
        let mut triangle = MatMut::from_column_major_slice_mut(&mut spare, n, n);
        invert_lower_triangular(triangle.rb_mut(), MatRef::from_column_major_slice(&lower, n, n), par);
        matmul(
            MatMut::from_column_major_slice_mut(&mut lower, n, n),
            BlockStructure::TriangularLower,
            Accum::Replace,
            triangle.rb().transpose(),
            BlockStructure::TriangularUpper,
            triangle.rb(),
            BlockStructure::TriangularLower,
            T::of(1.0),
            par,
        );
        Inverse { lower, spare, n }
    }
}

/// The inverse: lower triangle of a column-major matrix, and memory of the same size.
pub(super) struct Inverse<T> {
    lower: Vec<T>,
    spare: Vec<T>,
    n: usize,
}

/// Side of the square parts in which a triangle is mirrored: two of them stay in the first-level cache.
const TILE: usize = 32;

impl<T: Real> Inverse<T> {
    /// How far (XᵀX + λI) P v is from v, relative to v, for a v of alternating signs.
    pub(super) fn error(&self, data: &Interactions, lambda: f32) -> f64 {
        let n = self.n;
        // A pattern without a short period, so that it is not blind to what repeats.
        let v: Vec<f64> = (0..n).map(|i| if (i * i / 7 + i) % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let image = self.times(&v);
        let mut back: Vec<f64> = image.iter().map(|value| f64::from(lambda) * value).collect();
        for viewer in 0..data.n_viewers() {
            let history = data.history(viewer);
            let sum: f64 = history.iter().map(|&title| image[title as usize]).sum();
            history.iter().for_each(|&title| back[title as usize] += sum);
        }
        let missed: f64 = back.iter().zip(&v).map(|(back, v)| (back - v) * (back - v)).sum();
        (missed / n as f64).sqrt()
    }

    /// P v, of which only the lower triangle is stored.
    fn times(&self, v: &[f64]) -> Vec<f64> {
        let n = self.n;
        let add = |mut sum: Vec<f64>, (j, column): (usize, &[T])| {
            let mut dot = 0.0;
            for i in j + 1..n {
                let value = column[i].to_f64();
                sum[i] += value * v[j];
                dot += value * v[i];
            }
            sum[j] += dot + column[j].to_f64() * v[j];
            sum
        };
        self.lower.par_chunks(n).enumerate().fold(|| vec![0.0; n], add).reduce(
            || vec![0.0; n],
            |mut one, two| {
                one.iter_mut().zip(two).for_each(|(one, two)| *one += two);
                one
            },
        )
    }

    /// −Pᵢⱼ / Pⱼⱼ, row after row, with a diagonal of 0.
    pub(super) fn into_weights(self) -> Vec<f32> {
        let Self { lower, spare, n } = self;
        drop(spare);
        let scale: Vec<f64> = (0..n).map(|i| -1.0 / lower[i * n + i].to_f64()).collect();
        let mut weights = vec![0.0f32; n * n];
        weights.par_chunks_mut(n * TILE).enumerate().for_each(|(part, rows)| {
            let first = part * TILE;
            for (i, row) in rows.chunks_exact_mut(n).enumerate() {
                let i = first + i;
                // Column i of the lower triangle is row i of the upper one.
                let column = &lower[i * n..(i + 1) * n];
                for j in i + 1..n {
                    row[j] = (column[j].to_f64() * scale[j]) as f32;
                }
            }
            let n_rows = rows.len() / n;
            for left in (0..first + n_rows).step_by(TILE) {
                for j in left..(left + TILE).min(first + n_rows) {
                    for i in 0..n_rows {
                        if j < first + i {
                            rows[i * n + j] = (lower[j * n + first + i].to_f64() * scale[j]) as f32;
                        }
                    }
                }
            }
        });
        weights
    }
}
