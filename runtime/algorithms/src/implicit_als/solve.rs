//! One half of an iteration: the factors of one side, each row by itself, from those of the other.

use std::sync::Mutex;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::matmul::matmul;
use faer::prelude::{Reborrow, ReborrowMut};
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{ImplicitAlsParams, Solver, Weight};
use crate::cost::{self, FitCost};
use crate::error::AlgorithmError;
use crate::interactions::Interactions;
use crate::kernels::{Padded, axpy, copy, dot, negate, symmetric_times, weighted_sum, xpay};
use crate::trainer::Hyperparameters;

/// Rows handed to a thread at once: few enough that one crowded run of popular titles keeps no thread waiting.
const ROWS_A_TASK: usize = 16;

/// The cost of a fit: both sides in each iteration. Products of whole matrices run sixteen operations at once, those of a matrix
/// and a vector about eight, as they wait for memory.
pub(super) fn cost(data: &Interactions, hyperparameters: &Hyperparameters) -> FitCost {
    let number = |name| cost::number(hyperparameters, name);
    let (factors, steps) = (number("factors"), number("solverSteps"));
    let square = factors * factors;
    let rows = (data.n_viewers() + data.n_titles()) as f64;
    let watching = (0..data.n_viewers()).filter(|viewer| !data.span(*viewer).is_empty()).count();
    let watched = data.plays().iter().filter(|plays| **plays > 0.0).count();
    let (solved, met) = ((watching + watched) as f64, 2.0 * data.len() as f64);
    let solving = match hyperparameters.get("solver").and_then(serde_json::Value::as_str) {
        Some("exact") => met * (factors + square / 16.0) + solved * square * factors / 3.0 / 8.0,
        _ => met * factors * (1.0 + steps) + solved * square * (1.0 + steps) / 8.0,
    };
    let setup = rows * factors + 10.0 * met;
    FitCost::iterated(setup, rows * square / 16.0 + solving, number("iterations"))
}

/// Solves for each row of `unknown`, given `known` and who met whom (`table`: rows of `unknown` × rows of `known`).
pub(super) fn side(
    table: &Interactions,
    params: &ImplicitAlsParams,
    unknown: &mut Padded,
    known: &Padded,
) -> Result<(), AlgorithmError> {
    let stride = known.stride();
    let mut gram = gram(known);
    for i in 0..stride {
        gram[i * stride + i] += params.regularization;
    }
    let gram = &gram;
    let failed = Mutex::new(false);
    unknown.values_mut().par_chunks_mut(stride * ROWS_A_TASK).enumerate().for_each_init(
        || Scratch::new(stride),
        |scratch, (task, rows)| {
            let first = task * ROWS_A_TASK;
            let solved = Arch::new().dispatch(SolveRows { table, params, known, gram, first, rows, scratch });
            if !solved && let Ok(mut failed) = failed.lock() {
                *failed = true;
            }
        },
    );
    if failed.into_inner().unwrap_or(true) {
        return Err(AlgorithmError::NotPositiveDefinite {
            algorithm: "implicit-als",
            raise: "regularization",
        });
    }
    Ok(())
}

/// `YᵀY` of a table, `stride` × `stride`: parts of fixed size, summed in order, so that threads do not change the sum.
pub(super) fn gram(known: &Padded) -> Vec<f32> {
    let stride = known.stride();
    let parts: Vec<Vec<f32>> = known
        .values()
        .par_chunks(stride * 4096)
        .map(|rows| {
            let mut part = vec![0.0f32; stride * stride];
            // Rows after one another are the columns of the transpose.
            let transposed = MatRef::from_column_major_slice(rows, stride, rows.len() / stride);
            let out = MatMut::from_column_major_slice_mut(&mut part, stride, stride);
            matmul(out, Accum::Replace, transposed, transposed.transpose(), 1.0, Par::Seq);
            part
        })
        .collect();
    let mut sum = vec![0.0f32; stride * stride];
    for part in parts {
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    sum
}

/// What one thread needs beside the factors; kept over the rows of a task.
struct Scratch {
    /// The known rows that this row met, one after the other: read from afar once, then near at hand.
    rows: Vec<f32>,
    /// Confidence of each.
    confidence: Vec<f32>,
    residual: Vec<f32>,
    direction: Vec<f32>,
    image: Vec<f32>,
    /// For the exact solver: the scaled rows and the system.
    scaled: Vec<f32>,
    system: Vec<f32>,
}

impl Scratch {
    fn new(stride: usize) -> Self {
        let vector = || vec![0.0; stride];
        Self {
            rows: Vec::new(),
            confidence: Vec::new(),
            residual: vector(),
            direction: vector(),
            image: vector(),
            scaled: Vec::new(),
            system: Vec::new(),
        }
    }

    /// Room for `n` rows. It only grows: the part in use is cut out by the number of confidences.
    fn make_room(&mut self, n: usize, stride: usize) {
        if self.rows.len() < n * stride {
            self.rows.resize(n * stride, 0.0);
        }
    }
}

struct SolveRows<'a> {
    table: &'a Interactions,
    params: &'a ImplicitAlsParams,
    known: &'a Padded,
    gram: &'a [f32],
    first: usize,
    rows: &'a mut [f32],
    scratch: &'a mut Scratch,
}

impl WithSimd for SolveRows<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let Self { table, params, known, gram, first, rows, scratch } = self;
        let mut solved = true;
        for (i, x) in rows.chunks_exact_mut(known.stride()).enumerate() {
            let span = table.span(first + i);
            if span.is_empty() {
                x.fill(0.0);
                continue;
            }
            scratch.make_room(span.len(), x.len());
            confidences(params, &table.ratings()[span.clone()], &mut scratch.confidence);
            let system = System { gram, known, met: &table.titles()[span] };
            match params.solver {
                Solver::ConjugateGradient { steps } => conjugate_gradient(simd, &system, x, scratch, steps),
                Solver::Exact => solved &= exact(simd, &system, x, scratch),
            }
        }
        solved
    }
}

/// What one row is solved from.
struct System<'a> {
    /// `YᵀY + λI`.
    gram: &'a [f32],
    known: &'a Padded,
    /// The known rows that this row met.
    met: &'a [u32],
}

impl System<'_> {
    /// Copies the rows met, one after the other.
    #[inline(always)]
    fn gather<S: Simd>(&self, simd: S, rows: &mut [f32]) {
        for (to, &row) in rows.chunks_exact_mut(self.known.stride()).zip(self.met) {
            copy(simd, self.known.row(row as usize), to);
        }
    }
}

fn confidences(params: &ImplicitAlsParams, ratings: &[f32], confidence: &mut Vec<f32>) {
    confidence.clear();
    match params.weight {
        Weight::Watched => confidence.resize(ratings.len(), 1.0 + params.alpha),
        Weight::Rating => confidence.extend(ratings.iter().map(|rating| 1.0 + params.alpha * rating)),
    }
}

/// Steps from the former `x` towards the solution of (G + Σ (c−1) y yᵀ) x = Σ c y, never forming the matrix.
#[inline(always)]
fn conjugate_gradient<S: Simd>(
    simd: S,
    system: &System<'_>,
    x: &mut [f32],
    scratch: &mut Scratch,
    steps: u32,
) {
    let Scratch { rows, confidence, residual, direction, image, .. } = scratch;
    let (confidence, rows) = (&confidence[..], &mut rows[..confidence.len() * x.len()]);

    symmetric_times(simd, system.gram, x, residual);
    negate(simd, residual);
    // All rows first, then the sums: a loop of nothing but copies keeps the most cache misses in flight.
    system.gather(simd, rows);
    weighted_sum(simd, rows, x, residual, |i, dot| confidence[i] - (confidence[i] - 1.0) * dot);
    copy(simd, residual, direction);
    let mut norm = dot(simd, residual, residual);
    for _ in 0..steps {
        if norm < 1e-20 {
            return;
        }
        symmetric_times(simd, system.gram, direction, image);
        weighted_sum(simd, rows, direction, image, |i, dot| (confidence[i] - 1.0) * dot);
        let step = norm / dot(simd, direction, image);
        axpy(simd, step, direction, x);
        axpy(simd, -step, image, residual);
        let next = dot(simd, residual, residual);
        xpay(simd, residual, next / norm, direction);
        norm = next;
    }
}

/// Forms the matrix and solves by Cholesky; false when it is not positive definite.
#[inline(always)]
fn exact<S: Simd>(simd: S, known: &System<'_>, x: &mut [f32], scratch: &mut Scratch) -> bool {
    let stride = x.len();
    let Scratch { rows, confidence, scaled, system, .. } = scratch;
    let (n, rows) = (confidence.len(), &mut rows[..confidence.len() * stride]);
    known.gather(simd, rows);
    scaled.clear();
    for (row, confidence) in rows.chunks_exact(stride).zip(&confidence[..]) {
        let weight = (confidence - 1.0).sqrt();
        scaled.extend(row.iter().map(|value| value * weight));
    }
    system.clear();
    system.extend_from_slice(known.gram);
    let mut matrix = MatMut::from_column_major_slice_mut(system, stride, stride);
    let transposed = MatRef::from_column_major_slice(scaled, stride, n);
    matmul(matrix.rb_mut(), Accum::Add, transposed, transposed.transpose(), 1.0, Par::Seq);

    x.fill(0.0);
    for (row, confidence) in rows.chunks_exact(stride).zip(&confidence[..]) {
        axpy(simd, *confidence, row, x);
    }
    let memory = llt::factor::cholesky_in_place_scratch::<f32>(stride, Par::Seq, Default::default())
        .or(llt::solve::solve_in_place_scratch::<f32>(stride, 1, Par::Seq));
    let mut buffer = MemBuffer::new(memory);
    let factored = llt::factor::cholesky_in_place(
        matrix.rb_mut(),
        Default::default(),
        Par::Seq,
        MemStack::new(&mut buffer),
        Default::default(),
    );
    if factored.is_err() {
        return false;
    }
    let unknown = MatMut::from_column_major_slice_mut(x, stride, 1);
    llt::solve::solve_in_place(matrix.rb(), unknown, Par::Seq, MemStack::new(&mut buffer));
    true
}
