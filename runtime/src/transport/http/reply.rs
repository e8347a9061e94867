//! An answer before it has the headers that every answer carries.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::body::Body;

/// What a handler answers.
pub(super) struct Reply {
    /// 200 unless set.
    pub(super) status: StatusCode,
    content_type: &'static str,
    body: Bytes,
    extra: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// 200 with this body.
    pub(super) fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, content_type, body: body.into(), extra: Vec::new() }
    }

    /// 200 with this JSON.
    pub(super) fn json(body: impl Into<Bytes>) -> Self {
        Self::new("application/json", body)
    }

    /// Adds a header.
    pub(super) fn header(&mut self, name: HeaderName, value: HeaderValue) {
        self.extra.push((name, value));
    }

    /// As hyper writes it: one buffer, so one write.
    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::Whole(Some(self.body)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.reserve(4 + self.extra.len());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.extend(self.extra);
        response
    }
}
