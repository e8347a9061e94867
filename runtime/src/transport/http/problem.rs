//! Errors as callers see them: problem details (RFC 9457), or the error format of the Open Inference Protocol.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::reply::Reply;
use crate::{
    service::types::ServeError,
    telemetry::Code,
    transport::{Limits, call::BadTimeout},
};

/// The error of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Kind of error; it decides the status.
    pub code: Code,
    /// Text for the caller: what was expected, what was found, and what to do.
    pub detail: String,
    /// Time after which the caller may try again.
    pub retry_after: Option<Duration>,
    /// What the caller may use instead, such as `allow` with the methods of the route.
    pub header: Option<(HeaderName, &'static str)>,
    /// All routes, if no route has the path.
    pub routes: Option<Vec<String>>,
}

/// The error format of a family of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `application/problem+json`.
    Problem,
    /// `{"error": "…"}`, the format of the Open Inference Protocol.
    Inference,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    routes: Option<&'a [String]>,
}

#[derive(Serialize)]
struct InferenceError<'a> {
    error: &'a str,
}

impl Problem {
    /// A body over the limit. `when` is empty or ` after decompression`.
    pub(super) fn too_large(limits: &Limits, when: &str) -> Self {
        let Limits { max_body, max_body_setting, .. } = limits;
        let detail = format!(
            "the body is over {max_body} bytes{when}: send fewer titles, or raise {max_body_setting}"
        );
        Self::new(Code::TooLarge, detail)
    }

    /// A problem with a code and a detail only.
    pub fn new(code: Code, detail: String) -> Self {
        Self { code, detail, retry_after: None, header: None, routes: None }
    }

    /// The problem of a path without a route.
    pub(super) fn no_route(routes: Vec<String>) -> Self {
        let detail = "no route has this path: see the list in `routes`".to_owned();
        Self { routes: Some(routes), ..Self::new(Code::NotFound, detail) }
    }

    /// The problem of an invalid request.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Code::Invalid, detail.into())
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self.code {
            Code::Ok => StatusCode::OK,
            Code::Invalid => StatusCode::BAD_REQUEST,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::Shed => StatusCode::TOO_MANY_REQUESTS,
            Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
            Code::Changed => StatusCode::CONFLICT,
            Code::Unsupported => StatusCode::NOT_IMPLEMENTED,
            Code::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer with this problem.
    pub(super) fn reply(&self, style: Style, request_id: &str) -> Reply {
        let status = self.status();
        let (content_type, body) = match style {
            Style::Problem => {
                ("application/problem+json", serde_json::to_vec(&self.details(status, request_id)))
            }
            Style::Inference => {
                ("application/json", serde_json::to_vec(&InferenceError { error: &self.detail }))
            }
        };
        let mut reply = Reply::new(content_type, body.unwrap_or_default());
        reply.status = status;
        if let Some(after) = self.retry_after {
            // The header has whole seconds: fractions are rounded up.
            reply.header(
                header::RETRY_AFTER,
                HeaderValue::from(after.as_millis().div_ceil(1000).max(1) as u64),
            );
        }
        if let Some((name, value)) = &self.header {
            reply.header(name.clone(), HeaderValue::from_static(value));
        }
        reply
    }

    fn details<'a>(&'a self, status: StatusCode, request_id: &'a str) -> Details<'a> {
        Details {
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code: self.code.as_str(),
            detail: &self.detail,
            request_id,
            retry_after_ms: self.retry_after.map(|after| after.as_millis()),
            routes: self.routes.as_deref(),
        }
    }
}

/// The code of each error of the service, over HTTP and gRPC.
pub(in crate::transport) fn code(error: &ServeError) -> Code {
    match error {
        ServeError::Invalid(_) => Code::Invalid,
        ServeError::NotFound(_) => Code::NotFound,
        ServeError::Shed { .. } => Code::Shed,
        ServeError::DeadlineExceeded => Code::DeadlineExceeded,
        ServeError::Changed(_) => Code::Changed,
        ServeError::NotReady(_) => Code::NotReady,
        ServeError::Internal => Code::Internal,
    }
}

impl From<ServeError> for Problem {
    fn from(error: ServeError) -> Self {
        let retry_after = match error {
            ServeError::Shed { retry_after, .. } => Some(retry_after),
            _ => None,
        };
        Self { retry_after, ..Self::new(code(&error), error.to_string()) }
    }
}

impl From<BadTimeout> for Problem {
    fn from(error: BadTimeout) -> Self {
        Self::invalid(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shed_says_when_to_try_again() {
        #[rustfmt::skip]
        let cases = [
            ("a header has whole seconds, at least one", 50,   "1"),
            ("and is never earlier than meant",          1250, "2"),
        ];
        for (why, millis, seconds) in cases {
            let retry_after = Duration::from_millis(millis);
            let problem = Problem::from(ServeError::Shed { in_flight: 64, retry_after });
            assert_eq!(problem.status(), StatusCode::TOO_MANY_REQUESTS);
            let response = problem.reply(Style::Problem, "a").into_response();
            assert_eq!(response.headers()[header::RETRY_AFTER], seconds, "{why}");
            let details = problem.details(problem.status(), "a");
            assert_eq!((details.retry_after_ms, details.code), (Some(u128::from(millis)), "Shed"));
        }
    }

    #[test]
    fn each_error_has_its_status() {
        #[rustfmt::skip]
        let cases = [
            (ServeError::Invalid("k is 0".into()),       400, "Invalid"),
            (ServeError::NotFound("no model".into()),    404, "NotFound"),
            (ServeError::DeadlineExceeded,               504, "DeadlineExceeded"),
            (ServeError::NotReady("loading".into()),     503, "NotReady"),
            (ServeError::Internal,                       500, "Internal"),
        ];
        for (error, status, code) in cases {
            assert_eq!(error.reason(), code, "one word for metrics, logs and answers");
            let problem = Problem::from(error);
            assert_eq!((problem.status().as_u16(), problem.code.as_str()), (status, code));
        }
    }
}
