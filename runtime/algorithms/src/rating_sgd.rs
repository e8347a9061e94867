//! Gradient descent on ratings: what [`crate::biased_mf`] and [`crate::svd_plus_plus`] share.

mod epoch;

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::context::{Fit, FitContext, State};
use crate::error::{AlgorithmError, require};
use crate::factors::Factors;
use crate::interactions::Interactions;
use crate::kernels::Padded;
use crate::random::{Purpose, normal_factors, stream};

/// How to descend; the fields are those of the two parameter structs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Descent {
    pub(crate) algorithm: &'static str,
    /// The regularization of SVD++'s implicit factors; `None` is a model without them.
    pub(crate) implicit: Option<f32>,
    pub(crate) factors: usize,
    pub(crate) epochs: u32,
    pub(crate) learning_rate: f32,
    pub(crate) learning_rate_decay: f32,
    pub(crate) regularization: f32,
    pub(crate) bias_regularization: f32,
    pub(crate) initial_deviation: f32,
    pub(crate) ensemble: u32,
}

/// The average of the members, as one model.
pub(crate) struct Fitted {
    pub(crate) global_mean: f32,
    pub(crate) viewer_bias: Vec<f32>,
    pub(crate) title_bias: Vec<f32>,
    pub(crate) viewer_factors: Factors,
    pub(crate) title_factors: Factors,
    /// No rows for a model without implicit factors.
    pub(crate) title_implicit: Factors,
}

/// One member of the ensemble.
struct Member {
    number: u64,
    viewer_bias: Vec<f32>,
    title_bias: Vec<f32>,
    viewers: Padded,
    titles: Padded,
    implicit: Padded,
}

/// Fits all members, epoch by epoch.
pub(crate) fn fit(
    data: &Interactions,
    descent: &Descent,
    context: &mut FitContext<'_>,
) -> Result<Fitted, AlgorithmError> {
    check(data, descent)?;
    let seed = context.seed();
    let this = Fit::new(descent.algorithm, descent.epochs, descent, data, seed);
    let numbers = 0..u64::from(descent.ensemble);
    let (mut members, mut done): (Vec<Member>, u32) =
        (numbers.map(|number| Member::new(data, descent, seed, number)).collect(), 0);
    if let Some(mut state) = context.take_resume(&this)? {
        members.iter_mut().try_for_each(|member| member.restore(descent, &mut state))?;
        done = state.iteration;
    }
    let global_mean = mean(data.ratings());
    let pool = context.pool().clone();
    for iteration in done + 1..=descent.epochs {
        let pass = epoch::Pass { data, descent, seed, iteration, global_mean };
        let squared: Vec<f64> =
            pool.install(|| members.par_iter_mut().map(|member| pass.run(member)).collect());
        let loss = (squared.iter().sum::<f64>() / (squared.len() * data.len()) as f64).sqrt();
        if !(loss.is_finite() && members.iter().all(Member::is_finite)) {
            let algorithm = descent.algorithm;
            return Err(AlgorithmError::Diverged { algorithm, iteration, lower: "learningRate" });
        }
        context.observe(&this, iteration, Some(loss), &|| tensors(&members, descent))?;
    }
    members.iter_mut().for_each(|member| member.forget_the_unmet(data));
    Ok(average(&members, global_mean, descent))
}

fn check(data: &Interactions, descent: &Descent) -> Result<(), AlgorithmError> {
    require((1..=4096).contains(&descent.factors), "factors", descent.factors, "a number from 1 to 4096")?;
    require(descent.epochs > 0, "epochs", descent.epochs, "1 or more")?;
    require((1..=256).contains(&descent.ensemble), "ensemble", descent.ensemble, "a number from 1 to 256")?;
    for (name, value, most) in [
        ("learningRate", descent.learning_rate, 1.0),
        ("learningRateDecay", descent.learning_rate_decay, 1.0),
    ] {
        require(value > 0.0 && value <= most, name, value, "a number above 0, at most 1")?;
    }
    for (name, value) in [
        ("regularization", descent.regularization),
        ("biasRegularization", descent.bias_regularization),
        ("implicitRegularization", descent.implicit.unwrap_or(0.0)),
        ("initialDeviation", descent.initial_deviation),
    ] {
        require(value.is_finite() && value >= 0.0, name, value, "0 or more")?;
    }
    data.require_two_viewers()
}

impl Member {
    fn new(data: &Interactions, descent: &Descent, seed: u64, number: u64) -> Self {
        let mut rng = stream(seed, Purpose::Initial, number);
        let mut normal = |rows| {
            let factors = normal_factors(&mut rng, rows, descent.factors, descent.initial_deviation);
            Padded::from_rows(descent.factors, factors.values())
        };
        let (viewers, titles) = (normal(data.n_viewers()), normal(data.n_titles()));
        // Implicit factors start at zero: the viewer's own factors break the symmetry.
        let implicit_rows = if descent.implicit.is_some() { data.n_titles() } else { 0 };
        Self {
            number,
            viewer_bias: vec![0.0; data.n_viewers()],
            title_bias: vec![0.0; data.n_titles()],
            viewers,
            titles,
            implicit: Padded::zeros(implicit_rows, descent.factors),
        }
    }

    fn restore(&mut self, descent: &Descent, state: &mut State) -> Result<(), AlgorithmError> {
        let number = self.number;
        let mut take = |name: &str, len: usize| state.take(&format!("{number}.{name}"), len);
        self.viewer_bias = take("viewer.bias", self.viewer_bias.len())?;
        self.title_bias = take("title.bias", self.title_bias.len())?;
        for (name, table) in [
            ("viewer.factors", &mut self.viewers),
            ("title.factors", &mut self.titles),
            ("title.implicit", &mut self.implicit),
        ] {
            *table = Padded::from_rows(descent.factors, &take(name, table.rows() * descent.factors)?);
        }
        Ok(())
    }

    fn is_finite(&self) -> bool {
        let biases = self.viewer_bias.iter().chain(&self.title_bias);
        biases.copied().all(f32::is_finite)
            && [&self.viewers, &self.titles, &self.implicit].iter().all(|table| table.is_finite())
    }

    /// Viewers and titles that no rating met still hold their random start: zeros say what is known of them.
    fn forget_the_unmet(&mut self, data: &Interactions) {
        for viewer in (0..data.n_viewers()).filter(|&viewer| data.span(viewer).is_empty()) {
            self.viewers.row_mut(viewer).fill(0.0);
        }
        for (title, _) in data.plays().iter().enumerate().filter(|(_, plays)| **plays == 0.0) {
            self.titles.row_mut(title).fill(0.0);
        }
    }
}

fn tensors(members: &[Member], descent: &Descent) -> BTreeMap<String, Vec<f32>> {
    let rows = |table: &Padded| table.to_rows(descent.factors);
    let of = |member: &Member| {
        [
            ("viewer.bias", member.viewer_bias.clone()),
            ("title.bias", member.title_bias.clone()),
            ("viewer.factors", rows(&member.viewers)),
            ("title.factors", rows(&member.titles)),
            ("title.implicit", rows(&member.implicit)),
        ]
        .map(|(name, values)| (format!("{}.{name}", member.number), values))
    };
    members.iter().flat_map(of).collect()
}

/// The members side by side: the sum of their products, with the viewers' part divided by their number, is the mean of their
/// predictions.
fn average(members: &[Member], global_mean: f32, descent: &Descent) -> Fitted {
    let share = 1.0 / members.len() as f32;
    let bias = |of: fn(&Member) -> &Vec<f32>| -> Vec<f32> {
        let rows = 0..of(&members[0]).len();
        rows.map(|row| members.iter().map(|member| of(member)[row]).sum::<f32>() * share).collect()
    };
    let side_by_side = |of: fn(&Member) -> &Padded, scale: f32| {
        let mut wide = Factors::zeros(of(&members[0]).rows(), members.len() * descent.factors);
        for row in 0..wide.rows() {
            let parts = wide.row_mut(row).chunks_exact_mut(descent.factors);
            for (part, member) in parts.zip(members) {
                part.iter_mut().zip(of(member).row(row)).for_each(|(to, from)| *to = scale * from);
            }
        }
        wide
    };
    Fitted {
        global_mean,
        viewer_bias: bias(|member| &member.viewer_bias),
        title_bias: bias(|member| &member.title_bias),
        viewer_factors: side_by_side(|member| &member.viewers, share),
        title_factors: side_by_side(|member| &member.titles, 1.0),
        title_implicit: side_by_side(|member| &member.implicit, share),
    }
}

fn mean(ratings: &[f32]) -> f32 {
    (ratings.iter().map(|rating| f64::from(*rating)).sum::<f64>() / ratings.len().max(1) as f64) as f32
}
