//! What a page in another process asks of a model in one go: the same answers that a page in this process gets, bit for bit.

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use super::{
    ask::refused,
    client::{KnownViewer, RankerClient, ScoresQuery, ViewerQuery},
    plan::Plan,
    ranker::ServedModel,
    types::{Recognised, ServeError},
    validate::{self, MAX_RECENT},
};

/// Titles near which one query may ask for scores: rows of a page.
const MAX_NEAR: usize = 100;
/// How long a query without a deadline may take.
const LONGEST: Duration = Duration::from_secs(60);

/// What a page asks of a model in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RankerQuery {
    /// Which model.
    pub objective: String,
    /// Digest of the artifact whose rows the query means.
    pub artifact_digest: String,
    /// Who the viewer is, and the viewer's scores.
    pub viewer: Option<ViewerQuery>,
    /// Title rows: for each, scores for somebody who watched this title and nothing else.
    pub near: Vec<u32>,
}

/// What the model answers.
#[derive(Clone, Debug, PartialEq)]
pub struct RankerAnswer {
    /// To [`RankerQuery::viewer`].
    pub viewer: Option<KnownViewer<'static>>,
    /// Scores by title row, one list a row of [`RankerQuery::near`].
    pub near: Vec<Vec<f32>>,
}

pub(super) async fn query(
    plan: &Plan,
    query: RankerQuery,
    until: Option<Instant>,
) -> Result<RankerAnswer, ServeError> {
    let model = &**plan.model(&query.objective)?;
    if *model.info.revision != *query.artifact_digest {
        return Err(ServeError::Changed(format!(
            "artifact {} of objective {:?} is not served any more: read the titles of {} and ask again",
            query.artifact_digest, query.objective, model.info.revision
        )));
    }
    check(model, &query)?;
    let until = until.unwrap_or_else(|| Instant::now() + LONGEST);
    let wants_scores = query.viewer.as_ref().is_some_and(|viewer| viewer.scores);
    let known = match query.viewer {
        None => None,
        Some(viewer) => {
            let known = RankerClient::recognise(model, viewer, until).await;
            Some(known.map_err(|error| refused(model, &error))?)
        }
    };
    let scored = known.as_ref().filter(|known| wants_scores && known.recognised != Recognised::Stranger);
    // Asked together, so that heavy passes are shared.
    let asked = ScoresQuery { viewer: scored.map(|known| known.viewer.clone()), near: query.near };
    let answer = model.scores(asked, until).await;
    let scores = answer.viewer.transpose().map_err(|error| refused(model, &error))?;
    let near: Result<_, _> = answer.near.into_iter().collect();
    Ok(RankerAnswer {
        viewer: known.map(|known| KnownViewer {
            history: Cow::Owned(known.history.into_owned()),
            scores,
            ..known
        }),
        near: near.map_err(|error| refused(model, &error))?,
    })
}

fn check(model: &ServedModel, query: &RankerQuery) -> Result<(), ServeError> {
    let recent = query.viewer.as_ref().map_or(&[][..], |viewer| &viewer.recent);
    let n_titles = model.loaded.titles.len();
    if recent.len() > MAX_RECENT || query.near.len() > MAX_NEAR {
        return Err(ServeError::Invalid(format!(
            "at most {MAX_RECENT} recent titles and {MAX_NEAR} titles near which to look: ask for fewer"
        )));
    }
    if let Some(viewer) = &query.viewer {
        validate::viewer(&viewer.viewer, &[])?;
    }
    match recent.iter().chain(&query.near).find(|row| **row as usize >= n_titles) {
        None => Ok(()),
        Some(row) => Err(ServeError::Invalid(format!(
            "the title table has no row {row}, only 0 to {}: read its titles again",
            n_titles.saturating_sub(1)
        ))),
    }
}
