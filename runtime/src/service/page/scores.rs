//! Queries the models for the scores that a page needs.

use std::time::Instant;

use futures::future::join_all;
use marquee_artifacts::CatalogueRow;
use marquee_models::TitleRow;

use super::{
    RowKind, ServedPage,
    viewer::{PageViewer, RankerViewer},
};
use crate::service::{
    client::{NearQuery, RankError, ScoresAnswer, ScoresQuery, ScoresResult},
    types::Recognised,
};

/// The scores that order a row. Numbers are indexes in [`ScoresNeeded::queries`] and [`ScoresQuery::near`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScoresOf {
    /// Scores for the viewer.
    Viewer { ranker: usize },
    /// Scores for a viewer who watched only one title.
    Near { ranker: usize, place: usize },
}

/// The scores that a page needs, and the rows that they are for.
pub(super) struct ScoresNeeded {
    /// One query for each ranker.
    pub(super) queries: Vec<ScoresQuery>,
    /// One entry for each candidate row; `None` if no model can order it.
    pub(super) of_row: Vec<Option<ScoresOf>>,
    /// Catalogue row of the seed, one entry for each candidate row.
    pub(super) seeds: Vec<Option<CatalogueRow>>,
}

/// The seed of a row: a watched title, near which the row's titles are.
struct Seed {
    /// Row in the model's title table.
    title: TitleRow,
    /// Row in the catalogue.
    catalogue: CatalogueRow,
}

impl ServedPage {
    /// Plans the queries: each model scores titles once for the viewer, and once for each seed.
    pub(super) fn scores_needed(&self, viewer: &PageViewer<'_>) -> ScoresNeeded {
        let mut needed = ScoresNeeded {
            queries: vec![ScoresQuery::default(); self.rankers.len()],
            of_row: Vec::with_capacity(self.rows.len()),
            seeds: Vec::with_capacity(self.rows.len()),
        };
        for (idx, row) in self.rows.iter().enumerate() {
            let (scores, seed) = match row.kind {
                RowKind::Popular => (None, None),
                RowKind::Ranked(ranker) => (needed.of_viewer(ranker, viewer), None),
                RowKind::Near { ranker, nth } => match viewer.by_ranker[ranker].as_ref() {
                    Ok(known) => match seed(known, nth) {
                        Some(seed) => {
                            (Some(needed.of_near(ranker, idx, known, seed.title)), Some(seed.catalogue))
                        }
                        None => (None, None),
                    },
                    // Without the model, only the request's recent titles are known.
                    Err(_) => (None, viewer.recent.get(nth).copied()),
                },
            };
            needed.of_row.push(scores);
            needed.seeds.push(seed);
        }
        needed
    }

    /// Queries all models at once, with one answer for each ranker. Scores that came with the recognition are reused.
    pub(super) async fn scores(
        &self,
        queries: Vec<ScoresQuery>,
        viewer: &mut PageViewer<'_>,
        until: Instant,
    ) -> Vec<ScoresAnswer> {
        let asked = viewer.by_ranker.iter_mut().zip(queries).map(|(viewer, mut query)| async move {
            let Ok(viewer) = viewer else { return ScoresAnswer::default() };
            let came_along = query.viewer.is_some().then(|| viewer.scores.take()).flatten();
            if came_along.is_some() {
                query.viewer = None;
            }
            let mut answer = match query.viewer.is_none() && query.near.is_empty() {
                true => ScoresAnswer::default(),
                false => viewer.model.client.scores(query, until).await,
            };
            if let Some(scores) = came_along {
                answer.viewer = Some(Ok(scores));
            }
            answer
        });
        let mut answers = join_all(asked).await;
        for (ranker, answer) in self.rankers.iter().zip(&answers) {
            for scores in answer.viewer.iter().chain(&answer.near) {
                if let Err(error @ RankError::Failed(_)) = scores {
                    self.log_failure(&ranker.objective, error, Instant::now());
                }
            }
        }
        viewer.hide_watched(&mut answers);
        answers
    }
}

impl ScoresNeeded {
    fn of_viewer(&mut self, ranker: usize, viewer: &PageViewer<'_>) -> Option<ScoresOf> {
        let known = viewer.by_ranker[ranker].as_ref().ok();
        let known = known.filter(|viewer| viewer.recognised != Recognised::Stranger)?;
        let query = &mut self.queries[ranker];
        if query.viewer.is_none() {
            query.viewer = Some(known.viewer.clone());
            query.lists = known.model.lists.clone();
        }
        Some(ScoresOf::Viewer { ranker })
    }

    fn of_near(&mut self, ranker: usize, row: usize, known: &RankerViewer<'_>, title: TitleRow) -> ScoresOf {
        let query = &mut self.queries[ranker];
        let list = known.model.list_of_row(row).cloned();
        if list.is_some() && query.near.is_empty() {
            query.watched_by = known.viewer.clone();
        }
        query.near.push(NearQuery { title, list });
        ScoresOf::Near { ranker, place: query.near.len() - 1 }
    }
}

impl ScoresOf {
    /// The scores among the answers.
    pub(super) fn find(self, answers: &[ScoresAnswer]) -> Option<&ScoresResult> {
        match self {
            Self::Viewer { ranker } => answers.get(ranker)?.viewer.as_ref(),
            Self::Near { ranker, place } => answers.get(ranker)?.near.get(place),
        }
    }
}

/// The seed of the `nth` row of titles near a watched title.
///
/// Recent titles come first, latest first. The history follows, most popular title first: artifacts of format 1 have no time
/// order, and models know most about titles near a popular one.
fn seed(viewer: &RankerViewer<'_>, nth: usize) -> Option<Seed> {
    let shown =
        |title: TitleRow| viewer.model.catalogue_row(title).map(|catalogue| Seed { title, catalogue });
    let recent = &viewer.viewer.recent;
    let mut recent_seeds = recent.iter().filter_map(|&title| shown(title));
    if let Some(seed) = recent_seeds.nth(nth) {
        return Some(seed);
    }
    let left = nth - recent.iter().filter(|&&title| shown(title).is_some()).count();
    let plays = viewer.model.client.plays();
    let unseen =
        viewer.history.iter().filter(|title| !recent.contains(title)).filter_map(|&title| shown(title));
    let mut seeds: Vec<_> = unseen.collect();
    if left >= seeds.len() {
        return None;
    }
    let order = |a: &Seed, b: &Seed| {
        plays[b.title.idx()].total_cmp(&plays[a.title.idx()]).then(a.title.cmp(&b.title))
    };
    seeds.select_nth_unstable_by(left, order);
    Some(seeds.swap_remove(left))
}
