//! How good a model is, by a protocol, beside a baseline that knows nobody.

use std::{collections::HashMap, sync::Mutex};

use marquee_algorithms::{
    AlgorithmError, Interaction, Interactions,
    metrics::{Bootstrap, Estimate, RankingOptions, RankingReport, RatingReport, RatingScale, rank, rate},
};
use marquee_models::{Capability, Model, ModelError, TitleRow, ViewerContext, ViewerRow};
use serde::Serialize;

use crate::{
    config::{Measure, Protocol},
    split::{DataSplit, TableShape, table},
};

/// Figures of one model.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Quality {
    /// Where held-out titles come among all titles that the viewer has not seen.
    Ranking(RankingReport),
    /// How far predicted ratings lie from held-out ones.
    Rating(RatingReport),
}

/// A model's figures and those of the baseline on the same held-out part.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Of the model.
    pub model: Quality,
    /// Of the baseline.
    pub baseline: Quality,
    /// What the baseline is: `popularity`, or `title mean` for ratings.
    pub baseline_name: &'static str,
}

/// Why quality was not measured.
#[derive(Debug)]
pub enum Fault {
    /// There is nothing to measure on, or the scores are not numbers.
    Metric(AlgorithmError),
    /// The model refused.
    Model(ModelError),
}

impl From<AlgorithmError> for Fault {
    fn from(error: AlgorithmError) -> Self {
        Self::Metric(error)
    }
}

impl Quality {
    /// A figure by its name, such as `rmse`, `mae`, `ndcg@10`.
    pub fn figure(&self, name: &str) -> Option<Estimate> {
        match self {
            Self::Rating(report) => match name {
                "rmse" => Some(report.rmse),
                "mae" => Some(report.mae),
                _ => None,
            },
            Self::Ranking(report) => {
                let (metric, k) = name.split_once('@')?;
                let at = report.at(k.parse().ok()?)?;
                match metric {
                    "hr" => Some(at.hr),
                    "ndcg" => Some(at.ndcg),
                    "recall" => Some(at.recall),
                    "mrr" => Some(at.mrr),
                    "coverage" => Some(Estimate { value: at.coverage, low: at.coverage, high: at.coverage }),
                    _ => None,
                }
            }
        }
    }

    /// Names of all figures, the foremost first.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Rating(_) => vec!["rmse".to_owned(), "mae".to_owned()],
            Self::Ranking(report) => {
                let at =
                    |k| ["hr", "ndcg", "recall", "mrr", "coverage"].map(|metric| format!("{metric}@{k}"));
                report.at.iter().flat_map(|figures| at(figures.k)).collect()
            }
        }
    }
}

/// Whether a smaller figure is better.
pub fn smaller_is_better(metric: &str) -> bool {
    matches!(metric, "rmse" | "mae")
}

/// The figure that is compared unless another is asked for.
pub fn foremost(protocol: Protocol, measure: &Measure) -> String {
    if protocol.is_explicit() {
        return "rmse".to_owned();
    }
    format!("ndcg@{}", measure.cutoffs.first().copied().unwrap_or(10))
}

/// Measures `model` on the held-out part, and the baseline.
pub fn compare(
    model: &dyn Model,
    split: &DataSplit,
    protocol: Protocol,
    measure: &Measure,
) -> Result<Comparison, Fault> {
    if protocol.is_explicit() {
        let baseline = title_mean(split, measure)?;
        return Ok(Comparison {
            model: ratings(model, split, measure)?,
            baseline,
            baseline_name: "title mean",
        });
    }
    let held = table(&split.held_out, TableShape::of(&split.training))?;
    let baseline = popularity(&split.training, &held, measure)?;
    let model = ranking(model, &split.training, &held, measure)?;
    Ok(Comparison { model, baseline, baseline_name: "popularity" })
}

/// Only the model: what a search compares.
pub fn of_model(
    model: &dyn Model,
    split: &DataSplit,
    protocol: Protocol,
    measure: &Measure,
) -> Result<Quality, Fault> {
    if protocol.is_explicit() {
        return ratings(model, split, measure);
    }
    let held = table(&split.held_out, TableShape::of(&split.training))?;
    ranking(model, &split.training, &held, measure)
}

/// Ranks all titles but those of `watched` for each viewer of `held`.
pub fn ranking(
    model: &dyn Model,
    watched: &Interactions,
    held: &Interactions,
    measure: &Measure,
) -> Result<Quality, Fault> {
    let fault: Mutex<Option<ModelError>> = Mutex::new(None);
    let scored = rank(watched, held, &options(measure), |viewer, scores| {
        if let Err(error) = score_all(model, viewer, scores) {
            // Stops the ranking; the reason follows below.
            scores.fill(f32::NAN);
            if let Ok(mut fault) = fault.lock() {
                fault.get_or_insert(error);
            }
        }
    });
    match fault.into_inner() {
        Ok(Some(error)) => Err(Fault::Model(error)),
        _ => Ok(Quality::Ranking(scored?)),
    }
}

fn score_all(model: &dyn Model, viewer: u32, scores: &mut [f32]) -> Result<(), ModelError> {
    let score_all = model.score_all().ok_or_else(|| ModelError::lacks(model, Capability::ScoreAll))?;
    score_all.score_all_into(&[ViewerContext::known(ViewerRow(viewer))], scores)
}

/// The baseline of ranking: the same list for everybody, by plays.
pub fn popularity(watched: &Interactions, held: &Interactions, measure: &Measure) -> Result<Quality, Fault> {
    let plays = watched.plays();
    Ok(Quality::Ranking(rank(watched, held, &options(measure), |_, scores| scores.copy_from_slice(&plays))?))
}

/// How far the model's ratings lie from those of the held-out part, clipped to the scale.
pub fn ratings(model: &dyn Model, split: &DataSplit, measure: &Measure) -> Result<Quality, Fault> {
    let mut asked: HashMap<u32, Vec<u32>> = HashMap::new();
    for row in &split.held_out {
        asked.entry(row.viewer).or_default().push(row.title);
    }
    let mut predicted: HashMap<(u32, u32), f32> = HashMap::with_capacity(split.held_out.len());
    for (viewer, titles) in &asked {
        let who = [ViewerContext::known(ViewerRow(*viewer))];
        let scores = model.score(&who, &[TitleRow::from_numbers(titles)]).map_err(Fault::Model)?;
        let scores = scores.into_iter().flatten();
        predicted.extend(titles.iter().map(|title| (*viewer, *title)).zip(scores));
    }
    let predict = |viewer, title| predicted.get(&(viewer, title)).copied().unwrap_or(f32::NAN);
    Ok(Quality::Rating(rate(&split.held_out, split.scale, bootstrap(measure), predict)?))
}

/// The baseline of ratings: each title's mean in the training part.
fn title_mean(split: &DataSplit, measure: &Measure) -> Result<Quality, Fault> {
    let mut sums = vec![(0.0_f64, 0_u32); split.training.n_titles()];
    for Interaction { title, rating, .. } in split.training.iter() {
        let (sum, n) = &mut sums[title as usize];
        *sum += f64::from(rating);
        *n += 1;
    }
    let total: f64 = sums.iter().map(|(sum, _)| sum).sum();
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    let mean = total / split.training.len() as f64;
    #[expect(clippy::cast_possible_truncation, reason = "ratings are f32")]
    let predict = |_, title: u32| match sums[title as usize] {
        (_, 0) => mean as f32,
        (sum, n) => (sum / f64::from(n)) as f32,
    };
    Ok(Quality::Rating(rate(&split.held_out, split.scale, bootstrap(measure), predict)?))
}

/// The baseline of ratings where the training data is not at hand: one rating for everything.
pub fn constant(
    held_out: &[Interaction],
    scale: RatingScale,
    rating: f32,
    measure: &Measure,
) -> Result<Quality, Fault> {
    Ok(Quality::Rating(rate(held_out, scale, bootstrap(measure), |_, _| rating)?))
}

fn options(measure: &Measure) -> RankingOptions {
    RankingOptions { at: measure.cutoffs.clone(), bootstrap: bootstrap(measure) }
}

fn bootstrap(measure: &Measure) -> Bootstrap {
    Bootstrap { resamples: measure.bootstrap, seed: 0 }
}
