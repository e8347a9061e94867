//! The preview: a page in the browser that shows what a surface's layout and models make of a viewer, and re-ranks as
//! titles are watched. Everything comes from this binary, under a content security policy that allows nothing else.
//!
//! | path | answers |
//! | --- | --- |
//! | `/preview/` | the page |
//! | `/preview/css/…`, `/preview/js/…` | its style and modules |
//! | `/preview/surfaces` | the surfaces that have a page |
//! | `/preview/viewers?surface=&query=&limit=` | viewers for the picker |
//! | `/preview/artwork/{id}.svg` | a title's artwork, drawn from name, year and genres |
//!
//! The ranked page itself comes from `POST /v1/surfaces/{surface}/page`, as for any other caller.

mod artwork;
mod assets;
mod headers;
mod pickers;

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    middleware,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use crate::service::Service;

/// The preview's routes, all of them below `/preview`: merge the router, do not nest it.
pub fn router(service: Service) -> Router {
    Router::new()
        .route("/preview", get(|| async { Redirect::permanent("/preview/") }))
        .route("/preview/", get(|headers: HeaderMap| async move { asset("index.html", &headers) }))
        .route("/preview/surfaces", get(pickers::surfaces))
        .route("/preview/viewers", get(pickers::viewers))
        .route("/preview/artwork/{file}", get(title_artwork))
        .route(
            "/preview/{*path}",
            get(|Path(path): Path<String>, headers: HeaderMap| async move { asset(&path, &headers) }),
        )
        .layer(middleware::map_response(headers::harden))
        .with_state(service)
}

fn asset(path: &str, request: &HeaderMap) -> Response {
    match assets::find(path) {
        Some(asset) => headers::cached(request, asset.media_type, asset.body, "no-cache"),
        None => no_such_file(path),
    }
}

async fn title_artwork(
    State(service): State<Service>,
    Path(file): Path<String>,
    request: HeaderMap,
) -> Response {
    let title = file.strip_suffix(".svg").and_then(|id| service.title(id));
    match title {
        // A reload may give an id another name: an hour is short enough for that, and the tag makes the check cheap.
        Some(title) => headers::cached(
            &request,
            "image/svg+xml; charset=utf-8",
            artwork::svg(&title),
            "private, max-age=3600",
        ),
        None => no_such_file(&file),
    }
}

fn no_such_file(path: &str) -> Response {
    (StatusCode::NOT_FOUND, format!("the preview has no file {path:?}: open /preview/\n")).into_response()
}

#[cfg(test)]
mod tests;
