//! Tests the preview's responses without a browser.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use tower::ServiceExt;

use super::{assets::ASSETS, headers::CONTENT_SECURITY_POLICY, router};
use crate::service::{Service, Unobserved};

async fn get(path: &str, tag: Option<&str>) -> (StatusCode, HeaderMap, String) {
    let router = router(Service::new(Arc::new(Unobserved)));
    let mut request = Request::get(path);
    if let Some(tag) = tag {
        request = request.header("if-none-match", tag);
    }
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn every_answer_is_hardened_errors_included() {
    for path in [
        "/preview/",
        "/preview",
        "/preview/js/main.js",
        "/preview/none",
        "/preview/viewers",
        "/preview/artwork/no.svg",
    ] {
        let (_, headers, _) = get(path, None).await;
        assert_eq!(headers["content-security-policy"], CONTENT_SECURITY_POLICY, "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
    }
}

#[tokio::test]
async fn every_file_is_served_with_its_type_and_again_only_when_it_changed() {
    for asset in ASSETS {
        let path = format!("/preview/{}", asset.path);
        let (status, headers, body) = get(&path, None).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, asset.body), "{path}");
        assert_eq!(headers["content-type"], asset.media_type, "{path}");
        let tag = headers["etag"].to_str().unwrap();
        assert_eq!(get(&path, Some(tag)).await.0, StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(get(&path, Some("\"other\"")).await.0, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_says_where_to_look() {
    #[rustfmt::skip]
    let cases = [
        ("/preview/js/none.js",            StatusCode::NOT_FOUND,   "open /preview/"),
        ("/preview/..%2f..%2fCargo.toml",  StatusCode::NOT_FOUND,   "open /preview/"),
        ("/preview/artwork/none.svg",      StatusCode::NOT_FOUND,   "none.svg"),
        ("/preview/viewers",               StatusCode::BAD_REQUEST, "surface"),
        ("/preview/viewers?surface=h&limit=many", StatusCode::BAD_REQUEST, "limit"),
        ("/preview/viewers?surface=h&page=2", StatusCode::BAD_REQUEST, "unknown field `page`"),
    ];
    for (path, expected, said) in cases {
        let (status, _, body) = get(path, None).await;
        assert_eq!(status, expected, "{path}");
        assert!(body.contains(said), "{path}: {body}");
    }
}

#[tokio::test]
async fn the_pickers_of_a_server_that_serves_nothing_are_empty() {
    assert_eq!(get("/preview/surfaces", None).await.2, r#"{"surfaces":[]}"#);
    assert_eq!(get("/preview/viewers?surface=home", None).await.2, r#"{"viewers":[],"more":false}"#);
}

#[test]
fn every_file_that_is_named_is_there() {
    for asset in ASSETS {
        for (open, close) in [("href=\"/preview/", '"'), ("src=\"/preview/", '"'), (" from \"./", '"')] {
            for (at, _) in asset.body.match_indices(open) {
                let rest = &asset.body[at + open.len()..];
                let name = &rest[..rest.find(close).unwrap()];
                let path = if open.contains("./") { format!("js/{name}") } else { name.to_owned() };
                assert!(
                    super::assets::find(&path).is_some(),
                    "{} names {path}, which is not served",
                    asset.path
                );
            }
        }
    }
}

#[test]
fn no_file_needs_more_than_the_policy_allows() {
    #[rustfmt::skip]
    let refused = [
        ("innerHTML",          "text goes in through textContent"),
        ("outerHTML",          "text goes in through textContent"),
        ("insertAdjacentHTML", "text goes in through textContent"),
        ("document.write",     "text goes in through textContent"),
        ("eval(",              "the policy refuses it"),
        ("new Function",       "the policy refuses it"),
        ("style=\"",           "styles belong in css/"),
        ("<style",             "styles belong in css/"),
        ("onclick",            "listeners are added by modules"),
        ("onerror",            "listeners are added by modules"),
        ("javascript:",        "the policy refuses it"),
        ("https://",           "the page loads no other origin"),
        ("url(",               "the policy refuses data urls and other origins"),
    ];
    for asset in ASSETS {
        // The icon refers to its own gradients.
        let body = asset.body.replace("url(#", "");
        for (word, why) in refused {
            assert!(!body.contains(word), "{} has {word:?}: {why}", asset.path);
        }
        let body = body.replace("http://www.w3.org/2000/svg", "");
        assert!(!body.contains("http://"), "{} names another host", asset.path);
    }
    let index = super::assets::find("index.html").unwrap().body;
    assert_eq!(
        index.matches("<script").count(),
        index.matches("<script type=\"module\" src=\"/preview/").count()
    );
}
