//! Quality of rankings: every title that the viewer has not watched is ranked, none is sampled.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::bootstrap::{Bootstrap, Estimate};
use crate::error::{AlgorithmError, require};
use crate::interactions::Interactions;

/// What to tell of a ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct RankingOptions {
    /// The lengths of list to judge, e.g. 10.
    pub at: Vec<usize>,
    /// How the intervals are drawn.
    pub bootstrap: Bootstrap,
}

impl Default for RankingOptions {
    fn default() -> Self {
        Self { at: vec![10], bootstrap: Bootstrap::default() }
    }
}

/// The figures for lists of one length; means over the viewers who have a held-out title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtK {
    /// Length of the list.
    pub k: usize,
    /// Hit rate: share of viewers with at least one held-out title in the list.
    pub hr: Estimate,
    /// Discounted gain of the held-out titles in the list, over the best possible.
    pub ndcg: Estimate,
    /// Share of the viewer's held-out titles that are in the list.
    pub recall: Estimate,
    /// One over the place of the first held-out title; 0 where it is beyond the list.
    pub mrr: Estimate,
    /// Share of all titles that stand in at least one viewer's list.
    pub coverage: f64,
}

/// How well a model ranks the held-out titles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankingReport {
    /// How many viewers were judged.
    pub viewers: usize,
    /// One entry a length of list, as asked for.
    pub at: Vec<AtK>,
}

impl RankingReport {
    /// The figures for lists of length `k`, if they were asked for.
    pub fn at(&self, k: usize) -> Option<&AtK> {
        self.at.iter().find(|figures| figures.k == k)
    }
}

/// What one viewer's ranking gave: the places of the held-out titles (from 1, ascending) and the list.
struct Ranked {
    places: Vec<usize>,
    list: Vec<u32>,
}

/// Ranks, for each viewer with held-out titles, all titles but those watched in training; equal scores rank by ascending row.
///
/// `score(viewer, scores)` writes a score for every title. `watched` and `held` have the same shape. A title that is both
/// watched and held out is ranked. Runs in the current rayon pool; the figures do not depend on the number of threads.
///
/// Errors: nothing held out, tables of different shapes, no or a zero `k`, a score that is NaN.
pub fn rank(
    watched: &Interactions,
    held: &Interactions,
    options: &RankingOptions,
    score: impl Fn(u32, &mut [f32]) + Sync,
) -> Result<RankingReport, AlgorithmError> {
    let longest = options.at.iter().copied().max().unwrap_or(0);
    require(
        longest > 0 && !options.at.contains(&0),
        "at",
        format!("{:?}", options.at),
        "one length of list or more, each above 0",
    )?;
    let shapes = [watched, held].map(|table| (table.n_viewers(), table.n_titles()));
    require(
        shapes[0] == shapes[1],
        "held",
        format!("{:?}", shapes[1]),
        "a table of the same viewers and titles as the training data",
    )?;
    let viewers: Vec<u32> =
        (0..held.n_viewers() as u32).filter(|&viewer| !held.span(viewer as usize).is_empty()).collect();
    if viewers.is_empty() {
        return Err(AlgorithmError::Empty);
    }
    let ranked: Vec<Ranked> = viewers
        .par_iter()
        .map_init(
            || vec![0.0f32; held.n_titles()],
            |scores, &viewer| {
                scores.fill(0.0);
                score(viewer, scores);
                if let Some(title) = scores.iter().position(|score| score.is_nan()) {
                    return Err(AlgorithmError::ScoreNotANumber { viewer, title });
                }
                let (watched, held) = (watched.history(viewer as usize), held.history(viewer as usize));
                Ok(rank_one(scores, watched, held, longest))
            },
        )
        .collect::<Result<_, _>>()?;
    let at = options.at.iter().map(|&k| figures(&ranked, k, held.n_titles(), options.bootstrap)).collect();
    Ok(RankingReport { viewers: viewers.len(), at })
}

fn rank_one(scores: &[f32], watched: &[u32], held: &[u32], longest: usize) -> Ranked {
    let mut candidates: Vec<u32> = (0..scores.len() as u32)
        .filter(|title| watched.binary_search(title).is_err() || held.binary_search(title).is_ok())
        .collect();
    // `total_cmp` puts -0 below 0; adding 0 makes them equal.
    let key = |title: u32| scores[title as usize] + 0.0;
    let better = |a: u32, b: u32| key(b).total_cmp(&key(a)).then(a.cmp(&b));
    let mut places: Vec<usize> = held
        .iter()
        .map(|&title| 1 + candidates.iter().filter(|&&other| better(other, title).is_lt()).count())
        .collect();
    places.sort_unstable();
    if longest < candidates.len() {
        candidates.select_nth_unstable_by(longest, |a, b| better(*a, *b));
        candidates.truncate(longest);
    }
    candidates.sort_unstable_by(|a, b| better(*a, *b));
    Ranked { places, list: candidates }
}

fn figures(ranked: &[Ranked], k: usize, n_titles: usize, bootstrap: Bootstrap) -> AtK {
    let estimate = |of: &dyn Fn(&[usize]) -> f64| {
        let values: Vec<f64> = ranked.iter().map(|viewer| of(&viewer.places)).collect();
        bootstrap.estimate(&values, |mean| mean)
    };
    let hits = |places: &[usize]| places.iter().filter(|&&place| place <= k).count();
    let mut is_shown = vec![false; n_titles];
    for title in ranked.iter().flat_map(|viewer| viewer.list.iter().take(k)) {
        is_shown[*title as usize] = true;
    }
    AtK {
        k,
        hr: estimate(&|places| f64::from(u8::from(hits(places) > 0))),
        ndcg: estimate(&|places| {
            let best: f64 = (1..=places.len().min(k)).map(discount).sum();
            places.iter().filter(|&&place| place <= k).map(|&place| discount(place)).sum::<f64>() / best
        }),
        recall: estimate(&|places| hits(places) as f64 / places.len() as f64),
        mrr: estimate(&|places| {
            places.first().filter(|&&place| place <= k).map_or(0.0, |&place| 1.0 / place as f64)
        }),
        coverage: is_shown.iter().filter(|shown| **shown).count() as f64 / n_titles as f64,
    }
}

fn discount(place: usize) -> f64 {
    1.0 / ((place + 1) as f64).log2()
}

#[cfg(test)]
mod tests;
