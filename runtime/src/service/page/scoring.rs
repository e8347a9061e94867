//! Who the viewer is to each model of the page, and what the models say.

use std::{borrow::Cow, time::Instant};

use futures::future::join_all;

use super::{Kind, Mapped, PageModel, PageRanker, ServedPage, remotes::RankerHeard, rows::degraded};
use crate::{
    service::{
        passes::{OwnedViewer, RankError},
        ranker::ServedModel,
        remote::Known,
        types::{Degraded, Recognised},
    },
    serving::deadline,
};

/// The viewer of a request, as the page's models know them.
pub(super) struct Recognition<'a> {
    /// One a ranker; while its model gives no answer, what that means for its rows.
    pub(super) by_ranker: Vec<Result<RankerViewer<'a>, Degraded>>,
    /// The best of them.
    pub(super) recognised: Recognised,
    /// Catalogue rows of the recent titles, latest first.
    pub(super) recent: Vec<u32>,
}

/// The viewer, as one model knows them.
pub(super) struct RankerViewer<'a> {
    /// The revision that this viewer gets.
    pub(super) revision: &'a Mapped,
    pub(super) viewer: OwnedViewer,
    pub(super) recognised: Recognised,
    /// Title rows that the viewer watched in training.
    pub(super) history: Cow<'a, [u32]>,
    /// These and those watched lately; none when there are none of the latter.
    with_recent: Option<Vec<u32>>,
    /// Scores by title row, where the model gave them with the rest.
    pub(super) scores: Option<Vec<f32>>,
}

impl<'a> RankerViewer<'a> {
    /// As a model in another process recognised them. `said` is emptied.
    fn heard(revision: &'a Mapped, said: &mut (OwnedViewer, Known)) -> Self {
        let (viewer, known) = std::mem::take(said);
        let Known { recognised, history, scores, .. } = known;
        let with_recent = (!viewer.recent.is_empty()).then(|| [&*history, &viewer.recent].concat());
        let history = Cow::Owned(history);
        Self { revision, viewer, recognised, history, with_recent, scores }
    }
    /// Title rows that the viewer watched, in training or lately.
    pub(super) fn watched(&self) -> &[u32] {
        self.with_recent.as_deref().unwrap_or(&self.history)
    }
}

impl ServedPage {
    /// `heard` is what models in other processes said, a ranker each; empty where there are none.
    pub(super) fn recognise<'a, S: AsRef<str>>(
        &'a self,
        viewer: &S,
        recent: &[S],
        heard: &mut [RankerHeard<'a>],
    ) -> Recognition<'a> {
        let recognise = |(idx, ranker): (usize, &'a PageRanker)| match heard.get_mut(idx) {
            Some(RankerHeard::Said(revision, said)) => Ok(RankerViewer::heard(revision, said)),
            Some(RankerHeard::Failed(_, error)) => Err(degraded(error)),
            Some(RankerHeard::NotAsked) | None => {
                recognise(ranker, viewer, recent).ok_or(Degraded::ModelNotReady)
            }
        };
        let by_ranker: Vec<_> = self.rankers.iter().enumerate().map(recognise).collect();
        let mut in_catalogue = Vec::new();
        for id in recent {
            if let Some(row) = self.catalogue.row(id.as_ref())
                && !in_catalogue.contains(&row)
            {
                in_catalogue.push(row);
            }
        }
        let rank = |recognised: Recognised| match recognised {
            Recognised::Known => 0,
            Recognised::FoldedIn => 1,
            Recognised::Stranger => 2,
        };
        let best =
            by_ranker.iter().flatten().map(|viewer| viewer.recognised).min_by_key(|&found| rank(found));
        Recognition { by_ranker, recognised: best.unwrap_or(Recognised::Stranger), recent: in_catalogue }
    }

    /// Catalogue rows that the viewer watched, as far as any model or the request says.
    pub(super) fn watched_in_catalogue(&self, recognition: &Recognition<'_>) -> Vec<u32> {
        let mut watched = recognition.recent.clone();
        let known = recognition.by_ranker.iter().flatten().find(|viewer| viewer.viewer.known.is_some());
        if let Some(viewer) = known {
            let in_catalogue = |&title: &u32| viewer.revision.catalogue_row(title);
            watched.extend(viewer.watched().iter().filter_map(in_catalogue));
        }
        watched
    }

    /// The title for the `nth` row of titles near one that the viewer watched: model row and catalogue row.
    ///
    /// Recent titles come first, the latest first. After them the history, its most watched title first: training keeps
    /// no order of time, and most is known of what is near a title that many watched.
    pub(super) fn seed(
        &self,
        ranker: usize,
        nth: usize,
        recognition: &Recognition<'_>,
    ) -> Option<(u32, u32)> {
        let viewer = recognition.by_ranker[ranker].as_ref().ok()?;
        let shown = |title: u32| viewer.revision.catalogue_row(title).map(|row| (title, row));
        let recent = &viewer.viewer.recent;
        let mut recent_seeds = recent.iter().filter_map(|&title| shown(title));
        if let Some(seed) = recent_seeds.nth(nth) {
            return Some(seed);
        }
        let left = nth - recent.iter().filter(|&&title| shown(title).is_some()).count();
        let plays = viewer.revision.model.plays();
        let unseen =
            viewer.history.iter().filter(|title| !recent.contains(title)).filter_map(|&title| shown(title));
        let mut seeds: Vec<_> = unseen.collect();
        let order = |a: &(u32, u32), b: &(u32, u32)| {
            plays[b.0 as usize].total_cmp(&plays[a.0 as usize]).then(a.0.cmp(&b.0))
        };
        if left >= seeds.len() {
            return None;
        }
        let (_, seed, _) = seeds.select_nth_unstable_by(left, order);
        Some(*seed)
    }
}

fn recognise<'a, S: AsRef<str>>(
    ranker: &'a PageRanker,
    viewer: &S,
    recent: &[S],
) -> Option<RankerViewer<'a>> {
    let revision = ranker.revision(viewer.as_ref())?;
    let PageModel::InProcess(served) = &revision.model else { return None };
    let viewer = served.viewer(viewer, recent);
    let recognised = served.recognise(&viewer);
    let history = viewer.known.map_or(&[][..], |known| served.loaded.history(known));
    let with_recent = (!viewer.recent.is_empty()).then(|| [history, &viewer.recent].concat());
    let history = Cow::Borrowed(history);
    Some(RankerViewer { revision, viewer, recognised, history, with_recent, scores: None })
}

/// A question to a model of the page.
pub(super) struct Ask {
    /// Which model.
    pub(super) ranker: usize,
    /// For whom: the viewer, or somebody who watched one title.
    pub(super) viewer: OwnedViewer,
    /// Of somebody who watched one title: which.
    pub(super) near: Option<u32>,
}

/// What the page must ask, and the answer that each row takes.
pub(super) struct Asks {
    pub(super) asks: Vec<Ask>,
    /// One a candidate row: which ask, if any.
    pub(super) of_row: Vec<Option<usize>>,
    /// One a candidate row: catalogue row of its seed.
    pub(super) seeds: Vec<Option<u32>>,
}

impl ServedPage {
    /// Each model is asked once for the viewer, and once for each seed.
    pub(super) fn asks(&self, recognition: &Recognition<'_>) -> Asks {
        let mut asks = Asks { asks: Vec::new(), of_row: Vec::new(), seeds: Vec::new() };
        let mut of_ranker = vec![None; self.rankers.len()];
        for row in &self.rows {
            let (ask, seed) = match row.kind {
                Kind::Popular => (None, None),
                Kind::Ranked(ranker) => {
                    let viewer = recognition.by_ranker[ranker].as_ref().ok();
                    let knows = viewer.filter(|viewer| viewer.recognised != Recognised::Stranger);
                    if let (None, Some(knows)) = (of_ranker[ranker], knows) {
                        of_ranker[ranker] = Some(asks.add(ranker, knows.viewer.clone(), None));
                    }
                    (of_ranker[ranker], None)
                }
                Kind::Near { ranker, nth } => match self.seed(ranker, nth, recognition) {
                    Some((title, row)) => {
                        let near = OwnedViewer { known: None, recent: vec![title] };
                        (Some(asks.add(ranker, near, Some(title))), Some(row))
                    }
                    // Without the model, the request alone says what was watched.
                    None if recognition.by_ranker[ranker].is_err() => {
                        (None, recognition.recent.get(nth).copied())
                    }
                    None => (None, None),
                },
            };
            asks.of_row.push(ask);
            asks.seeds.push(seed);
        }
        asks
    }

    /// Scores by title row, one answer an ask. Light work is done here and now; heavy work runs together, elsewhere.
    pub(super) async fn score(&self, asks: &[Ask], until: Instant) -> Vec<Result<Vec<f32>, RankError>> {
        if let [ask] = asks {
            return vec![self.score_one(ask, until).await];
        }
        join_all(asks.iter().map(|ask| self.score_one(ask, until))).await
    }

    /// The model in this process, of which there is one revision.
    fn in_process(&self, ranker: usize) -> Option<&ServedModel> {
        match &self.rankers[ranker].revisions.first()?.model {
            PageModel::InProcess(served) => Some(served),
            PageModel::Remote(_) => None,
        }
    }

    pub(super) async fn score_one(&self, ask: &Ask, until: Instant) -> Result<Vec<f32>, RankError> {
        let Some(served) = self.in_process(ask.ranker) else { return Err(RankError::NotReady) };
        if deadline::has_passed(Some(until), Instant::now()) {
            return Err(RankError::DeadlineExceeded);
        }
        let scores = deadline::within(Some(until), served.score_all(ask.viewer.clone(), Some(until))).await;
        scores.unwrap_or(Err(RankError::DeadlineExceeded))
    }
}

impl Asks {
    fn add(&mut self, ranker: usize, viewer: OwnedViewer, near: Option<u32>) -> usize {
        self.asks.push(Ask { ranker, viewer, near });
        self.asks.len() - 1
    }
}
