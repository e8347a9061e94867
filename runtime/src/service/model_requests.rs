//! Requests to one model: scores of given titles, and the best titles.

use std::time::Instant;

use futures::future::try_join_all;
use marquee_models::{Scored, TitleRow};
use tracing::error;

use super::{
    client::RankError,
    forward::OwnedQuery,
    plan::Plan,
    ranker::ServedModel,
    types::{Recognised, ScoreRequest, ScoreResponse, ServeError, TopKRequest, TopKResponse},
    validate,
};

pub(super) async fn score<S: AsRef<str>>(
    plan: &Plan,
    request: &ScoreRequest<S>,
    until: Option<Instant>,
) -> Result<ScoreResponse, ServeError> {
    let model = plan.model(request.objective.as_ref())?;
    validate::score(request)?;
    let titles = title_rows(model, &request.titles)?;
    let viewer = model.viewer(&request.viewer, &request.recent);
    let recognised = model.recognised(&viewer);
    let scores = match recognised {
        Recognised::Stranger => plays_of(model, &titles),
        _ => model.score(viewer, titles, until).await.map_err(|error| refused(model, &error))?,
    };
    Ok(ScoreResponse { model: model.info.clone(), recognised, scores })
}

/// Submits all requests together, so that heavy requests share passes.
pub(super) async fn score_batch<S: AsRef<str>>(
    plan: &Plan,
    requests: &[ScoreRequest<S>],
    until: Option<Instant>,
) -> Result<Vec<ScoreResponse>, ServeError> {
    if let [request] = requests {
        return Ok(vec![score(plan, request, until).await?]);
    }
    try_join_all(requests.iter().map(|request| score(plan, request, until))).await
}

pub(super) async fn top_k<S: AsRef<str>>(
    plan: &Plan,
    request: &TopKRequest<S>,
    until: Option<Instant>,
) -> Result<TopKResponse, ServeError> {
    let model = plan.model(request.objective.as_ref())?;
    validate::top_k(request, model.config.max_top_k)?;
    let viewer = model.viewer(&request.viewer, &request.recent);
    let recognised = model.recognised(&viewer);
    let table = &model.loaded.titles;
    let exclude = request.exclude.iter().filter_map(|id| table.row(id.as_ref())).collect();
    let query = OwnedQuery { viewer, k: request.k, exclude, include_watched: request.include_watched };
    let best = match recognised {
        Recognised::Stranger => most_watched(model, &query),
        _ => model.top_k(query, until).await.map_err(|error| refused(model, &error))?,
    };
    let titles = best.into_iter().map(|best| (table.id(best.title).into(), best.score)).collect();
    Ok(TopKResponse { model: model.info.clone(), recognised, titles })
}

fn title_rows<S: AsRef<str>>(model: &ServedModel, titles: &[S]) -> Result<Vec<TitleRow>, ServeError> {
    let table = &model.loaded.titles;
    let mut rows = Vec::with_capacity(titles.len());
    for (place, id) in titles.iter().enumerate() {
        let row = table.row(id.as_ref());
        rows.push(row.ok_or_else(|| {
            validate::unknown_title(id.as_ref(), place, &model.info.objective, table.len())
        })?);
    }
    Ok(rows)
}

fn plays_of(model: &ServedModel, titles: &[TitleRow]) -> Vec<f32> {
    let plays = model.loaded.plays();
    titles.iter().map(|title| plays[title.idx()]).collect()
}

/// The most watched titles, for a stranger. A stranger watched nothing, so only the request's exclusions are left out.
fn most_watched(model: &ServedModel, query: &OwnedQuery) -> Vec<Scored> {
    let mut exclude = query.exclude.clone();
    exclude.sort_unstable();
    let plays = model.loaded.plays();
    let left = model.loaded.popular().iter().filter(|title| exclude.binary_search(title).is_err());
    left.take(query.k).map(|&title| Scored { title, score: plays[title.idx()] }).collect()
}

pub(super) fn refused(model: &ServedModel, failure: &RankError) -> ServeError {
    match failure {
        RankError::DeadlineExceeded => ServeError::DeadlineExceeded,
        RankError::NotReady | RankError::Failed(_) => {
            let objective = &*model.info.objective;
            error!(objective, error = failure as &dyn std::error::Error, "forward pass failed");
            ServeError::Internal
        }
    }
}
