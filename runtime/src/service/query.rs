//! What a page in another process asks of a model in one go: the same answers that a page in this process gets, bit for bit.

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
    pub viewer: Option<ViewerQuery<'static>>,
    /// For each of these titles: somebody who watched this title and nothing else.
    pub near: Vec<NearQuery>,
    /// Whose page it is: the lists of `near` leave out what this viewer watched.
    pub watched_by: OwnedViewer,
}

/// What the model answers.
#[derive(Clone, Debug, PartialEq)]
pub struct RankerAnswer {
    /// To [`RankerQuery::viewer`].
    pub viewer: Option<KnownViewer<'static>>,
    /// One a title of [`RankerQuery::near`].
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
    // Asked together, so that heavy passes are shared.
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
        "artifact {artifact_digest} of objective {objective:?} is not served any more: read the titles of {} and ask again",
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
            "at most {MAX_RECENT} recent titles, {MAX_NEAR} titles near which to look and {MAX_NEAR} lists: ask for fewer"
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
