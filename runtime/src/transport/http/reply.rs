//! An answer, before it gets the headers that every answer carries.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// The body of an answer: one buffer, or a stream from the preview.
pub enum Body {
    /// One buffer with a known length.
    Whole(Option<Bytes>),
    /// A stream from an axum handler.
    Streamed(axum::body::Body),
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Streamed(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Streamed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Streamed(body) => body.size_hint(),
        }
    }
}

/// The answer of a handler.
pub(super) struct Reply {
    /// 200 by default.
    pub(super) status: StatusCode,
    content_type: &'static str,
    /// In one piece.
    pub(super) body: Bytes,
    extra: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// An answer with status 200 and this body.
    pub(super) fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, content_type, body: body.into(), extra: Vec::new() }
    }

    /// An answer with status 200 and this JSON.
    pub(super) fn json(body: impl Into<Bytes>) -> Self {
        Self::new("application/json", body)
    }

    /// Adds a header.
    pub(super) fn header(&mut self, name: HeaderName, value: HeaderValue) {
        self.extra.push((name, value));
    }

    /// Converts to hyper's type. The body is one buffer, so hyper needs one write.
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
