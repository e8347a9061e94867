//! Who the viewer is to each model of the page, and what the models say.

use std::{borrow::Cow, time::Instant};

use futures::future::join_all;

use super::{Kind, PageRanker, ServedPage};
use crate::{
    service::{
        passes::{OwnedViewer, RankError},
        types::Recognised,
    },
    serving::deadline,
};

/// The viewer of a request, as the page's models know them.
pub(super) struct Recognition<'a> {
    /// One a ranker; none while its model is not loaded.
    pub(super) by_ranker: Vec<Option<RankerViewer<'a>>>,
    /// The best of them.
    pub(super) recognised: Recognised,
    /// Catalogue rows of the recent titles, latest first.
    pub(super) recent: Vec<u32>,
}

/// The viewer, as one model knows them.
pub(super) struct RankerViewer<'a> {
    pub(super) viewer: OwnedViewer,
    pub(super) recognised: Recognised,
    /// Title rows that the viewer watched, in training or lately.
    pub(super) watched: Cow<'a, [u32]>,
}

impl ServedPage {
    pub(super) fn recognise<S: AsRef<str>>(&self, viewer: &S, recent: &[S]) -> Recognition<'_> {
        let by_ranker: Vec<_> = self.rankers.iter().map(|ranker| recognise(ranker, viewer, recent)).collect();
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
        let known =
            |viewer: &&Option<RankerViewer<'_>>| viewer.as_ref().is_some_and(|v| v.viewer.known.is_some());
        if let Some(idx) = recognition.by_ranker.iter().position(|viewer| known(&viewer))
            && let (Some(viewer), ranker) = (&recognition.by_ranker[idx], &self.rankers[idx])
        {
            watched.extend(viewer.watched.iter().filter_map(|&title| ranker.catalogue_row(title)));
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
        let page_ranker = &self.rankers[ranker];
        let (viewer, served) = (recognition.by_ranker[ranker].as_ref()?, page_ranker.served.as_ref()?);
        let shown = |title: u32| page_ranker.catalogue_row(title).map(|row| (title, row));
        let recent = &viewer.viewer.recent;
        let mut recent_seeds = recent.iter().filter_map(|&title| shown(title));
        if let Some(seed) = recent_seeds.nth(nth) {
            return Some(seed);
        }
        let left = nth - recent.iter().filter(|&&title| shown(title).is_some()).count();
        let plays = served.loaded.model.plays();
        let history = viewer.viewer.known.map_or(&[][..], |known| served.loaded.model.history(known));
        let unseen = history.iter().filter(|title| !recent.contains(title)).filter_map(|&title| shown(title));
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
    let served = ranker.served.as_ref()?;
    let viewer = served.viewer(viewer, recent);
    let recognised = served.recognise(&viewer);
    let history = viewer.known.map_or(&[][..], |known| served.loaded.model.history(known));
    let watched = if viewer.recent.is_empty() {
        Cow::Borrowed(history)
    } else {
        Cow::Owned([history, &viewer.recent].concat())
    };
    Some(RankerViewer { viewer, recognised, watched })
}

/// A question to a model of the page.
pub(super) struct Ask {
    /// Which model.
    pub(super) ranker: usize,
    /// For whom: the viewer, or somebody who watched one title.
    pub(super) viewer: OwnedViewer,
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
                    let viewer = recognition.by_ranker[ranker].as_ref();
                    let knows = viewer.filter(|viewer| viewer.recognised != Recognised::Stranger);
                    if let (None, Some(knows)) = (of_ranker[ranker], knows) {
                        of_ranker[ranker] = Some(asks.add(ranker, knows.viewer.clone()));
                    }
                    (of_ranker[ranker], None)
                }
                Kind::Near { ranker, nth } => match self.seed(ranker, nth, recognition) {
                    Some((title, row)) => {
                        let near = OwnedViewer { known: None, recent: vec![title] };
                        (Some(asks.add(ranker, near)), Some(row))
                    }
                    // Without the model, the request alone says what was watched.
                    None if self.rankers[ranker].served.is_none() => {
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

    async fn score_one(&self, ask: &Ask, until: Instant) -> Result<Vec<f32>, RankError> {
        let Some(served) = &self.rankers[ask.ranker].served else {
            return Err(RankError::Failed("the model is not loaded".into()));
        };
        if deadline::has_passed(Some(until), Instant::now()) {
            return Err(RankError::DeadlineExceeded);
        }
        let scores = deadline::within(Some(until), served.score_all(ask.viewer.clone(), Some(until))).await;
        scores.unwrap_or(Err(RankError::DeadlineExceeded))
    }
}

impl Asks {
    fn add(&mut self, ranker: usize, viewer: OwnedViewer) -> usize {
        self.asks.push(Ask { ranker, viewer });
        self.asks.len() - 1
    }
}
