//! The viewer of a page, as each of its models recognises them.

use std::{borrow::Cow, time::Instant};

use futures::future::join_all;
use marquee_artifacts::CatalogueRow;
use marquee_models::TitleRow;

use super::{
    PageTimes, ServedPage,
    models::{MappedModel, PageRanker},
};
use crate::service::{
    client::{KnownViewer, OwnedViewer, Scores, ScoresAnswer, ViewerQuery},
    loaded_model::recent_rows,
    types::{Degraded, PageRequest, Recognised},
};

/// The viewer of a request, as the page's models recognise them.
pub(super) struct PageViewer<'a> {
    /// One entry for each ranker. `Err` is the reason for the fallback in its rows if the model did not answer.
    pub(super) by_ranker: Vec<Result<RankerViewer<'a>, Degraded>>,
    /// The best recognition of all models.
    pub(super) recognised: Recognised,
    /// Catalogue rows of the recent titles, latest first.
    pub(super) recent: Vec<CatalogueRow>,
}

/// The viewer, as one model recognises them.
pub(super) struct RankerViewer<'a> {
    /// The revision that this viewer gets.
    pub(super) model: &'a MappedModel,
    pub(super) viewer: OwnedViewer,
    pub(super) recognised: Recognised,
    /// Title rows that the viewer watched in training.
    pub(super) history: Cow<'a, [TitleRow]>,
    /// The history and the recent titles; `None` if there are no recent titles.
    with_recent: Option<Vec<TitleRow>>,
    /// The viewer's scores, if the answer had them.
    pub(super) scores: Option<Scores>,
}

impl<'a> RankerViewer<'a> {
    fn new(model: &'a MappedModel, known: KnownViewer<'a>) -> Self {
        let KnownViewer { recognised, viewer, history, scores } = known;
        let with_recent = (!viewer.recent.is_empty()).then(|| [&*history, &viewer.recent].concat());
        Self { model, viewer, recognised, history, with_recent, scores }
    }

    /// Title rows that the viewer watched, in training or recently.
    pub(super) fn watched(&self) -> &[TitleRow] {
        self.with_recent.as_deref().unwrap_or(&self.history)
    }
}

impl PageViewer<'_> {
    /// Lowers the scores of watched titles to minus infinity, so that no row shows them and no row need look for them. Lists
    /// have none of them.
    pub(super) fn hide_watched(&self, answers: &mut [ScoresAnswer]) {
        for (viewer, answer) in self.by_ranker.iter().zip(answers) {
            let Ok(viewer) = viewer else { continue };
            for scores in answer.viewer.iter_mut().chain(&mut answer.near) {
                let Ok(Scores::All(scores)) = scores else { continue };
                for title in viewer.watched() {
                    if let Some(score) = scores.get_mut(title.idx()) {
                        *score = f32::NEG_INFINITY;
                    }
                }
            }
        }
    }
}

impl ServedPage {
    /// Asks every model to recognise the viewer.
    pub(super) async fn recognise<S: AsRef<str>>(
        &self,
        request: &PageRequest<S>,
        request_id: &str,
        times: PageTimes,
    ) -> PageViewer<'_> {
        let asked = self.rankers.iter().map(|ranker| self.recognised_by(ranker, request, request_id, times));
        let by_ranker = join_all(asked).await;
        let mut recent = Vec::new();
        for id in &request.recent {
            if let Some(row) = self.catalogue.row(id.as_ref())
                && !recent.contains(&row)
            {
                recent.push(row);
            }
        }
        let rank = |recognised: Recognised| match recognised {
            Recognised::Known => 0,
            Recognised::FoldedIn => 1,
            Recognised::Stranger => 2,
        };
        let best =
            by_ranker.iter().flatten().map(|viewer| viewer.recognised).min_by_key(|&found| rank(found));
        PageViewer { by_ranker, recognised: best.unwrap_or(Recognised::Stranger), recent }
    }

    async fn recognised_by<'a, S: AsRef<str>>(
        &'a self,
        ranker: &'a PageRanker,
        request: &PageRequest<S>,
        request_id: &str,
        times: PageTimes,
    ) -> Result<RankerViewer<'a>, Degraded> {
        let viewer = request.viewer.as_ref();
        let model = ranker.revision(viewer, request_id).ok_or(Degraded::ModelNotReady)?;
        let query = ViewerQuery {
            viewer: viewer.into(),
            recent: recent_rows(model.client.titles(), &request.recent),
            scores: ranker.is_ranked,
            lists: model.lists.clone(),
        };
        match model.client.recognise(query, times.until).await {
            Ok(known) => Ok(RankerViewer::new(model, known)),
            Err(error) => {
                self.log_failure(&ranker.objective, &error, Instant::now());
                Err((&error).into())
            }
        }
    }

    /// Catalogue rows that the viewer watched, according to the models and the request.
    pub(super) fn watched_in_catalogue(&self, viewer: &PageViewer<'_>) -> Vec<CatalogueRow> {
        let mut watched = viewer.recent.clone();
        let known = viewer.by_ranker.iter().flatten().find(|viewer| viewer.viewer.known.is_some());
        if let Some(viewer) = known {
            let in_catalogue = |&title: &TitleRow| viewer.model.catalogue_row(title);
            watched.extend(viewer.watched().iter().filter_map(in_catalogue));
        }
        watched
    }
}
