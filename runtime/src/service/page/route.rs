//! One page request, from top to bottom.

use std::{
    cell::OnceCell,
    sync::Arc,
    time::{Duration, Instant},
};

use marquee_pages::{ChosenRow, assemble};
use tracing::warn;

use super::{
    PageTimes, PlannedRow, ServedPage,
    rows::{RowContent, RowFiller, RowScores},
    scores::ScoresNeeded,
    viewer::PageViewer,
    why,
};
use crate::service::{
    Observer,
    client::RankError,
    types::{PageRequest, PageResponse, PageRow, PageTitles},
};

/// Duration of each step.
struct Timings {
    last: Instant,
    taken: Vec<(&'static str, Duration)>,
}

impl Timings {
    fn done(&mut self, step: &'static str) {
        let now = Instant::now();
        self.taken.push((step, now - self.last));
        self.last = now;
    }
}

impl ServedPage {
    /// Builds the page. Never fails: fallbacks replace answers that do not arrive in time.
    pub(crate) async fn answer<S: AsRef<str>>(
        &self,
        request: &PageRequest<S>,
        request_id: &str,
        times: PageTimes,
        observer: &dyn Observer,
    ) -> PageResponse {
        let mut timings = Timings { last: times.began, taken: Vec::with_capacity(3) };
        let mut viewer = self.recognise(request, request_id, times).await;
        let mut needed = self.scores_needed(&viewer);
        timings.done("recognise");

        let answers = self.scores(std::mem::take(&mut needed.queries), &mut viewer, times.until).await;
        timings.done("score");

        let viewer_id = request.viewer.as_ref();
        let filler = RowFiller {
            page: self,
            viewer: &viewer,
            viewer_id,
            needed: &needed,
            answers: &answers,
            watched: OnceCell::new(),
        };
        let (contents, mut degraded) = self.fill(&filler, observer);
        let candidates: Vec<_> = contents.iter().map(|content| filler.candidate(content)).collect();
        let chosen = assemble(&candidates, &self.options);
        self.remember(viewer_id, &contents, &chosen);
        let page_row = |row: ChosenRow| self.page_row(&contents[row.row], &viewer, &needed, row);
        let rows: Vec<PageRow> = chosen.into_iter().map(page_row).collect();
        for row in &rows {
            if let Some(reason) = row.degraded {
                degraded = true;
                observer.degraded(&self.surface, reason.reason());
            }
        }
        timings.done("assemble");
        let recognised = viewer.recognised;
        PageResponse { surface: self.surface.clone(), recognised, rows, degraded, timings: timings.taken }
    }

    /// The content of the candidate rows, and whether any row was left out because its model did not answer.
    fn fill<'a>(&self, filler: &RowFiller<'a>, observer: &dyn Observer) -> (Vec<RowContent<'a>>, bool) {
        let mut contents = Vec::with_capacity(self.rows.len());
        let mut omitted = false;
        for row in 0..self.rows.len() {
            match filler.fill(row) {
                Ok(content) => contents.push(content),
                Err(None) => {}
                Err(Some(degraded)) => {
                    omitted = true;
                    observer.degraded(&self.surface, degraded.reason());
                }
            }
        }
        (contents, omitted)
    }

    fn page_row(
        &self,
        content: &RowContent<'_>,
        viewer: &PageViewer<'_>,
        needed: &ScoresNeeded,
        chosen: ChosenRow,
    ) -> PageRow {
        let PlannedRow { name, heading, why, .. } = &self.rows[content.row];
        let seed = needed.seeds[content.row].and_then(|seed| self.catalogue.card(seed));
        let with_title = |text: &Arc<str>| {
            seed.map_or_else(|| text.clone(), |card| text.replace("{title}", &card.name).into())
        };
        let (known, last_good) = match content.scores {
            RowScores::Model { ranker, .. } | RowScores::Listed { ranker, .. } => {
                (viewer.by_ranker[ranker].as_ref().ok(), false)
            }
            RowScores::Popular(_) => (None, false),
            RowScores::LastGood(_) => (None, true),
        };
        PageRow {
            name: name.clone(),
            heading: with_title(heading),
            why: content
                .degraded
                .map_or_else(|| with_title(why), |degraded| why::of_fallback(degraded, last_good).into()),
            model: known.map(|known| known.model.client.info().clone()),
            degraded: content.degraded,
            titles: PageTitles::new(self.catalogue.cards.clone(), chosen.titles),
        }
    }

    /// Stores the ranked rows as fallbacks for later requests, if the layout declares `LastGood`.
    fn remember(&self, viewer: &str, contents: &[RowContent<'_>], chosen: &[ChosenRow]) {
        let Some(last_good) = self.last_good.as_ref().filter(|_| !viewer.is_empty()) else { return };
        let ranked = chosen.iter().filter(|row| contents[row.row].is_ranked());
        let shown = ranked.map(|row| (contents[row.row].row, row.titles.as_slice().into()));
        last_good.put(viewer, shown);
    }

    pub(super) fn log_failure(&self, objective: &str, error: &RankError, now: Instant) {
        if self.failures.allows(now) {
            let (surface, error) = (&*self.surface, error as &dyn std::error::Error);
            warn!(surface, objective, error, "model did not answer: the page uses a fallback");
        }
    }
}
