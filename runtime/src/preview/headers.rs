//! Response headers for caching and security.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};

/// Allows only the preview's own files, and forbids inline scripts, inline styles and frames.
pub(super) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HARDENED: [(&str, &str); 5] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Sets the security headers on every response of the preview, including errors.
pub(super) async fn harden(mut response: Response) -> Response {
    for (name, value) in HARDENED {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// Responds with `body` and its entity tag, or with 304 if the browser already has it.
pub(super) fn cached(
    request: &HeaderMap,
    media_type: &'static str,
    body: impl Into<Body> + AsRef<[u8]>,
    cache_control: &'static str,
) -> Response {
    let tag = tag(body.as_ref());
    let matches = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|tags| tags.split(',').any(|other| other.trim().trim_start_matches("W/") == tag));
    let headers = [(ETAG, tag.as_str()), (CACHE_CONTROL, cache_control)];
    if matches {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(CONTENT_TYPE, media_type)], body.into()).into_response()
}

/// A strong entity tag: FNV-1a of the bytes. It only distinguishes versions of one file and gives no security.
fn tag(body: &[u8]) -> String {
    format!("\"{:016x}\"", super::artwork::fnv(body))
}
