//! The small symmetric systems of fold-in, in f64: gathered row by row and solved by Cholesky. Nothing here depends on a batch.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

use crate::weights::Table;

/// Rows that one f32 product sums before it is added in f64: few enough to keep the digits.
const GRAM_ROWS: usize = 8192;

/// A symmetric system `A x = b` of size d. Only the lower triangle of A is kept up.
#[derive(Clone, Debug)]
pub struct System {
    d: usize,
    a: Vec<f64>,
    b: Vec<f64>,
}

impl System {
    /// `lambda` on the diagonal, zeros elsewhere.
    pub fn diagonal(d: usize, lambda: f64) -> Self {
        let mut system = Self { d, a: vec![0.0; d * d], b: vec![0.0; d] };
        system.add_diagonal(lambda);
        system
    }

    /// The given matrix, `(d, d)` row-major; b is zero.
    pub fn from_matrix(a: &[f64], d: usize) -> Self {
        Self { d, a: a.to_vec(), b: vec![0.0; d] }
    }

    /// Adds to every diagonal element.
    pub fn add_diagonal(&mut self, lambda: f64) {
        for i in 0..self.d {
            self.a[i * self.d + i] += lambda;
        }
    }

    /// `A += weight · Σ row rowᵀ` over rows of d elements, four at a time so that A is passed over less often.
    pub fn add_outer<'a>(&mut self, rows: impl IntoIterator<Item = &'a [f32]>, weight: f64) {
        let mut four = [const { Vec::new() }; 4];
        let mut n = 0;
        for row in rows {
            four[n].clear();
            four[n].extend(row.iter().map(|x| f64::from(*x)));
            n += 1;
            if n == 4 {
                self.add_four(&four, weight);
                n = 0;
            }
        }
        for rest in four.iter_mut().skip(n) {
            rest.clear();
            rest.resize(self.d, 0.0);
        }
        if n > 0 {
            self.add_four(&four, weight);
        }
    }

    fn add_four(&mut self, [p, q, r, s]: &[Vec<f64>; 4], weight: f64) {
        for i in 0..self.d {
            let (wp, wq, wr, ws) = (weight * p[i], weight * q[i], weight * r[i], weight * s[i]);
            let out = &mut self.a[i * self.d..][..=i];
            let n = out.len();
            let columns = p[..n].iter().zip(&q[..n]).zip(r[..n].iter().zip(&s[..n]));
            for (out, ((p, q), (r, s))) in out.iter_mut().zip(columns) {
                *out += (wp * p + wq * q) + (wr * r + ws * s);
            }
        }
    }

    /// `b += weight · row`.
    pub fn add_right(&mut self, row: &[f32], weight: f64) {
        for (b, x) in self.b.iter_mut().zip(row) {
            *b += weight * f64::from(*x);
        }
    }

    /// Solves by Cholesky. A direction without weight (a zero pivot) gets 0.
    pub fn solve(mut self) -> Vec<f64> {
        let d = self.d;
        let largest = (0..d).fold(0.0_f64, |most, i| most.max(self.a[i * d + i]));
        let least = largest * 1e-13;
        let mut column = vec![0.0; d];
        for k in 0..d {
            let pivot = self.a[k * d + k];
            let inverse = if pivot > least { pivot.sqrt().recip() } else { 0.0 };
            self.a[k * d + k] = inverse;
            for (below, out) in column[k + 1..].iter_mut().enumerate() {
                let element = &mut self.a[(k + 1 + below) * d + k];
                *element *= inverse;
                *out = *element;
            }
            for i in k + 1..d {
                let factor = column[i];
                let row = &mut self.a[i * d + k + 1..][..i - k];
                for (out, x) in row.iter_mut().zip(&column[k + 1..=i]) {
                    *out -= factor * x;
                }
            }
        }
        self.substitute()
    }

    /// Forward and backward substitution; the diagonal holds inverses.
    fn substitute(self) -> Vec<f64> {
        let (d, a, mut x) = (self.d, self.a, self.b);
        for i in 0..d {
            let sum: f64 = a[i * d..][..i].iter().zip(&x).map(|(a, x)| a * x).sum();
            x[i] = (x[i] - sum) * a[i * d + i];
        }
        for i in (0..d).rev() {
            x[i] *= a[i * d + i];
            let xi = x[i];
            for (x, a) in x[..i].iter_mut().zip(&a[i * d..][..i]) {
                *x -= a * xi;
            }
        }
        x
    }
}

/// `YᵀY` of a table `(n, d)`: `(d, d)` row-major. Blocks of rows are summed in order, whatever the number of threads.
pub fn gram(table: &Table) -> Vec<f64> {
    let d = table.cols();
    let blocks: Vec<Mat<f32>> = table
        .values()
        .par_chunks(GRAM_ROWS * d)
        .map(|block| {
            let rows = MatRef::from_row_major_slice(block, block.len() / d, d);
            let mut product = Mat::<f32>::zeros(d, d);
            matmul(product.as_mut(), Accum::Replace, rows.transpose(), rows, 1.0, Par::Seq);
            product
        })
        .collect();
    let mut sum = vec![0.0_f64; d * d];
    for block in &blocks {
        for i in 0..d {
            for j in 0..d {
                sum[i * d + j] += f64::from(block[(i, j)]);
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deterministic values in -1..1.
    fn values(n: usize) -> Vec<f32> {
        (0..n)
            .map(|i| ((i as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0)
            .collect()
    }

    #[test]
    fn a_system_is_solved_to_f64_digits() {
        for d in [1, 2, 7, 64] {
            let rows = values(d * 9);
            let mut system = System::diagonal(d, 0.1);
            system.add_outer(rows.chunks(d), 0.5);
            system.add_right(&rows[..d], 2.0);
            let x = system.clone().solve();
            for i in 0..d {
                let at = |j: usize| if j <= i { system.a[i * d + j] } else { system.a[j * d + i] };
                let product: f64 = (0..d).map(|j| at(j) * x[j]).sum();
                assert!(
                    (product - system.b[i]).abs() < 1e-9,
                    "d {d}, row {i}: {product} against {}",
                    system.b[i]
                );
            }
        }
    }

    #[test]
    fn the_gram_matrix_is_that_of_every_row() {
        let (n, d) = (GRAM_ROWS * 2 + 3, 5);
        let table = Table::from_values(&values(n * d), d).unwrap();
        let mut plain = vec![0.0; d * d];
        for row in table.values().chunks(d) {
            for i in 0..d {
                for j in 0..d {
                    plain[i * d + j] += f64::from(row[i]) * f64::from(row[j]);
                }
            }
        }
        for (found, expected) in gram(&table).iter().zip(&plain) {
            assert!((found - expected).abs() < 1e-2, "{found} against {expected}");
        }
    }

    #[test]
    fn a_direction_without_weight_gets_nothing() {
        let mut system = System::diagonal(2, 0.0);
        system.add_outer([[1.0, 0.0].as_slice()], 1.0);
        system.add_right(&[3.0, 0.0], 1.0);
        assert_eq!(system.solve(), vec![3.0, 0.0]);
    }
}
