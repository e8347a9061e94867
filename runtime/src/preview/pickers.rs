//! The surfaces and viewers in the preview's pickers.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use crate::service::{Service, SurfaceDescription, ViewerDescription};

/// Number of viewers that a search covers. For any other viewer the user types the whole id, which the page accepts.
const SEARCHED: usize = 50_000;
/// Default number of viewers in one answer.
const OFFERED: usize = 50;
/// Most viewers in one answer.
const OFFERED_AT_MOST: usize = 500;

/// Query of `/preview/viewers`.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct ViewersQuery {
    surface: String,
    #[serde(default)]
    query: String,
    limit: Option<usize>,
}

/// Answer of `/preview/viewers`.
#[derive(Serialize, Debug, PartialEq)]
struct Viewers {
    /// Viewers whose id starts with the query, then those whose id contains it elsewhere.
    viewers: Vec<ViewerDescription>,
    /// Whether more viewers match than the limit.
    more: bool,
}

/// Answer of `/preview/surfaces`.
#[derive(Serialize)]
struct Surfaces {
    surfaces: Vec<SurfaceDescription>,
}

pub(super) async fn surfaces(State(service): State<Service>) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(Surfaces { surfaces: service.surfaces() })).into_response()
}

pub(super) async fn viewers(
    State(service): State<Service>,
    query: Result<Query<ViewersQuery>, QueryRejection>,
) -> Response {
    let query = match query {
        Ok(Query(query)) => query,
        Err(rejection) => return (StatusCode::BAD_REQUEST, rejection.body_text()).into_response(),
    };
    let limit = query.limit.unwrap_or(OFFERED).min(OFFERED_AT_MOST);
    // A search scans and sorts the id table, which would block a thread that answers requests for too long.
    let found = tokio::task::spawn_blocking(move || {
        let all = service.viewers(&query.surface, SEARCHED);
        search(all, query.query.trim(), limit)
    })
    .await;
    match found {
        Ok(viewers) => ([(CACHE_CONTROL, "no-store")], Json(viewers)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn search(mut all: Vec<ViewerDescription>, query: &str, limit: usize) -> Viewers {
    all.retain(|viewer| viewer.id.contains(query));
    // A stable sort keeps the viewers with the longest history first within each part.
    all.sort_by_key(|viewer| (viewer.id != query, !viewer.id.starts_with(query)));
    let more = all.len() > limit;
    all.truncate(limit);
    Viewers { viewers: all, more }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_id_comes_first_then_its_beginnings_then_the_rest() {
        let ids = ["419", "190", "7", "19", "191", "b19"];
        let all =
            ids.iter().map(|id| ViewerDescription { id: (*id).into(), n_watched: 5 }).collect::<Vec<_>>();
        let found = |query, limit| {
            let Viewers { viewers, more } = search(all.clone(), query, limit);
            (viewers.into_iter().map(|viewer| viewer.id).collect::<Vec<_>>(), more)
        };
        assert_eq!(
            found("19", 9),
            (vec!["19".into(), "190".into(), "191".into(), "419".into(), "b19".into()], false)
        );
        assert_eq!(found("19", 2), (vec!["19".into(), "190".into()], true));
        assert_eq!(found("", 1), (vec!["419".into()], true), "no query keeps the order of the service");
        assert_eq!(found("nobody", 9), (vec![], false));
    }
}
