//! The training loss, as PyPI `implicit` computes and normalises it, so that the two compare.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{ImplicitAls, ImplicitAlsParams, Weight, solve};
use crate::interactions::Interactions;
use crate::kernels::{Padded, dot, symmetric_times};

/// Σ over all cells of c (p − x·y)² + λ (|X|² + |Y|²), divided by the sum of all confidences, those of 1 included.
///
/// Summed in parts of fixed size in double precision: the number of threads does not change it. Runs in the current rayon pool.
pub fn loss(data: &Interactions, params: &ImplicitAlsParams, model: &ImplicitAls) -> f64 {
    let padded = |factors: &crate::Factors| Padded::from_rows(factors.dim(), factors.values());
    of_padded(data, params, &padded(&model.viewer_factors), &padded(&model.title_factors))
}

pub(super) fn of_padded(
    data: &Interactions,
    params: &ImplicitAlsParams,
    viewers: &Padded,
    titles: &Padded,
) -> f64 {
    let gram = solve::gram(titles);
    let tasks: Vec<usize> = (0..viewers.rows()).step_by(64).collect();
    let parts: Vec<(f64, f64)> = tasks
        .into_par_iter()
        .map(|first| Arch::new().dispatch(Part { data, params, viewers, titles, gram: &gram, first }))
        .collect();
    let (error, confidence) = parts.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    let norm: f64 = [viewers, titles]
        .iter()
        .flat_map(|side| side.values())
        .map(|value| f64::from(*value) * f64::from(*value))
        .sum();
    let cells = data.n_viewers() as f64 * data.n_titles() as f64;
    (error + f64::from(params.regularization) * norm) / (confidence + cells - data.len() as f64)
}

struct Part<'a> {
    data: &'a Interactions,
    params: &'a ImplicitAlsParams,
    viewers: &'a Padded,
    titles: &'a Padded,
    gram: &'a [f32],
    first: usize,
}

impl WithSimd for Part<'_> {
    type Output = (f64, f64);

    /// Error and confidence of some viewers. The unwatched cells come from xᵀ(YᵀY)x, which counts every cell with c = 1, p = 0.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> (f64, f64) {
        let Self { data, params, viewers, titles, gram, first } = self;
        let mut image = vec![0.0f32; viewers.stride()];
        let (mut error, mut sum) = (0.0, 0.0);
        for viewer in first..viewers.rows().min(first + 64) {
            let x = viewers.row(viewer);
            symmetric_times(simd, gram, x, &mut image);
            error += f64::from(dot(simd, x, &image));
            for at in data.span(viewer) {
                let score = f64::from(dot(simd, x, titles.row(data.titles()[at] as usize)));
                let confidence = 1.0
                    + f64::from(params.alpha)
                        * match params.weight {
                            Weight::Watched => 1.0,
                            Weight::Rating => f64::from(data.ratings()[at]),
                        };
                error += confidence * (1.0 - score) * (1.0 - score) - score * score;
                sum += confidence;
            }
        }
        (error, sum)
    }
}
