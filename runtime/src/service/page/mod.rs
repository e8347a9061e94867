//! A surface's page: the parts that are prepared once at load ([`ServedPage`]), and the steps of a request.
//!
//! Reading order: this file and `models` connect candidate rows to models and the catalogue; `split` chooses a viewer's
//! revision; `viewer` recognises the viewer; `scores` queries the models; `rows` fills each row, with a fallback if needed;
//! `route` has one request from top to bottom.

mod models;
mod route;
mod rows;
mod scores;
mod split;
mod viewer;
mod why;

use std::{sync::Arc, time::Instant};

use marquee_artifacts::CatalogueRow;
use marquee_crds::{
    page_layout::Fallback,
    pod_config::{PageConfig, RowConfig, Source},
    spelling,
};
use marquee_models::TitleRow;
use marquee_pages::PageOptions;

use models::{PageRanker, page_options};
pub use models::{Share, is_same_split};

use super::{
    ObjectiveStatus,
    catalogue::Catalogue,
    describe::{SurfaceDescription, ViewerDescription},
    log_rate_limiter::LogRateLimiter,
};
use crate::serving::fallback::{LastGood, VIEWERS_KEPT};

/// A surface's page, prepared for one catalogue and one set of models.
pub struct ServedPage {
    /// Configuration of the page.
    pub config: PageConfig,
    /// Surface of the page.
    pub surface: Arc<str>,
    /// Title metadata.
    pub catalogue: Arc<Catalogue>,
    /// The rankers of the rows, one for each objective.
    rankers: Vec<PageRanker>,
    rows: Vec<PlannedRow>,
    options: PageOptions,
    /// Popularity of the titles, by catalogue row.
    popularity: Arc<[f32]>,
    /// `None` unless the layout declares this fallback.
    last_good: Option<Arc<LastGood>>,
    failures: LogRateLimiter,
}

/// Arrival time and deadline of a page request.
#[derive(Clone, Copy, Debug)]
pub struct PageTimes {
    /// When the request came.
    pub began: Instant,
    /// Deadline of the models. Fallbacks replace later answers.
    pub until: Instant,
}

/// A candidate row.
struct PlannedRow {
    name: Arc<str>,
    heading: Arc<str>,
    kind: RowKind,
    /// Catalogue rows that the row may show.
    catalogue_slice: Arc<[CatalogueRow]>,
    /// Sentence that explains the row's titles when no fallback is used.
    why: Arc<str>,
}

/// The order of a row's titles. Numbers are indexes in [`ServedPage::rankers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowKind {
    /// A model's ranking for the viewer, of all titles or of a genre.
    Ranked(usize),
    /// Number of viewers that watched a title.
    Popular,
    /// A model's ranking for a viewer who watched one title. The first such row takes the viewer's latest title, the next row
    /// the title before it, and so on.
    Near { ranker: usize, nth: usize },
}

impl ServedPage {
    /// Prepares a page. `model` finds the revisions of an objective's model. `before` is the previous page of the surface; its
    /// last good rows are kept if they still fit.
    pub fn new(
        config: PageConfig,
        catalogue: Arc<Catalogue>,
        model: impl Fn(&str) -> Vec<Share>,
        before: Option<&Self>,
    ) -> Self {
        let rankers = rankers(&config, &catalogue, model);
        let rows = (0..config.rows.len()).map(|row| plan_row(row, &config, &rankers, &catalogue)).collect();
        let options = page_options(&config, catalogue.cards.len());
        let popularity = popularity(&catalogue, &rankers);
        let last_good = last_good(&config, &catalogue, before);
        Self {
            surface: config.surface.as_str().into(),
            config,
            catalogue,
            rankers,
            rows,
            options,
            popularity,
            last_good,
            failures: LogRateLimiter::new(Instant::now()),
        }
    }

    /// Whether the page was prepared with these inputs.
    pub fn is_laid_out_for(
        &self,
        config: &PageConfig,
        catalogue: &Arc<Catalogue>,
        model: impl Fn(&str) -> Vec<Share>,
    ) -> bool {
        let same_model = |ranker: &PageRanker| {
            let now = model(&ranker.objective);
            is_same_split(
                ranker.revisions.iter().map(|revision| (&revision.client, revision.weight)),
                now.iter().map(|share| (&share.client, share.weight)),
            )
        };
        self.config == *config
            && Arc::ptr_eq(&self.catalogue, catalogue)
            && self.rankers.iter().all(same_model)
    }

    /// Warnings about parts of the layout that can never be shown, with the nearest valid name.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for row in &self.config.rows {
            if let Source::Genre { name, .. } = &row.source
                && self.catalogue.genre(name).is_none()
            {
                let mut known: Vec<&str> = self.catalogue.genres().collect();
                known.sort_unstable();
                let mend = spelling::nearest(name, known.iter().copied()).map_or_else(
                    || "correct source.genre.name, or remove the row".to_owned(),
                    |nearest| format!("correct source.genre.name (the nearest is {nearest:?})"),
                );
                warnings.push(format!(
                    "row {:?} is never shown: no title of the catalogue has the genre {name:?}; {mend}",
                    row.name
                ));
            }
        }
        let knows_none =
            |ranker: &&PageRanker| ranker.revisions.iter().any(|revision| revision.all.is_empty());
        for ranker in self.rankers.iter().filter(knows_none) {
            let objective = &ranker.objective;
            warnings.push(format!(
                "rows of objective {objective:?} are never shown: the catalogue has no title of its model; make both artifacts from \
                 the same data"
            ));
        }
        warnings
    }

    /// Whether models answer for the objectives of the rows at `now`, sorted by objective.
    pub fn objectives(&self, now: Instant) -> Vec<ObjectiveStatus> {
        let status = |ranker: &PageRanker| ObjectiveStatus {
            objective: ranker.objective.to_string(),
            fallback_percent: ranker.fallback_percent(now),
        };
        let mut all: Vec<ObjectiveStatus> = self.rankers.iter().map(status).collect();
        all.sort_unstable_by(|one, other| one.objective.cmp(&other.objective));
        all
    }

    /// Description of the page for metadata requests.
    pub fn description(&self) -> SurfaceDescription {
        SurfaceDescription {
            surface: self.surface.clone(),
            catalogue: self.catalogue.artifact_digest.clone(),
            n_titles: self.catalogue.cards.len(),
            rows: self.rows.iter().map(|row| row.name.clone()).collect(),
            objectives: self.rankers.iter().map(|ranker| ranker.objective.clone()).collect(),
        }
    }

    /// Up to `limit` viewers of the first model in this process, those with the longest history first.
    pub fn busiest_viewers(&self, limit: usize) -> Option<Vec<ViewerDescription>> {
        let mut models = self.rankers.iter().flat_map(|ranker| &ranker.revisions);
        models.find_map(|revision| revision.client.busiest_viewers(limit))
    }
}

fn rankers(
    config: &PageConfig,
    catalogue: &Catalogue,
    model: impl Fn(&str) -> Vec<Share>,
) -> Vec<PageRanker> {
    let mut rankers: Vec<PageRanker> = Vec::new();
    for row in &config.rows {
        let Some(objective) = row.source.objective() else { continue };
        if rankers.iter().all(|ranker| &*ranker.objective != objective) {
            rankers.push(PageRanker::new(objective, model(objective), config, catalogue));
        }
    }
    rankers
}

fn plan_row(n: usize, config: &PageConfig, rankers: &[PageRanker], catalogue: &Catalogue) -> PlannedRow {
    let row = &config.rows[n];
    let ranker_of = |objective: &str| rankers.iter().position(|ranker| &*ranker.objective == objective);
    let kind = match &row.source {
        Source::Popular => RowKind::Popular,
        Source::BecauseYouWatched { objective } => ranker_of(objective).map_or(RowKind::Popular, |ranker| {
            let is_near = |row: &&RowConfig| matches!(row.source, Source::BecauseYouWatched { .. });
            RowKind::Near { ranker, nth: config.rows[..n].iter().filter(is_near).count() }
        }),
        source => source.objective().and_then(ranker_of).map_or(RowKind::Popular, RowKind::Ranked),
    };
    let catalogue_slice = match &row.source {
        Source::Genre { name, .. } => catalogue.genre(name).cloned().unwrap_or_default(),
        _ => catalogue.all().clone(),
    };
    let why = why::of_source(&row.source).into();
    PlannedRow {
        name: row.name.as_str().into(),
        heading: row.heading.as_str().into(),
        kind,
        catalogue_slice,
        why,
    }
}

/// Popularity from the catalogue, or from the first model's training data if the catalogue has no counts.
fn popularity(catalogue: &Catalogue, rankers: &[PageRanker]) -> Arc<[f32]> {
    let counted = catalogue.plays.iter().any(|&plays| plays > 0.0);
    let first = rankers.iter().find_map(|ranker| ranker.revisions.first()).filter(|_| !counted);
    let (Some(first), mut plays) = (first, catalogue.plays.clone()) else {
        return catalogue.plays.as_slice().into();
    };
    for (title, &seen) in (0..).map(TitleRow).zip(first.client.plays()) {
        if let Some(row) = first.catalogue_row(title)
            && let Some(place) = plays.get_mut(row.idx())
        {
            *place = seen;
        }
    }
    plays.into()
}

fn last_good(
    config: &PageConfig,
    catalogue: &Catalogue,
    before: Option<&ServedPage>,
) -> Option<Arc<LastGood>> {
    if config.fallback != Fallback::LastGood {
        return None;
    }
    let still_fits = |before: &&ServedPage| {
        let same_rows = before.config.rows == config.rows;
        same_rows && before.catalogue.digest == catalogue.digest
    };
    let kept = before.filter(still_fits).and_then(|before| before.last_good.clone());
    Some(kept.unwrap_or_else(|| Arc::new(LastGood::new(VIEWERS_KEPT, config.rows.len()))))
}
