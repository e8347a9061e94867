//! What stands in each candidate row: the model's ranking, or what replaces it.

use std::{borrow::Cow, cell::OnceCell};

use marquee_pages::Row;

use super::{
    Kind, PlannedRow, ServedPage,
    scoring::{Asks, RankerViewer, Recognition},
};
use crate::{
    service::{
        passes::RankError,
        types::{Degraded, Recognised},
    },
    serving::fallback::{self, Shown, Stand},
};

/// A candidate row, ready for assembly.
pub(super) struct Standing<'a> {
    /// Which candidate row.
    pub(super) row: usize,
    /// Why a fallback stands here, if one does.
    pub(super) degraded: Option<Degraded>,
    /// What stands here.
    pub(super) source: Scores<'a>,
}

/// By what a row is ordered.
pub(super) enum Scores<'a> {
    /// A model's scores, by its title rows.
    Model { ranker: usize, scores: &'a [f32] },
    /// Popularity, by catalogue row; of these catalogue rows.
    Popular(Cow<'a, [u32]>),
    /// What the viewer saw last: scores by catalogue row, and the rows.
    LastGood(Vec<f32>, Vec<u32>),
}

/// What one page's rows share.
pub(super) struct Table<'a> {
    pub(super) page: &'a ServedPage,
    pub(super) recognition: &'a Recognition<'a>,
    pub(super) asks: &'a Asks,
    pub(super) answers: &'a [Result<Vec<f32>, RankError>],
    pub(super) viewer: &'a str,
    /// Catalogue rows watched; found out when the first row needs it.
    watched: OnceCell<Vec<u32>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        page: &'a ServedPage,
        recognition: &'a Recognition<'a>,
        (asks, answers): (&'a Asks, &'a [Result<Vec<f32>, RankError>]),
        viewer: &'a str,
    ) -> Self {
        Self { page, recognition, asks, answers, viewer, watched: OnceCell::new() }
    }

    /// What stands in candidate row `row`. `Err` is a row left out: because of that, or because it has no titles.
    pub(super) fn stand(&self, row: usize) -> Result<Standing<'a>, Option<Degraded>> {
        let planned = &self.page.rows[row];
        let degraded = match planned.kind {
            Kind::Popular => return Ok(popular(row, None, &planned.catalogue_slice)),
            Kind::Ranked(ranker) => match self.ranked(row, ranker) {
                Ok(standing) => return Ok(standing),
                // Not a failure: this is what a stranger is meant to see.
                Err(Degraded::ViewerUnknown) => {
                    return Ok(popular(row, Some(Degraded::ViewerUnknown), &planned.catalogue_slice));
                }
                Err(degraded) => degraded,
            },
            // A viewer who watched nothing has no such row.
            Kind::Near { .. } if self.asks.seeds[row].is_none() => return Err(None),
            Kind::Near { ranker, .. } => match self.ranked(row, ranker) {
                Ok(standing) => return Ok(standing),
                Err(degraded) => degraded,
            },
        };
        self.fall_back(row, planned, degraded).ok_or(Some(degraded))
    }

    fn ranked(&self, row: usize, ranker: usize) -> Result<Standing<'a>, Degraded> {
        let viewer = self.recognition.by_ranker[ranker].as_ref().map_err(|degraded| *degraded)?;
        let Some(ask) = self.asks.of_row[row] else {
            let stranger = viewer.recognised == Recognised::Stranger;
            return Err(if stranger { Degraded::ViewerUnknown } else { Degraded::ModelNotReady });
        };
        match &self.answers[ask] {
            Ok(scores) => Ok(Standing { row, degraded: None, source: Scores::Model { ranker, scores } }),
            Err(error) => Err(degraded(error)),
        }
    }

    fn fall_back(&self, row: usize, planned: &'a PlannedRow, degraded: Degraded) -> Option<Standing<'a>> {
        let last_good = || self.page.last_good.as_ref()?.get(self.viewer, row);
        match fallback::stand(self.page.config.fallback, last_good) {
            Stand::Nothing => None,
            Stand::Popular => Some(Standing {
                row,
                degraded: Some(degraded),
                source: Scores::Popular(self.popular_slice(row, planned)),
            }),
            Stand::LastGood(shown) => {
                Some(Standing { row, degraded: Some(degraded), source: self.last_good(&shown) })
            }
        }
    }

    /// The row's own slice. Of a row of titles near one: those of its first genre, so that the heading stays true.
    fn popular_slice(&self, row: usize, planned: &'a PlannedRow) -> Cow<'a, [u32]> {
        let catalogue = &self.page.catalogue;
        let seed = self.asks.seeds[row].and_then(|seed| catalogue.card(seed));
        let genre = seed.and_then(|card| card.genres.first()).and_then(|genre| catalogue.genre(genre));
        Cow::Borrowed(genre.unwrap_or(&planned.catalogue_slice))
    }

    fn last_good(&self, shown: &[Shown]) -> Scores<'a> {
        let mut scores = vec![f32::NEG_INFINITY; self.page.options.n_catalogue];
        let mut slice = Vec::with_capacity(shown.len());
        for &(row, score) in shown {
            if let Some(place) = scores.get_mut(row as usize) {
                *place = score;
                slice.push(row);
            }
        }
        Scores::LastGood(scores, slice)
    }

    /// As the assembly takes it.
    pub(super) fn candidate<'b>(&'b self, standing: &'b Standing<'a>) -> Row<'b> {
        match &standing.source {
            Scores::Model { ranker, scores } => {
                let viewer = self.recognition.by_ranker[*ranker].as_ref().ok();
                Row {
                    scores,
                    slice: viewer.map_or(&[], |viewer| &viewer.revision.slices[standing.row]),
                    to_catalogue: viewer.and_then(|viewer| viewer.revision.to_catalogue.as_deref()),
                    // A seed was watched, so it never stands in its own row.
                    watched: viewer.map_or(&[], RankerViewer::watched),
                }
            }
            Scores::Popular(slice) => {
                Row { scores: &self.page.popularity, slice, to_catalogue: None, watched: self.watched() }
            }
            Scores::LastGood(scores, slice) => {
                Row { scores, slice, to_catalogue: None, watched: self.watched() }
            }
        }
    }

    fn watched(&self) -> &[u32] {
        self.watched.get_or_init(|| self.page.watched_in_catalogue(self.recognition))
    }
}

/// What a model's error means for a row.
pub(super) fn degraded(error: &RankError) -> Degraded {
    match error {
        RankError::DeadlineExceeded => Degraded::DeadlineMissed,
        RankError::NotReady => Degraded::ModelNotReady,
        RankError::Failed(_) => Degraded::ModelFailed,
    }
}

fn popular<'a>(row: usize, degraded: Option<Degraded>, slice: &'a [u32]) -> Standing<'a> {
    Standing { row, degraded, source: Scores::Popular(Cow::Borrowed(slice)) }
}
