//! One pass over the ratings.

use pulp::{Arch, Simd, WithSimd};
use rand::seq::SliceRandom;

use super::{Descent, Member};
use crate::interactions::Interactions;
use crate::kernels::{axpy, dot, scale_add, step_pair};
use crate::random::{Purpose, stream};

/// What a pass needs beside the member that it changes.
pub(super) struct Pass<'a> {
    pub(super) data: &'a Interactions,
    pub(super) descent: &'a Descent,
    pub(super) seed: u64,
    /// From 1.
    pub(super) iteration: u32,
    pub(super) global_mean: f32,
}

impl Pass<'_> {
    /// Meets every rating once; returns the sum of squared errors, each taken before the step that it causes.
    pub(super) fn run(&self, member: &mut Member) -> f64 {
        Arch::new().dispatch(Run { pass: self, member })
    }

    fn learning_rate(&self) -> f32 {
        self.descent.learning_rate * self.descent.learning_rate_decay.powi(self.iteration as i32 - 1)
    }

    /// An order that follows from seed, member and epoch alone, so that a resumed fit meets the same one.
    fn rng(&self, member: &Member) -> rand_chacha::ChaCha8Rng {
        stream(self.seed, Purpose::Shuffle, (member.number << 32) | u64::from(self.iteration))
    }
}

struct Run<'a> {
    pass: &'a Pass<'a>,
    member: &'a mut Member,
}

impl WithSimd for Run<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        match self.pass.descent.implicit {
            None => plain(simd, self.pass, self.member),
            Some(regularization) => with_implicit(simd, self.pass, self.member, regularization),
        }
    }
}

/// Biased matrix factorization: all ratings in one shuffled order.
#[inline(always)]
fn plain<S: Simd>(simd: S, pass: &Pass<'_>, member: &mut Member) -> f64 {
    let Pass { data, descent, .. } = *pass;
    let rate = pass.learning_rate();
    let viewer_of = viewers_of(data);
    let mut order: Vec<u32> = (0..data.len() as u32).collect();
    order.shuffle(&mut pass.rng(member));
    let mut squared = 0.0;
    for at in order {
        let at = at as usize;
        let (viewer, title) = (viewer_of[at] as usize, data.titles()[at] as usize);
        let (p, q) = (member.viewers.row_mut(viewer), member.titles.row_mut(title));
        let base = pass.global_mean + member.viewer_bias[viewer] + member.title_bias[title];
        let error = data.ratings()[at] - base - dot(simd, p, q);
        squared += f64::from(error) * f64::from(error);
        for bias in [&mut member.viewer_bias[viewer], &mut member.title_bias[title]] {
            *bias += rate * (error - descent.bias_regularization * *bias);
        }
        step_pair(simd, 1.0 - rate * descent.regularization, rate * error, p, q);
    }
    squared
}

/// SVD++: viewers in a shuffled order, and each viewer's ratings in one.
///
/// A step for one rating moves the implicit factors of *all* the viewer's titles alike: each is scaled by `1 - rate · λ` and
/// moved by `rate · error · |N|^-½ q`. So it is enough to follow their sum, and to spread what it moved when the viewer is done:
/// the result is that of moving each at each rating, at the cost of one.
#[inline(always)]
fn with_implicit<S: Simd>(simd: S, pass: &Pass<'_>, member: &mut Member, regularization: f32) -> f64 {
    let Pass { data, descent, .. } = *pass;
    let rate = pass.learning_rate();
    let (keep, keep_implicit) = (1.0 - rate * descent.regularization, 1.0 - rate * regularization);
    let mut rng = pass.rng(member);
    let mut viewers: Vec<u32> = (0..data.n_viewers() as u32).collect();
    viewers.shuffle(&mut rng);
    let stride = member.viewers.stride();
    let (mut sum, mut before, mut whole) = (vec![0.0f32; stride], vec![0.0f32; stride], vec![0.0f32; stride]);
    let mut order = Vec::new();
    let mut squared = 0.0;
    for viewer in viewers {
        let viewer = viewer as usize;
        order.clear();
        order.extend(data.span(viewer));
        if order.is_empty() {
            continue;
        }
        let scale = 1.0 / (order.len() as f32).sqrt();
        sum.fill(0.0);
        for &title in data.history(viewer) {
            axpy(simd, scale, member.implicit.row(title as usize), &mut sum);
        }
        before.copy_from_slice(&sum);
        order.shuffle(&mut rng);
        for &at in &order {
            let title = data.titles()[at] as usize;
            let (p, q) = (member.viewers.row_mut(viewer), member.titles.row_mut(title));
            whole.copy_from_slice(&sum);
            axpy(simd, 1.0, p, &mut whole);
            let base = pass.global_mean + member.viewer_bias[viewer] + member.title_bias[title];
            let error = data.ratings()[at] - base - dot(simd, &whole, q);
            squared += f64::from(error) * f64::from(error);
            for bias in [&mut member.viewer_bias[viewer], &mut member.title_bias[title]] {
                *bias += rate * (error - descent.bias_regularization * *bias);
            }
            scale_add(simd, keep, p, rate * error, q);
            scale_add(simd, keep_implicit, &mut sum, rate * error, q);
            scale_add(simd, keep, q, rate * error, &whole);
        }
        let kept = keep_implicit.powi(order.len() as i32);
        // What the sum moved beyond its scaling, shared among the titles.
        scale_add(simd, -kept * scale, &mut before, scale, &sum);
        for &title in data.history(viewer) {
            scale_add(simd, kept, member.implicit.row_mut(title as usize), 1.0, &before);
        }
    }
    squared
}

/// The viewer of each interaction, beside the titles.
fn viewers_of(data: &Interactions) -> Vec<u32> {
    (0..data.n_viewers()).flat_map(|viewer| data.span(viewer).map(move |_| viewer as u32)).collect()
}
