//! Answers the queries of pages in other processes. The answers equal those to a page in this process, bit for bit.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    client::{KnownViewer, NearQuery, OwnedViewer, RankerClient, Scores, ScoresQuery, ViewerQuery},
    model_requests::refused,
    plan::Plan,
    ranker::ServedModel,
    types::{Recognised, ServeError},
    validate::{self, MAX_RECENT},
};

/// Limit of titles near which one query may ask for scores. A page needs one for each row.
const MAX_NEAR: usize = 100;
/// Time limit of a query without a deadline.
const LONGEST: Duration = Duration::from_secs(60);

/// A query of a page to a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RankerQuery {
    /// Objective of the model.
    pub objective: String,
    /// Digest of the artifact to whose rows the query refers.
    pub artifact_digest: String,
    /// Asks to recognise the viewer, and for the viewer's scores.
    pub viewer: Option<ViewerQuery<'static>>,
    /// Titles near which to score: for each, the scores for a viewer who watched only this title.
    pub near: Vec<NearQuery>,
    /// Viewer of the page. The lists of `near` leave out titles that this viewer watched.
    pub watched_by: OwnedViewer,
}

/// The answer of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct RankerAnswer {
    /// Answer to [`RankerQuery::viewer`].
    pub viewer: Option<KnownViewer<'static>>,
    /// One answer for each title in [`RankerQuery::near`].
    pub near: Vec<Scores>,
}

pub(super) async fn query(
    plan: &Plan,
    query: RankerQuery,
    until: Option<Instant>,
) -> Result<RankerAnswer, ServeError> {
    let model = &**model_of_artifact(plan, &query.objective, &query.artifact_digest)?;
    check(model, &query)?;
    let until = until.unwrap_or_else(|| Instant::now() + LONGEST);
    let lists = query.viewer.as_ref().map(|viewer| viewer.lists.clone()).unwrap_or_default();
    let wants_scores = query.viewer.as_ref().is_some_and(|viewer| viewer.scores);
    let known = match query.viewer {
        None => None,
        Some(viewer) => {
            let known = RankerClient::recognise(model, viewer, until).await;
            Some(known.map_err(|error| refused(model, &error))?)
        }
    };
    let scored = known.as_ref().filter(|known| wants_scores && known.recognised != Recognised::Stranger);
    // Submitted together, so that they share heavy passes.
    let asked = ScoresQuery {
        viewer: scored.map(|known| known.viewer.clone()),
        lists,
        near: query.near,
        watched_by: query.watched_by,
    };
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

/// The model of an objective, if it serves the artifact with this digest.
pub(super) fn model_of_artifact<'a>(
    plan: &'a Plan,
    objective: &str,
    artifact_digest: &str,
) -> Result<&'a Arc<ServedModel>, ServeError> {
    let model = plan.model(objective)?;
    if *model.info.artifact_digest == *artifact_digest {
        return Ok(model);
    }
    Err(ServeError::Changed(format!(
        "artifact {artifact_digest} of objective {objective:?} is no longer served: read the titles of {} and query again",
        model.info.artifact_digest
    )))
}

fn check(model: &ServedModel, query: &RankerQuery) -> Result<(), ServeError> {
    let recent = query.viewer.as_ref().map_or(&[][..], |viewer| &viewer.recent);
    let n_titles = model.loaded.titles.len();
    let n_lists = query.viewer.as_ref().map_or(0, |viewer| viewer.lists.len());
    let n_recent = recent.len().max(query.watched_by.recent.len());
    if n_recent > MAX_RECENT || query.near.len() > MAX_NEAR || n_lists > MAX_NEAR {
        return Err(ServeError::Invalid(format!(
            "a query may have at most {MAX_RECENT} recent titles, {MAX_NEAR} near titles and {MAX_NEAR} lists: send fewer"
        )));
    }
    if let Some(viewer) = &query.viewer {
        validate::viewer(&&*viewer.viewer, &[])?;
    }
    let near = query.near.iter().map(|near| &near.title);
    match recent.iter().chain(near).find(|row| row.idx() >= n_titles) {
        None => Ok(()),
        Some(row) => Err(ServeError::Invalid(format!(
            "the title table has no row {row}, only 0 to {}: read its titles again",
            n_titles.saturating_sub(1)
        ))),
    }
}
