//! One request for a page, from top to bottom.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use marquee_pages::{ChosenRow, assemble};
use tracing::warn;

use super::{
    PlannedRow, ServedPage,
    rows::{Scores, Standing, Table},
    scoring::{Asks, Recognition},
    why,
};
use crate::{
    service::{
        Observer,
        passes::RankError,
        types::{PageRequest, PageResponse, PageRow, PageTitle},
    },
    serving::fallback::Shown,
};

/// Time taken by each stage.
struct Stages {
    last: Instant,
    taken: Vec<(&'static str, Duration)>,
}

impl Stages {
    fn done(&mut self, stage: &'static str) {
        let now = Instant::now();
        self.taken.push((stage, now - self.last));
        self.last = now;
    }
}

impl ServedPage {
    /// The page, by `until`: what the models do not answer by then is replaced. Never fails.
    pub(crate) async fn answer<S: AsRef<str>>(
        &self,
        request: &PageRequest<S>,
        (began, until): (Instant, Instant),
        observer: &dyn Observer,
    ) -> PageResponse {
        let mut stages = Stages { last: began, taken: Vec::with_capacity(3) };
        let viewer = request.viewer.as_ref();
        let mut heard = match self.is_remote {
            true => Box::pin(self.hear(request, until)).await,
            false => Vec::new(),
        };
        self.log_unheard(&heard, began);
        let mut recognition = self.recognise(&request.viewer, &request.recent, &mut heard);
        let asks = self.asks(&recognition);
        stages.done("recognise");

        let answers = match self.is_remote {
            true => Box::pin(self.score_anywhere(&asks.asks, &mut recognition, until)).await,
            false => self.score(&asks.asks, until).await,
        };
        self.log_failures(&asks, &answers, stages.last);
        stages.done("score");

        let table = Table::new(self, &recognition, (&asks, &answers), viewer);
        let (standing, mut degraded) = self.stand(&table, observer);
        let candidates: Vec<_> = standing.iter().map(|standing| table.candidate(standing)).collect();
        let chosen = assemble(&candidates, &self.options);
        self.remember(viewer, &standing, &chosen);
        let rows: Vec<PageRow> =
            chosen.iter().map(|row| self.page_row(&standing[row.row], (&recognition, &asks), row)).collect();
        for row in &rows {
            if let Some(reason) = row.degraded {
                degraded = true;
                observer.degraded(&self.surface, reason.reason());
            }
        }
        stages.done("assemble");
        let recognised = recognition.recognised;
        PageResponse { surface: self.surface.clone(), recognised, rows, degraded, timings: stages.taken }
    }

    /// What stands in the candidate rows, and whether one was left out because its model did not answer.
    fn stand<'a>(&self, table: &Table<'a>, observer: &dyn Observer) -> (Vec<Standing<'a>>, bool) {
        let mut standing = Vec::with_capacity(self.rows.len());
        let mut omitted = false;
        for row in 0..self.rows.len() {
            match table.stand(row) {
                Ok(stands) => standing.push(stands),
                Err(None) => {}
                Err(Some(degraded)) => {
                    omitted = true;
                    observer.degraded(&self.surface, degraded.reason());
                }
            }
        }
        (standing, omitted)
    }

    fn page_row(
        &self,
        standing: &Standing<'_>,
        (recognition, asks): (&Recognition<'_>, &Asks),
        chosen: &ChosenRow,
    ) -> PageRow {
        let PlannedRow { name, heading, why, .. } = &self.rows[standing.row];
        let seed = asks.seeds[standing.row].and_then(|seed| self.catalogue.card(seed));
        let fill =
            |text: &str| seed.map_or_else(|| text.to_owned(), |card| text.replace("{title}", &card.name));
        let (model, last_good) = match standing.source {
            Scores::Model { ranker, .. } => (recognition.by_ranker[ranker].as_ref().ok(), false),
            Scores::Popular(_) => (None, false),
            Scores::LastGood(..) => (None, true),
        };
        let titles = chosen.titles.iter().filter_map(|title| {
            let card = self.catalogue.card(title.catalogue)?;
            Some(PageTitle { title: Arc::clone(card), score: title.score })
        });
        PageRow {
            name: name.clone(),
            heading: fill(heading),
            why: standing
                .degraded
                .map_or_else(|| fill(why), |degraded| why::of_fallback(degraded, last_good)),
            model: model.map(|viewer| viewer.revision.model.info().clone()),
            degraded: standing.degraded,
            titles: titles.collect(),
        }
    }

    /// Keeps what models ranked, for the day when they do not answer. Only where the layout asks for it.
    fn remember(&self, viewer: &str, standing: &[Standing<'_>], chosen: &[ChosenRow]) {
        let Some(last_good) = self.last_good.as_ref().filter(|_| !viewer.is_empty()) else { return };
        let ranked = chosen.iter().filter(|row| matches!(standing[row.row].source, Scores::Model { .. }));
        let shown = ranked.map(|row| {
            let titles: Box<[Shown]> =
                row.titles.iter().map(|title| (title.catalogue, title.score)).collect();
            (standing[row.row].row, titles)
        });
        last_good.put(viewer, shown);
    }

    fn log_failures(&self, asks: &Asks, answers: &[Result<Vec<f32>, RankError>], now: Instant) {
        for (ask, answer) in asks.asks.iter().zip(answers) {
            if let Err(error @ RankError::Failed(_)) = answer
                && self.failures.may_speak(now)
            {
                let (surface, objective) = (&*self.surface, &*self.rankers[ask.ranker].objective);
                warn!(
                    surface,
                    objective,
                    error = error as &dyn std::error::Error,
                    "a model failed on a page"
                );
            }
        }
    }
}
