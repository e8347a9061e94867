//! The preview: a web page that shows a surface's ranked page for a viewer, and ranks it again when the viewer watches a
//! title. This binary serves all its files, and the content security policy allows no other source.
//!
//! | path | answer |
//! | --- | --- |
//! | `/preview/` | the page |
//! | `/preview/css/…`, `/preview/js/…` | its styles and modules |
//! | `/preview/surfaces` | the surfaces that have a page |
//! | `/preview/viewers?surface=&query=&limit=` | viewers for the picker |
//! | `/preview/artwork/{id}.svg` | a title's artwork, drawn from name, year and genres |
//!
//! The ranked page comes from `POST /v1/surfaces/{surface}/page`, as for every other caller.

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

/// The preview's routes. Their paths already contain `/preview`, so merge the router instead of nesting it.
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
        // After a reload an id may have another name, so the cache time is only an hour. The tag makes a check cheap.
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
