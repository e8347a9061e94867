//! Fills each candidate row with the model's ranking or a fallback.

use std::cell::OnceCell;

use marquee_artifacts::CatalogueRow;
use marquee_models::TitleRow;
use marquee_pages::{Candidate, Candidates, ChosenTitle, Row, RowTitles};

use super::{
    PlannedRow, RowKind, ServedPage,
    scores::ScoresNeeded,
    viewer::{PageViewer, RankerViewer},
};
use crate::{
    service::{
        client::{Scores, ScoresAnswer},
        types::{Degraded, Recognised},
    },
    serving::fallback::{self, Replacement},
};

/// The content of a candidate row, ready for assembly.
pub(super) struct RowContent<'a> {
    /// Index of the candidate row.
    pub(super) row: usize,
    /// Why a fallback fills the row, if one does.
    pub(super) degraded: Option<Degraded>,
    /// The order of the titles.
    pub(super) scores: RowScores<'a>,
}

impl RowContent<'_> {
    /// Whether a model ordered the titles.
    pub(super) fn is_ranked(&self) -> bool {
        matches!(self.scores, RowScores::Model { .. } | RowScores::Listed { .. })
    }
}

/// The order of a row's titles.
pub(super) enum RowScores<'a> {
    /// A model's scores, by its title rows.
    Model { ranker: usize, scores: &'a [f32] },
    /// A model's scores of the row's best titles, by its title rows.
    Listed { ranker: usize, candidates: Vec<Candidate> },
    /// Popularity of these catalogue rows.
    Popular(&'a [CatalogueRow]),
    /// The titles that the viewer saw last, by catalogue row.
    LastGood(Vec<Candidate<CatalogueRow>>),
}

/// Fills the rows of one page.
pub(super) struct RowFiller<'a> {
    pub(super) page: &'a ServedPage,
    pub(super) viewer: &'a PageViewer<'a>,
    /// Viewer id of the request.
    pub(super) viewer_id: &'a str,
    pub(super) needed: &'a ScoresNeeded,
    pub(super) answers: &'a [ScoresAnswer],
    /// Watched catalogue rows, computed when the first row needs them.
    pub(super) watched: OnceCell<Vec<CatalogueRow>>,
}

impl<'a> RowFiller<'a> {
    /// The content of candidate row `row`. `Err` if the row is left out, because a model did not answer or it has no titles.
    pub(super) fn fill(&self, row: usize) -> Result<RowContent<'a>, Option<Degraded>> {
        let planned = &self.page.rows[row];
        let degraded = match planned.kind {
            RowKind::Popular => return Ok(popular(row, None, &planned.catalogue_slice)),
            RowKind::Ranked(ranker) => match self.ranked(row, ranker) {
                Ok(content) => return Ok(content),
                // This is not a failure, because strangers should see popular titles.
                Err(Degraded::ViewerUnknown) => {
                    return Ok(popular(row, Some(Degraded::ViewerUnknown), &planned.catalogue_slice));
                }
                Err(degraded) => degraded,
            },
            // A viewer without watched titles has no such row.
            RowKind::Near { .. } if self.needed.seeds[row].is_none() => return Err(None),
            RowKind::Near { ranker, .. } => match self.ranked(row, ranker) {
                Ok(content) => return Ok(content),
                Err(degraded) => degraded,
            },
        };
        self.fall_back(row, planned, degraded).ok_or(Some(degraded))
    }

    fn ranked(&self, row: usize, ranker: usize) -> Result<RowContent<'a>, Degraded> {
        let viewer = self.viewer.by_ranker[ranker].as_ref().map_err(|degraded| *degraded)?;
        let Some(scores) = self.needed.of_row[row].and_then(|of| of.find(self.answers)) else {
            let stranger = viewer.recognised == Recognised::Stranger;
            return Err(if stranger { Degraded::ViewerUnknown } else { Degraded::ModelNotReady });
        };
        let scores = match scores.as_ref().map_err(Degraded::from)? {
            Scores::All(scores) => RowScores::Model { ranker, scores },
            Scores::Listed(listed) => {
                let candidates = listed.iter().filter(|listed| viewer.model.may_show(listed.title, row));
                RowScores::Listed { ranker, candidates: candidates.copied().collect() }
            }
        };
        Ok(RowContent { row, degraded: None, scores })
    }

    fn fall_back(&self, row: usize, planned: &'a PlannedRow, degraded: Degraded) -> Option<RowContent<'a>> {
        let last_good = || self.page.last_good.as_ref()?.get(self.viewer_id, row);
        let scores = match fallback::replacement(self.page.config.fallback, last_good) {
            Replacement::Nothing => return None,
            Replacement::Popular => RowScores::Popular(self.popular_slice(row, planned)),
            Replacement::LastGood(shown) => {
                let candidate =
                    |shown: &ChosenTitle| Candidate { title: shown.catalogue, score: shown.score };
                RowScores::LastGood(shown.iter().map(candidate).collect())
            }
        };
        Some(RowContent { row, degraded: Some(degraded), scores })
    }

    /// The slice of a fallback. For a row of titles near a seed it is the seed's first genre, so that the heading stays true.
    fn popular_slice(&self, row: usize, planned: &'a PlannedRow) -> &'a [CatalogueRow] {
        let catalogue = &self.page.catalogue;
        let seed = self.needed.seeds[row].and_then(|seed| catalogue.card(seed));
        let genre = seed.and_then(|card| card.genres.first()).and_then(|genre| catalogue.genre(genre));
        genre.unwrap_or(&planned.catalogue_slice)
    }

    /// Converts the content to a candidate for assembly.
    pub(super) fn candidate<'b>(&'b self, content: &'b RowContent<'a>) -> Row<'b> {
        let by_catalogue = |candidates| Row::OfCatalogue(RowTitles { candidates, watched: self.watched() });
        match &content.scores {
            RowScores::Model { ranker, scores } => {
                let viewer = self.viewer.by_ranker[*ranker].as_ref().ok();
                let titles = viewer.map_or(&[][..], |viewer| &viewer.model.slices[content.row]);
                self.by_model(*ranker, Candidates::View { scores, titles })
            }
            RowScores::Listed { ranker, candidates } => {
                self.by_model(*ranker, Candidates::Listed(candidates))
            }
            RowScores::Popular(titles) => {
                by_catalogue(Candidates::View { scores: &self.page.popularity, titles })
            }
            RowScores::LastGood(candidates) => by_catalogue(Candidates::Listed(candidates)),
        }
    }

    fn by_model<'b>(&'b self, ranker: usize, candidates: Candidates<'b, TitleRow>) -> Row<'b> {
        let viewer = self.viewer.by_ranker[ranker].as_ref().ok();
        // A seed is a watched title, so its row never shows it. Scores of all titles already hide watched titles.
        let is_list = matches!(candidates, Candidates::Listed(_));
        let watched = viewer.filter(|_| is_list).map_or(&[][..], RankerViewer::watched);
        Row::OfModel {
            titles: RowTitles { candidates, watched },
            to_catalogue: viewer.and_then(|viewer| viewer.model.to_catalogue.as_deref()),
        }
    }

    fn watched(&self) -> &[CatalogueRow] {
        self.watched.get_or_init(|| self.page.watched_in_catalogue(self.viewer))
    }
}

fn popular<'a>(row: usize, degraded: Option<Degraded>, slice: &'a [CatalogueRow]) -> RowContent<'a> {
    RowContent { row, degraded, scores: RowScores::Popular(slice) }
}
