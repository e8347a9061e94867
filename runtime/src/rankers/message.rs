//! Questions and answers as `marquee.v1.Ranker` writes them.

use marquee_artifacts::IdTable;
use tonic::Status;

use crate::{
    contract::marquee::v1::{self as wire, ConsultRequest, ConsultResponse, Model, TitlesChunk},
    service::{
        passes::RankError,
        remote::{Ask, Heard, Known},
        types::Recognised,
    },
};

/// The question.
pub fn request(model: Model, ask: Ask) -> ConsultRequest {
    let who = ask.who.map(|who| wire::Who { viewer: who.viewer, recent: who.recent, scores: who.scores });
    ConsultRequest { model: Some(model), who, near: ask.near }
}

/// The answer.
///
/// # Errors
/// When it is none to this question.
pub fn heard(response: ConsultResponse, n_near: usize) -> Result<Heard, RankError> {
    let unfit = || RankError::Failed("the answer is none to the question".into());
    if response.near.len() != n_near {
        return Err(unfit());
    }
    let near = response.near.iter().map(|bytes| scores(bytes).ok_or_else(unfit)).collect::<Result<_, _>>()?;
    let known = |known: wire::Known| {
        let recognised = match known.recognised() {
            wire::Recognised::Known => Recognised::Known,
            wire::Recognised::FoldedIn => Recognised::FoldedIn,
            wire::Recognised::Stranger => Recognised::Stranger,
            wire::Recognised::Unspecified => return Err(unfit()),
        };
        let scores = known.scores.as_deref().map(|bytes| scores(bytes).ok_or_else(unfit)).transpose()?;
        Ok(Known { recognised, viewer: known.viewer, history: known.history, scores })
    };
    Ok(Heard { who: response.known.map(known).transpose()?, near })
}

fn scores(bytes: &[u8]) -> Option<Vec<f32>> {
    let (scores, rest) = bytes.as_chunks();
    rest.is_empty().then(|| scores.iter().map(|score| f32::from_le_bytes(*score)).collect())
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
        let back = scores(bytemuck::cast_slice(&sent)).unwrap();
        let bits = |scores: &[f32]| scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&sent));
        assert_eq!(scores(&[0; 7]), None);
    }

    #[test]
    fn an_answer_to_another_question_is_refused() {
        let known = |recognised: wire::Recognised, scores: &'static [u8]| {
            let scores = Some(bytes::Bytes::from_static(scores));
            Some(wire::Known { recognised: recognised.into(), viewer: None, history: vec![], scores })
        };
        #[rustfmt::skip]
        let cases = [
            ("as asked",           known(wire::Recognised::Known, &[0; 8]),       1, true),
            ("one answer more",    known(wire::Recognised::Known, &[0; 8]),       2, false),
            ("half a score",       known(wire::Recognised::Known, &[0; 6]),       1, false),
            ("of no kind",         known(wire::Recognised::Unspecified, &[0; 8]), 1, false),
        ];
        for (why, known, n_near, fits) in cases {
            let response = ConsultResponse { known, near: vec![bytes::Bytes::from_static(&[0; 8]); n_near] };
            assert_eq!(heard(response, 1).is_ok(), fits, "{why}");
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
