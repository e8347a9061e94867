//! What the page's pickers offer: surfaces and viewers.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use crate::service::{Service, SurfaceDescription, ViewerDescription};

/// Viewers that a search looks through. A picker is for looking around; a viewer beyond them is found by typing the
/// whole id, which the page takes as it stands.
const SEARCHED: usize = 50_000;
/// Viewers in one answer when the query does not say.
const OFFERED: usize = 50;
/// Viewers in one answer at most.
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
    /// Those whose id starts with the query, then those that hold it elsewhere.
    viewers: Vec<ViewerDescription>,
    /// Whether there are more than were asked for.
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
    // A search walks the id table and sorts it, which is too long for a thread that answers requests.
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
    // Stable, so that those who watched most stay first within each part.
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
