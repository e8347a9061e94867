//! How many viewers watched both of two titles.

use rayon::prelude::*;

use super::inverse::Real;
use crate::interactions::Interactions;

/// XᵀX as a column-major matrix of titles × titles, of which only the lower triangle is filled: it is symmetric.
///
/// Each column is summed by itself from the viewers of its title. Counts below 2²⁴ are exact in single precision.
pub(super) fn lower<T: Real>(data: &Interactions) -> Vec<T> {
    let n = data.n_titles();
    let by_title = data.transpose();
    let one = T::of(1.0);
    let mut counts = vec![T::of(0.0); n * n];
    counts.par_chunks_mut(n).enumerate().for_each(|(title, column)| {
        for &viewer in by_title.history(title) {
            let history = data.history(viewer as usize);
            let from = history.partition_point(|&other| (other as usize) < title);
            for &other in &history[from..] {
                column[other as usize] += one;
            }
        }
    });
    counts
}
