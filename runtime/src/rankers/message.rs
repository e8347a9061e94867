//! Converts queries and answers to and from the messages of `marquee.v1.Ranker`.

use marquee_artifacts::IdTable;
use marquee_models::{TitleRow, ViewerRow};
use tonic::Status;

use super::scores::{self, numbers, title_rows};
use crate::{
    contract::marquee::v1::{
        self as wire, KeepSlicesRequest, Model, QueryRequest, QueryResponse, TitlesChunk, Watched,
    },
    service::{
        client::{KnownViewer, NearQuery, OwnedViewer, RankError, Scores, ViewerQuery},
        lists::{Slice, TitleList},
        types::Recognised,
    },
};

/// The message that recognises a viewer.
pub fn viewer_query(model: Model, query: ViewerQuery<'_>) -> QueryRequest {
    let ViewerQuery { viewer, recent, scores, lists } = query;
    let lists = lists.iter().map(list).collect();
    let viewer = wire::ViewerQuery { viewer: viewer.into_owned(), recent: numbers(recent), scores, lists };
    QueryRequest { model: Some(model), viewer: Some(viewer), ..QueryRequest::default() }
}

/// The message that asks for the scores near titles, for the page of `watched_by`.
pub fn near_query(model: Model, near: &[NearQuery], watched_by: OwnedViewer) -> QueryRequest {
    // A request has one list for each title, or no lists.
    let lists: Option<Vec<_>> = near.iter().map(|near| near.list.as_ref().map(list)).collect();
    let watched =
        |viewer: OwnedViewer| Watched { row: viewer.known.map(|row| row.0), recent: numbers(viewer.recent) };
    QueryRequest {
        model: Some(model),
        near: near.iter().map(|near| near.title.0).collect(),
        watched_by: lists.is_some().then(|| watched(watched_by)),
        near_lists: lists.unwrap_or_default(),
        ..QueryRequest::default()
    }
}

fn list(list: &TitleList) -> wire::TitleList {
    let slice = list.slice.as_ref().map(|slice| slice.digest.as_bytes().to_vec());
    wire::TitleList { slice: slice.unwrap_or_default(), k: u32::try_from(list.k).unwrap_or(u32::MAX) }
}

/// The message that sends a slice to a pod, which keeps it.
pub fn slice(model: Model, slice: &Slice, n_titles: usize) -> KeepSlicesRequest {
    let slice = scores::write_slice(slice, n_titles);
    KeepSlicesRequest { model: Some(model), slices: vec![slice] }
}

/// Reads the viewer from the answer of a model with `n_titles` titles. `recent` are the recent titles of the query.
///
/// # Errors
/// Fails if the answer does not fit the query.
pub fn known_viewer(
    answer: QueryResponse,
    recent: Vec<TitleRow>,
    n_titles: usize,
) -> Result<KnownViewer<'static>, RankError> {
    let known = answer.viewer.ok_or_else(unfit)?;
    let recognised = match known.recognised() {
        wire::Recognised::Known => Recognised::Known,
        wire::Recognised::FoldedIn => Recognised::FoldedIn,
        wire::Recognised::Stranger => Recognised::Stranger,
        wire::Recognised::Unspecified => return Err(unfit()),
    };
    let scores = known.scores.map(|found| scores::read(&found, n_titles).ok_or_else(unfit)).transpose()?;
    if known.history.iter().any(|&row| row as usize >= n_titles) {
        return Err(unfit());
    }
    let viewer = OwnedViewer { known: known.row.map(ViewerRow), recent };
    Ok(KnownViewer { recognised, viewer, history: title_rows(known.history).into(), scores })
}

/// Reads the scores near titles: one answer for each title of the query.
///
/// # Errors
/// Fails if the answer does not fit the query.
pub fn near_scores(answer: &QueryResponse, n_near: usize, n_titles: usize) -> Result<Vec<Scores>, RankError> {
    if answer.near.len() != n_near {
        return Err(unfit());
    }
    answer.near.iter().map(|found| scores::read(found, n_titles).ok_or_else(unfit)).collect()
}

fn unfit() -> RankError {
    RankError::Failed("the answer does not fit the query".into())
}

/// A title table that arrives in parts.
#[derive(Default)]
pub struct Titles {
    model: Model,
    total: usize,
    ids: Vec<String>,
    plays: Vec<f32>,
}

impl Titles {
    /// Adds the next part.
    pub fn add(&mut self, chunk: TitlesChunk) {
        if let Some(model) = chunk.model {
            (self.model, self.total) = (model, chunk.total as usize);
        }
        self.ids.extend(chunk.ids);
        self.plays.extend(chunk.plays);
    }

    /// Returns the artifact, the title table and the plays of each title.
    ///
    /// # Errors
    /// Fails if parts are missing, or if the ids are not a valid table.
    pub fn finish(self) -> Result<(Model, IdTable<TitleRow>, Vec<f32>), Status> {
        let Self { model, total, ids, plays } = self;
        if model.revision.is_empty() || ids.len() != total || plays.len() != total {
            return Err(Status::data_loss(format!("only {} of {total} titles arrived", ids.len())));
        }
        let table = IdTable::from_ids(ids).map_err(|finding| Status::data_loss(finding.to_string()))?;
        Ok((model, table, plays))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_does_not_fit_the_query_is_refused() {
        let all = |bytes: &'static [u8]| wire::Scores {
            all: bytes::Bytes::from_static(bytes),
            ..Default::default()
        };
        let answer = |recognised: wire::Recognised, history: &[u32], scores: wire::Scores, n_near| {
            let (scores, history) = (Some(scores), history.to_vec());
            let viewer = wire::KnownViewer { recognised: recognised.into(), row: None, history, scores };
            let near = vec![all(&[0; 8]); n_near];
            QueryResponse { viewer: Some(viewer), near, slices_missing: false }
        };
        let known = wire::Recognised::Known;
        #[rustfmt::skip]
        let cases = [
            ("fits the query",              answer(known, &[0, 1], all(&[0; 8]), 1),                       true),
            ("one answer too many",         answer(known, &[0, 1], all(&[0; 8]), 2),                       false),
            ("half a score",                answer(known, &[0, 1], all(&[0; 6]), 1),                       false),
            ("scores of another table",     answer(known, &[0, 1], all(&[0; 12]), 1),                      false),
            ("a history of another table",  answer(known, &[0, 2], all(&[0; 8]), 1),                       false),
            ("recognition is missing",      answer(wire::Recognised::Unspecified, &[], all(&[0; 8]), 1),   false),
        ];
        for (why, answer, fits) in cases {
            let near = near_scores(&answer, 1, 2);
            assert_eq!(near.is_ok() && known_viewer(answer, vec![], 2).is_ok(), fits, "{why}");
        }
    }

    #[test]
    fn an_incomplete_or_invalid_table_is_refused() {
        let chunk = |ids: &[&str], total| TitlesChunk {
            model: Some(Model { objective: "top".into(), revision: "ab".into() }),
            total,
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            plays: vec![1.0; ids.len()],
        };
        let whole = |chunk| {
            let mut titles = Titles::default();
            titles.add(chunk);
            titles.finish().is_ok()
        };
        assert!(whole(chunk(&["a", "b"], 2)));
        assert!(!whole(chunk(&["a", "b"], 3)), "the stream ended early");
        assert!(!whole(chunk(&["a", "a"], 2)), "an id twice");
    }
}
