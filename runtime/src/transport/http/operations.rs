//! Routes for operations: liveness, readiness, status, metrics, and the OpenAPI document.

use super::{problem::Problem, reply::Reply};
use crate::{
    service::{Service, types::ServeError},
    telemetry::{Code, Metrics},
};

const OPEN_API: &str = include_str!("openapi.json");
const TEXT: &str = "text/plain; charset=utf-8";
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The methods of a path, with no body.
pub(super) fn options(allow: &'static str) -> Reply {
    let mut reply = Reply::new(TEXT, "");
    reply.status = http::StatusCode::NO_CONTENT;
    reply.header(http::header::ALLOW, http::HeaderValue::from_static(allow));
    reply
}

pub(super) fn open_api() -> Reply {
    Reply::json(OPEN_API)
}

pub(super) fn live() -> Reply {
    Reply::new(TEXT, "alive\n")
}

/// 200 if everything in the manifests is served and the process is not shutting down; otherwise 503 with the reasons.
pub(super) fn ready(service: &Service) -> Reply {
    if service.is_ready() {
        return Reply::new(TEXT, "ready\n");
    }
    let mut text = String::from("not ready\n");
    for reason in service.status().reasons {
        text.push_str(&reason);
        text.push('\n');
    }
    let mut reply = Reply::new(TEXT, text);
    reply.status = http::StatusCode::SERVICE_UNAVAILABLE;
    reply
}

pub(super) fn status(service: &Service) -> Result<Reply, Problem> {
    serde_json::to_vec_pretty(&service.status()).map(Reply::json).map_err(|error| internal(&error))
}

pub(super) fn metrics(metrics: &Metrics) -> Result<Reply, Problem> {
    metrics.encode().map(|text| Reply::new(EXPOSITION, text)).map_err(|error| internal(&error))
}

fn internal(error: &(dyn std::error::Error + 'static)) -> Problem {
    tracing::error!(error, "cannot write an answer");
    Problem::new(Code::Internal, ServeError::Internal.to_string())
}

#[cfg(test)]
mod tests;
