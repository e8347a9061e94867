//! Bodies in and out.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::timeout;

use super::problem::Problem;
use crate::{telemetry::Code, transport::Limits};

/// The body of an answer: one buffer, or whatever the preview streams.
pub enum Body {
    /// Written in one piece, with its length.
    Whole(Option<Bytes>),
    /// From an axum handler.
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

/// Reads a request's body, of the size and in the time that the limits allow.
pub(super) async fn read(headers: &HeaderMap, body: Incoming, limits: &Limits) -> Result<Bytes, Problem> {
    let declared =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limits.max_body) {
        return Err(too_large(limits));
    }
    timeout(limits.body_timeout, collect(body, limits)).await.unwrap_or_else(|_| {
        Err(Problem::new(
            Code::BodyTimeout,
            format!("the body did not come within {:?}", limits.body_timeout),
        ))
    })
}

async fn collect(mut body: Incoming, limits: &Limits) -> Result<Bytes, Problem> {
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| Problem::new(Code::Invalid, "the body broke off before its end".into()))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.is_empty() && parts.is_empty() {
            // Nearly every body comes in one piece, which is then used where it lies.
            whole = data;
        } else {
            parts.extend_from_slice(&std::mem::take(&mut whole));
            parts.extend_from_slice(&data);
        }
        if whole.len() + parts.len() > limits.max_body {
            return Err(too_large(limits));
        }
    }
    Ok(if parts.is_empty() { whole } else { parts.freeze() })
}

fn too_large(limits: &Limits) -> Problem {
    let detail =
        format!("the body is over {} bytes: send fewer titles, or raise --max-body", limits.max_body);
    Problem::new(Code::TooLarge, detail)
}
