//! Numerical readiness: a model reproduces the scores that its artifact carries, or it is never served.

use marquee_artifacts::manifest::{Golden, GoldenCase};
use marquee_artifacts::{MIX_STEP, mix64};

use crate::device::{Tolerance, relative_difference};
use crate::error::ModelError;
use crate::model::Model;
use crate::rows::{TitleRow, ViewerRow};
use crate::viewer::{ViewerContext, ViewerEvent};

/// Titles scored in each case.
const TITLES: usize = 16;

/// Recent titles of the cases that have some.
const RECENT: usize = 5;

/// Why a model is not ready.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// There is nothing to check against.
    #[error("golden outputs: expected at least one case, found none: train the artifact again")]
    Empty,
    /// A case lists as many scores as titles, or it says nothing.
    #[error("golden case {case}: expected one score a title ({titles}), found {scores}")]
    Malformed {
        /// Place in the list.
        case: usize,
        /// Titles of the case.
        titles: usize,
        /// Scores of the case.
        scores: usize,
    },
    /// The model refused the case.
    #[error("golden case {case} cannot be scored")]
    Refused {
        /// Place in the list.
        case: usize,
        /// Why.
        source: ModelError,
    },
    /// The model gives another score.
    #[error("golden case {case}, title {title}: expected score {expected} within {tolerance}, found {found}")]
    Differs {
        /// Place in the list.
        case: usize,
        /// Row in the title table.
        title: u32,
        /// As in the artifact.
        expected: f32,
        /// As scored here.
        found: f32,
        /// As in the artifact.
        tolerance: f32,
    },
}

/// Cases of every kind that the tables allow (known, known with recent titles, recent alone, stranger), chosen by `seed`, and their scores.
pub fn make(model: &dyn Model, seed: u64) -> Result<Golden, ModelError> {
    let mut draw = Draw(seed);
    let mut cases = Vec::new();
    let known = |draw: &mut Draw| (model.n_viewers() > 0).then(|| draw.below(model.n_viewers()));
    let titles = |draw: &mut Draw, n: usize| -> Vec<u32> {
        (0..n.min(model.n_titles())).map(|_| draw.below(model.n_titles())).collect()
    };
    for with_recent in [false, true] {
        for with_viewer in [true, true, false] {
            let viewer = if with_viewer { known(&mut draw) } else { None };
            let recent = titles(&mut draw, if with_recent { RECENT } else { 0 });
            let titles = titles(&mut draw, TITLES);
            let scores = score(model, viewer, &recent, &titles)?;
            cases.push(GoldenCase { viewer, recent, titles, scores });
        }
    }
    Ok(Golden { tolerance: Tolerance::of(model.device()).golden, cases })
}

/// Refuses a model whose scores are not those of `golden`.
pub fn check(model: &dyn Model, golden: &Golden) -> Result<(), GoldenError> {
    if golden.cases.is_empty() {
        return Err(GoldenError::Empty);
    }
    for (case, wanted) in golden.cases.iter().enumerate() {
        let GoldenCase { viewer, recent, titles, scores } = wanted;
        if titles.is_empty() || titles.len() != scores.len() {
            return Err(GoldenError::Malformed { case, titles: titles.len(), scores: scores.len() });
        }
        let found =
            score(model, *viewer, recent, titles).map_err(|source| GoldenError::Refused { case, source })?;
        let tolerance = Tolerance::golden_of(model.device(), golden.tolerance);
        for ((title, expected), found) in titles.iter().zip(scores).zip(found) {
            let error = relative_difference(found, *expected);
            // NaN anywhere is a difference.
            if error.is_nan() || error > tolerance {
                return Err(GoldenError::Differs {
                    case,
                    title: *title,
                    expected: *expected,
                    found,
                    tolerance,
                });
            }
        }
    }
    Ok(())
}

fn score(
    model: &dyn Model,
    known: Option<u32>,
    recent: &[u32],
    titles: &[u32],
) -> Result<Vec<f32>, ModelError> {
    let events: Vec<_> = recent.iter().map(|title| ViewerEvent::play(TitleRow(*title))).collect();
    let viewer = ViewerContext { known: known.map(ViewerRow), ..ViewerContext::of_events(&events) };
    let mut lists = model.score(&[viewer], &[TitleRow::from_numbers(titles)])?;
    Ok(lists.pop().unwrap_or_default())
}

/// Chooses cases, the same ones everywhere.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> u32 {
        self.0 = self.0.wrapping_add(MIX_STEP);
        (mix64(self.0) % n.max(1) as u64) as u32
    }
}
