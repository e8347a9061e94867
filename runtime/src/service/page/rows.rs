//! What each candidate row holds: the model's ranking, or what replaces it.

use std::{borrow::Cow, cell::OnceCell};

use marquee_pages::Row;

use super::{
    PlannedRow, RowKind, ServedPage,
    scores::ScoresNeeded,
    viewer::{PageViewer, RankerViewer},
};
use crate::{
    service::{
        client::ScoresAnswer,
        types::{Degraded, Recognised},
    },
    serving::fallback::{self, Replacement, Shown},
};

/// A candidate row, ready for assembly.
pub(super) struct RowContent<'a> {
    /// Which candidate row.
    pub(super) row: usize,
    /// Why a fallback fills the row, if one does.
    pub(super) degraded: Option<Degraded>,
    /// What orders the titles.
    pub(super) scores: RowScores<'a>,
}

/// What orders the titles of a row.
pub(super) enum RowScores<'a> {
    /// A model's scores, by its title rows.
    Model { ranker: usize, scores: &'a [f32] },
    /// Popularity, by catalogue row; of these catalogue rows.
    Popular(Cow<'a, [u32]>),
    /// What the viewer saw last: scores by catalogue row, and the rows.
    LastGood(Vec<f32>, Vec<u32>),
}

/// Fills the rows of one page.
pub(super) struct RowFiller<'a> {
    pub(super) page: &'a ServedPage,
    pub(super) viewer: &'a PageViewer<'a>,
    /// Viewer id of the request.
    pub(super) viewer_id: &'a str,
    pub(super) needed: &'a ScoresNeeded,
    pub(super) answers: &'a [ScoresAnswer],
    /// Catalogue rows watched; found out when the first row needs it.
    pub(super) watched: OnceCell<Vec<u32>>,
}

impl<'a> RowFiller<'a> {
    /// The content of candidate row `row`. `Err` is a row left out: because a model did not answer, or because it has no titles.
    pub(super) fn fill(&self, row: usize) -> Result<RowContent<'a>, Option<Degraded>> {
        let planned = &self.page.rows[row];
        let degraded = match planned.kind {
            RowKind::Popular => return Ok(popular(row, None, &planned.catalogue_slice)),
            RowKind::Ranked(ranker) => match self.ranked(row, ranker) {
                Ok(content) => return Ok(content),
                // Not a failure: a stranger is meant to see popular titles.
                Err(Degraded::ViewerUnknown) => {
                    return Ok(popular(row, Some(Degraded::ViewerUnknown), &planned.catalogue_slice));
                }
                Err(degraded) => degraded,
            },
            // A viewer who watched nothing has no such row.
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
        let scores = scores.as_ref().map_err(Degraded::from)?;
        Ok(RowContent { row, degraded: None, scores: RowScores::Model { ranker, scores } })
    }

    fn fall_back(&self, row: usize, planned: &'a PlannedRow, degraded: Degraded) -> Option<RowContent<'a>> {
        let last_good = || self.page.last_good.as_ref()?.get(self.viewer_id, row);
        let scores = match fallback::replacement(self.page.config.fallback, last_good) {
            Replacement::Nothing => return None,
            Replacement::Popular => RowScores::Popular(self.popular_slice(row, planned)),
            Replacement::LastGood(shown) => self.last_good(&shown),
        };
        Some(RowContent { row, degraded: Some(degraded), scores })
    }

    /// The row's own slice. Of a row of titles near one: those of its first genre, so that the heading stays true.
    fn popular_slice(&self, row: usize, planned: &'a PlannedRow) -> Cow<'a, [u32]> {
        let catalogue = &self.page.catalogue;
        let seed = self.needed.seeds[row].and_then(|seed| catalogue.card(seed));
        let genre = seed.and_then(|card| card.genres.first()).and_then(|genre| catalogue.genre(genre));
        Cow::Borrowed(genre.unwrap_or(&planned.catalogue_slice))
    }

    fn last_good(&self, shown: &[Shown]) -> RowScores<'a> {
        let mut scores = vec![f32::NEG_INFINITY; self.page.options.n_catalogue];
        let mut slice = Vec::with_capacity(shown.len());
        for &(row, score) in shown {
            if let Some(place) = scores.get_mut(row as usize) {
                *place = score;
                slice.push(row);
            }
        }
        RowScores::LastGood(scores, slice)
    }

    /// As the assembly takes it.
    pub(super) fn candidate<'b>(&'b self, content: &'b RowContent<'a>) -> Row<'b> {
        match &content.scores {
            RowScores::Model { ranker, scores } => {
                let viewer = self.viewer.by_ranker[*ranker].as_ref().ok();
                Row {
                    scores,
                    slice: viewer.map_or(&[], |viewer| &viewer.model.slices[content.row]),
                    to_catalogue: viewer.and_then(|viewer| viewer.model.to_catalogue.as_deref()),
                    // A seed was watched, so its own row never shows it.
                    watched: viewer.map_or(&[], RankerViewer::watched),
                }
            }
            RowScores::Popular(slice) => {
                Row { scores: &self.page.popularity, slice, to_catalogue: None, watched: self.watched() }
            }
            RowScores::LastGood(scores, slice) => {
                Row { scores, slice, to_catalogue: None, watched: self.watched() }
            }
        }
    }

    fn watched(&self) -> &[u32] {
        self.watched.get_or_init(|| self.page.watched_in_catalogue(self.viewer))
    }
}

fn popular<'a>(row: usize, degraded: Option<Degraded>, slice: &'a [u32]) -> RowContent<'a> {
    RowContent { row, degraded, scores: RowScores::Popular(Cow::Borrowed(slice)) }
}
