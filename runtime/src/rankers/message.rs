//! Queries and answers as `marquee.v1.Ranker` writes them.

use marquee_artifacts::IdTable;
use tonic::Status;

use crate::{
    contract::marquee::v1::{self as wire, Model, QueryRequest, QueryResponse, TitlesChunk},
    service::{
        client::{KnownViewer, OwnedViewer, RankError, ViewerQuery},
        types::Recognised,
    },
};

/// The query for a viewer.
pub fn viewer_query(model: Model, query: ViewerQuery) -> QueryRequest {
    let ViewerQuery { viewer, recent, scores } = query;
    QueryRequest {
        model: Some(model),
        viewer: Some(wire::ViewerQuery { viewer, recent, scores }),
        near: vec![],
    }
}

/// The query for scores near titles.
pub fn near_query(model: Model, near: Vec<u32>) -> QueryRequest {
    QueryRequest { model: Some(model), viewer: None, near }
}

/// Who the viewer is, as an answer of a model with `n_titles` says; `recent` are those of the query.
///
/// # Errors
/// When the answer does not fit the query.
pub fn known_viewer(
    answer: QueryResponse,
    recent: Vec<u32>,
    n_titles: usize,
) -> Result<KnownViewer<'static>, RankError> {
    let known = answer.viewer.ok_or_else(unfit)?;
    let recognised = match known.recognised() {
        wire::Recognised::Known => Recognised::Known,
        wire::Recognised::FoldedIn => Recognised::FoldedIn,
        wire::Recognised::Stranger => Recognised::Stranger,
        wire::Recognised::Unspecified => return Err(unfit()),
    };
    let scores = known.scores.as_deref().map(|bytes| scores(bytes, n_titles)).transpose()?;
    if known.history.iter().any(|&row| row as usize >= n_titles) {
        return Err(unfit());
    }
    let viewer = OwnedViewer { known: known.row, recent };
    Ok(KnownViewer { recognised, viewer, history: known.history.into(), scores })
}

/// One list of scores a title of the query.
///
/// # Errors
/// When the answer does not fit the query.
pub fn near_scores(
    answer: &QueryResponse,
    n_near: usize,
    n_titles: usize,
) -> Result<Vec<Vec<f32>>, RankError> {
    if answer.near.len() != n_near {
        return Err(unfit());
    }
    answer.near.iter().map(|bytes| scores(bytes, n_titles)).collect()
}

fn unfit() -> RankError {
    RankError::Failed("the answer does not fit the query".into())
}

fn scores(bytes: &[u8], n_titles: usize) -> Result<Vec<f32>, RankError> {
    let (scores, rest) = bytes.as_chunks();
    if !rest.is_empty() || scores.len() != n_titles {
        return Err(unfit());
    }
    Ok(scores.iter().map(|score| f32::from_le_bytes(*score)).collect())
}

/// A title table on its way.
#[derive(Default)]
pub struct Titles {
    model: Model,
    total: usize,
    ids: Vec<String>,
    plays: Vec<f32>,
}

impl Titles {
    /// The next part.
    pub fn add(&mut self, chunk: TitlesChunk) {
        if let Some(model) = chunk.model {
            (self.model, self.total) = (model, chunk.total as usize);
        }
        self.ids.extend(chunk.ids);
        self.plays.extend(chunk.plays);
    }

    /// The table, what each title's plays are, and of which artifact.
    ///
    /// # Errors
    /// When parts are missing, or the ids are no table.
    pub fn finish(self) -> Result<(Model, IdTable, Vec<f32>), Status> {
        let Self { model, total, ids, plays } = self;
        if model.revision.is_empty() || ids.len() != total || plays.len() != total {
            return Err(Status::data_loss(format!("{} of {total} titles came", ids.len())));
        }
        let table = IdTable::from_ids(ids).map_err(|finding| Status::data_loss(finding.to_string()))?;
        Ok((model, table, plays))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_keep_every_bit() {
        let sent = [0.1_f32, -0.0, f32::MIN_POSITIVE / 2.0, f32::NEG_INFINITY];
        let back = scores(bytemuck::cast_slice(&sent), 4).unwrap();
        let bits = |scores: &[f32]| scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&sent));
        assert!(scores(&[0; 7], 2).is_err(), "half a score");
        assert!(scores(&[0; 8], 3).is_err(), "another title table");
    }

    #[test]
    fn an_answer_that_does_not_fit_the_query_is_refused() {
        let answer = |recognised: wire::Recognised, history: &[u32], scores: &'static [u8], n_near| {
            let scores = Some(bytes::Bytes::from_static(scores));
            let history = history.to_vec();
            let viewer = wire::KnownViewer { recognised: recognised.into(), row: None, history, scores };
            let near = vec![bytes::Bytes::from_static(&[0; 8]); n_near];
            QueryResponse { viewer: Some(viewer), near }
        };
        let known = wire::Recognised::Known;
        #[rustfmt::skip]
        let cases = [
            ("as asked",                    answer(known, &[0, 1], &[0; 8], 1),                        true),
            ("one answer more",             answer(known, &[0, 1], &[0; 8], 2),                        false),
            ("half a score",                answer(known, &[0, 1], &[0; 6], 1),                        false),
            ("scores of another table",     answer(known, &[0, 1], &[0; 12], 1),                       false),
            ("a history of another table",  answer(known, &[0, 2], &[0; 8], 1),                        false),
            ("not recognised in any way",   answer(wire::Recognised::Unspecified, &[], &[0; 8], 1),    false),
        ];
        for (why, answer, fits) in cases {
            let near = near_scores(&answer, 1, 2);
            assert_eq!(near.is_ok() && known_viewer(answer, vec![], 2).is_ok(), fits, "{why}");
        }
    }

    #[test]
    fn a_table_is_whole_or_none() {
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
