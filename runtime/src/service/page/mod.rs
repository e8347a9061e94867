//! A surface's page: what is laid out once at load ([`ServedPage`]), and the route of a request through it.
//!
//! Reading order: here and in `models`, how candidate rows meet models and catalogue; `split`, which revision a viewer gets;
//! `viewer`, who the viewer is to each model; `scores`, what the models are asked and answer; `rows`, what each row holds,
//! fallbacks included; `route`, one request from top to bottom.

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
    catalogue::Catalogue,
    describe::{SurfaceDescription, ViewerDescription},
    log_rate_limiter::LogRateLimiter,
};
use crate::serving::fallback::{LastGood, VIEWERS_KEPT};

/// A surface's page, laid out for one catalogue and one set of models.
pub struct ServedPage {
    /// What the manifest says.
    pub config: PageConfig,
    /// Whose page.
    pub surface: Arc<str>,
    /// Title metadata.
    pub catalogue: Arc<Catalogue>,
    /// Each objective that a row names, once.
    rankers: Vec<PageRanker>,
    rows: Vec<PlannedRow>,
    options: PageOptions,
    /// By catalogue row: how popular a title is.
    popularity: Arc<[f32]>,
    /// Only where the layout declares it.
    last_good: Option<Arc<LastGood>>,
    failures: LogRateLimiter,
}

/// When a page was asked for, and when it must be answered.
#[derive(Clone, Copy, Debug)]
pub struct PageTimes {
    /// When the request came.
    pub began: Instant,
    /// What the models do not answer by then is replaced.
    pub until: Instant,
}

/// A candidate row.
struct PlannedRow {
    name: Arc<str>,
    heading: String,
    kind: RowKind,
    /// Catalogue rows that may stand in it.
    catalogue_slice: Arc<[CatalogueRow]>,
    /// Why it holds what it holds, when all is well.
    why: String,
}

/// What orders a row. Numbers are places in [`ServedPage::rankers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowKind {
    /// A model's ranking for the viewer, of all titles or of a genre.
    Ranked(usize),
    /// How many viewers watched a title.
    Popular,
    /// A model's ranking for somebody who watched one title: the viewer's latest, or the next for the row after.
    Near { ranker: usize, nth: usize },
}

impl ServedPage {
    /// Lays the page out. `model` finds the model of an objective, in one revision or several; `before` is the page that served the surface so far,
    /// whose memory of last good rows is kept where it still fits.
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

    /// Whether it is laid out just so.
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

    /// What of the layout can never be shown, with the nearest right name.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for row in &self.config.rows {
            if let Source::Genre { name, .. } = &row.source
                && self.catalogue.genre(name).is_none()
            {
                let mut known: Vec<&str> = self.catalogue.genres().collect();
                known.sort_unstable();
                let hint = spelling::nearest(name, known.iter().copied()).map_or_else(
                    || "correct the name, or remove the row".to_owned(),
                    |nearest| format!("the nearest is {nearest:?}"),
                );
                warnings.push(format!(
                    "row {:?}: no title of the catalogue has the genre {name:?}: {hint}",
                    row.name
                ));
            }
        }
        let knows_none =
            |ranker: &&PageRanker| ranker.revisions.iter().any(|revision| revision.all.is_empty());
        for ranker in self.rankers.iter().filter(knows_none) {
            let objective = &ranker.objective;
            warnings.push(format!(
                "the catalogue has none of the titles of objective {objective:?}: were they trained from the same data?"
            ));
        }
        warnings
    }

    /// For those who ask what is served.
    pub fn description(&self) -> SurfaceDescription {
        SurfaceDescription {
            surface: self.surface.clone(),
            catalogue: self.catalogue.artifact_digest.clone(),
            n_titles: self.catalogue.cards.len(),
            rows: self.rows.iter().map(|row| row.name.clone()).collect(),
            objectives: self.rankers.iter().map(|ranker| ranker.objective.clone()).collect(),
        }
    }

    /// Up to `limit` viewers whom the first model in this process knows, those who watched most first.
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
    let why = why::of_source(&row.source);
    PlannedRow { name: row.name.as_str().into(), heading: row.heading.clone(), kind, catalogue_slice, why }
}

/// What the catalogue says; where it counts nothing, what the first model saw in training.
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
