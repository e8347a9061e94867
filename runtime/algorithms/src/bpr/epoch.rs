//! One epoch: as many steps as there are interactions, on several threads, in an order that only seed and threads decide.

use pulp::{Arch, Simd, WithSimd};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{BprParams, Model, Negatives};
use crate::cost::{self, FitCost, Threads};
use crate::interactions::Interactions;
use crate::kernels::{Padded, dot};
use crate::random::{Purpose, stream};
use crate::trainer::Hyperparameters;

/// How often an epoch adds up what the threads' copies moved; one thread needs no copy.
const ROUNDS: usize = 8;

/// Draws of an unwatched title before the step is given up: for a viewer who watched nearly everything.
const DRAWS: usize = 32;

/// The cost of descent, its rows shared among the threads, and of the copies that they work on.
pub(super) fn cost(data: &Interactions, hyperparameters: &Hyperparameters, threads: Threads) -> FitCost {
    let threads = threads.0.max(1) as f64;
    let alone = cost::descent(data, hyperparameters);
    let table = data.n_titles() as f64 * cost::number(hyperparameters, "factors");
    // Copying and comparing a number costs about as much as a step on it; the copies are summed by one thread.
    let copies = if threads > 1.0 { ROUNDS as f64 * table * (1.0 + threads) } else { 0.0 };
    let epochs = cost::number(hyperparameters, "epochs");
    FitCost { first: alone.first / threads + copies, later: alone.later / threads + copies * (epochs - 1.0) }
}

/// What every epoch needs.
pub(super) struct Epochs<'a> {
    data: &'a Interactions,
    params: &'a BprParams,
    seed: u64,
    viewer_of: Vec<u32>,
    /// Where each thread's viewers begin and end, with about as many interactions each.
    bounds: Vec<usize>,
}

impl<'a> Epochs<'a> {
    pub(super) fn new(data: &'a Interactions, params: &'a BprParams, seed: u64, threads: usize) -> Self {
        let viewer_of =
            (0..data.n_viewers()).flat_map(|viewer| data.span(viewer).map(move |_| viewer as u32)).collect();
        let bounds = (0..=threads)
            .map(|thread| {
                let wanted = (data.len() * thread / threads) as u32;
                data.offsets().partition_point(|&offset| offset < wanted).min(data.n_viewers())
            })
            .collect();
        let mut epochs = Self { data, params, seed, viewer_of, bounds };
        epochs.bounds[threads] = data.n_viewers();
        epochs
    }

    /// Runs one epoch, from 1; returns the mean loss, each taken before the step that it causes.
    pub(super) fn run(&self, iteration: u32, model: &mut Model) -> f64 {
        let threads = self.bounds.len() - 1;
        let rounds = if threads == 1 { 1 } else { ROUNDS };
        let (mut loss, mut steps) = (0.0, 0usize);
        for round in 0..rounds {
            let part = Part { epochs: self, iteration, number: 0, share: rounds };
            let first = ((iteration as usize * rounds) + round) * threads;
            let results = if threads == 1 {
                let Model { viewers, titles, bias } = model;
                vec![Part { number: first as u64, ..part }.run(0, viewers.values_mut(), titles, bias)]
            } else {
                self.round(part, first, model)
            };
            for (sum, n) in results {
                loss += sum;
                steps += n;
            }
        }
        loss / steps.max(1) as f64
    }

    /// Each thread on a copy of the titles; then the sum of what the copies moved.
    fn round(&self, part: Part<'_>, first: usize, model: &mut Model) -> Vec<(f64, usize)> {
        let stride = model.viewers.stride();
        let mut rest = model.viewers.values_mut();
        let mut shares = Vec::new();
        for pair in self.bounds.windows(2) {
            let (share, after) = rest.split_at_mut((pair[1] - pair[0]) * stride);
            shares.push(share);
            rest = after;
        }
        let (titles, bias) = (&model.titles, &model.bias);
        let moved: Vec<_> = shares
            .into_par_iter()
            .enumerate()
            .map(|(thread, share)| {
                let (mut titles, mut bias) = (titles.clone(), bias.clone());
                let part = Part { number: (first + thread) as u64, ..part };
                let outcome = part.run(thread, share, &mut titles, &mut bias);
                (outcome, titles, bias)
            })
            .collect();
        let (old_titles, old_bias) = (model.titles.clone(), model.bias.clone());
        let mut outcomes = Vec::new();
        for (outcome, titles, bias) in moved {
            add_moved(model.titles.values_mut(), titles.values(), old_titles.values());
            add_moved(&mut model.bias, &bias, &old_bias);
            outcomes.push(outcome);
        }
        outcomes
    }
}

fn add_moved(sum: &mut [f32], new: &[f32], old: &[f32]) {
    sum.iter_mut().zip(new.iter().zip(old)).for_each(|(sum, (new, old))| *sum += new - old);
}

/// The steps of one thread in one round.
#[derive(Clone, Copy)]
struct Part<'a> {
    epochs: &'a Epochs<'a>,
    iteration: u32,
    /// The number of its random stream.
    number: u64,
    /// The share of its interactions that a round has steps: one in this many.
    share: usize,
}

impl Part<'_> {
    fn run(self, thread: usize, viewers: &mut [f32], titles: &mut Padded, bias: &mut [f32]) -> (f64, usize) {
        let bounds = &self.epochs.bounds;
        Arch::new().dispatch(Run {
            part: self,
            from: bounds[thread],
            to: bounds[thread + 1],
            viewers,
            titles,
            bias,
        })
    }
}

struct Run<'a, 'b> {
    part: Part<'a>,
    from: usize,
    to: usize,
    viewers: &'b mut [f32],
    titles: &'b mut Padded,
    bias: &'b mut [f32],
}

impl WithSimd for Run<'_, '_> {
    type Output = (f64, usize);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> (f64, usize) {
        let Self { part, from, to, viewers, titles, bias } = self;
        let Epochs { data, params, seed, ref viewer_of, .. } = *part.epochs;
        let mine = data.offsets()[from] as usize..data.offsets()[to] as usize;
        let steps = mine.len().div_ceil(part.share);
        let mut rng = stream(seed, Purpose::Sample, part.number);
        let rate = params.learning_rate * params.learning_rate_decay.powi(part.iteration as i32 - 1);
        let (mut loss, mut done) = (0.0, 0);
        for _ in 0..steps {
            let at = rng.random_range(mine.clone());
            let (viewer, liked) = (viewer_of[at] as usize, data.titles()[at] as usize);
            let Some(other) = draw_unwatched(data, params.negatives, viewer, &mut rng) else { continue };
            let stride = titles.stride();
            let p = &mut viewers[(viewer - from) * stride..][..stride];
            let rows = [liked, other].map(|title| title * stride..(title + 1) * stride);
            let Ok([q, r]) = titles.values_mut().get_disjoint_mut(rows) else { continue };
            let margin = dot(simd, p, q) - dot(simd, p, r) + bias[liked] - bias[other];
            let pull = 1.0 / (1.0 + margin.exp());
            loss += f64::from((-margin).exp().ln_1p());
            done += 1;
            let keep = 1.0 - rate * params.regularization;
            step(simd, keep, rate * pull, Vectors { viewer: p, liked: q, other: r });
            bias[liked] = keep * bias[liked] + rate * pull;
            bias[other] = keep * bias[other] - rate * pull;
        }
        (loss, done)
    }
}

/// The vectors that one step moves.
struct Vectors<'a> {
    viewer: &'a mut [f32],
    liked: &'a mut [f32],
    other: &'a mut [f32],
}

#[inline(always)]
fn step<S: Simd>(simd: S, keep: f32, step: f32, vectors: Vectors<'_>) {
    let Vectors { viewer, liked, other } = vectors;
    let (keep, step) = (simd.splat_f32s(keep), simd.splat_f32s(step));
    let (p, _) = S::as_mut_simd_f32s(viewer);
    let (q, _) = S::as_mut_simd_f32s(liked);
    let (r, _) = S::as_mut_simd_f32s(other);
    for (p, (q, r)) in p.iter_mut().zip(q.iter_mut().zip(r)) {
        let pull = simd.mul_f32s(step, *p);
        let apart = simd.sub_f32s(*q, *r);
        *p = simd.mul_add_e_f32s(step, apart, simd.mul_f32s(keep, *p));
        *q = simd.mul_add_e_f32s(keep, *q, pull);
        *r = simd.sub_f32s(simd.mul_f32s(keep, *r), pull);
    }
}

fn draw_unwatched(
    data: &Interactions,
    negatives: Negatives,
    viewer: usize,
    rng: &mut ChaCha8Rng,
) -> Option<usize> {
    let history = data.history(viewer);
    (0..DRAWS).find_map(|_| {
        let title = match negatives {
            Negatives::Uniform => rng.random_range(0..data.n_titles() as u32),
            Negatives::Plays => data.titles()[rng.random_range(0..data.len())],
        };
        history.binary_search(&title).is_err().then_some(title as usize)
    })
}
