//! Reads the body of a request.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::{encoding::Encoding, problem::Problem};
use crate::{telemetry::Code, transport::Limits};

/// Reads the body of a request within the limits of size and time.
pub(super) async fn read(headers: &HeaderMap, body: Incoming, limits: &Limits) -> Result<Bytes, Problem> {
    let declared =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limits.max_body) {
        return Err(Problem::too_large(limits, ""));
    }
    let encoding = Encoding::of_request(headers)?;
    let body = timeout(limits.body_timeout, collect(body, limits)).await.unwrap_or_else(|_| {
        Err(Problem::new(
            Code::BodyTimeout,
            format!(
                "the body did not arrive within {:?}: send it faster, or raise --body-timeout",
                limits.body_timeout
            ),
        ))
    })?;
    match encoding {
        None => Ok(body),
        Some(encoding) => encoding.decode(body, limits).await,
    }
}

async fn collect(mut body: Incoming, limits: &Limits) -> Result<Bytes, Problem> {
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Problem::new(Code::Invalid, "the connection ended before the body was complete".into())
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.is_empty() && parts.is_empty() {
            // Nearly every body arrives in one piece, which is used without a copy.
            whole = data;
        } else {
            parts.extend_from_slice(&std::mem::take(&mut whole));
            parts.extend_from_slice(&data);
        }
        if whole.len() + parts.len() > limits.max_body {
            return Err(Problem::too_large(limits, ""));
        }
    }
    Ok(if parts.is_empty() { whole } else { parts.freeze() })
}
