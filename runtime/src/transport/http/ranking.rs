//! Routes of `/v1`: scores, top-k, pages.

use std::fmt::Write;

use http::{HeaderName, HeaderValue};
use hyper::body::Incoming;

use super::{
    Asked, body, encode,
    input::{self, PageInput, ScoreInput, TopKInput},
    problem::Problem,
    reply::Reply,
};
use crate::{
    service::types::{PageRequest, PageResponse, ScoreRequest, TopKRequest},
    transport::text::Text,
};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

impl Asked<'_> {
    pub(super) async fn score(&self, objective: &str, body: Incoming) -> Result<Reply, Problem> {
        let context = self.call.context()?;
        let body = body::read(&self.parts.headers, body, &self.shared.limits).await?;
        let ScoreInput { viewer, recent, titles } = input::json(&self.parts.headers, &body)?;
        let request = ScoreRequest { objective: Text::from(objective), viewer, recent, titles };
        let response = self.shared.service.score(&request, &context).await?;
        Ok(Reply::json(encode::scores(&response)))
    }

    pub(super) async fn top_k(&self, objective: &str, body: Incoming) -> Result<Reply, Problem> {
        let context = self.call.context()?;
        let body = body::read(&self.parts.headers, body, &self.shared.limits).await?;
        let TopKInput { viewer, recent, k, exclude, include_watched } =
            input::json(&self.parts.headers, &body)?;
        let objective = Text::from(objective);
        let request = TopKRequest { objective, viewer, recent, k, exclude, include_watched };
        let response = self.shared.service.top_k(&request, &context).await?;
        Ok(Reply::json(encode::top_k(&response)))
    }

    pub(super) async fn page(&self, surface: &str, body: Incoming) -> Result<Reply, Problem> {
        let context = self.call.context()?;
        let body = body::read(&self.parts.headers, body, &self.shared.limits).await?;
        let PageInput { viewer, recent } = input::json(&self.parts.headers, &body)?;
        let request = PageRequest { surface: Text::from(surface), viewer, recent };
        let response = self.shared.service.page(&request, &context).await?;
        let mut reply = Reply::json(encode::page(&response));
        if let Ok(value) = HeaderValue::from_str(&server_timing(&response)) {
            reply.header(SERVER_TIMING, value);
        }
        Ok(reply)
    }
}

/// Stages in the format of the header `Server-Timing`: `score;dur=0.042, assemble;dur=0.013` (milliseconds).
fn server_timing(response: &PageResponse) -> String {
    let mut text = String::with_capacity(response.timings.len() * 24);
    for (at, (stage, took)) in response.timings.iter().enumerate() {
        let micros = took.as_micros();
        let comma = if at == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{stage};dur={}.{:03}", micros / 1000, micros % 1000);
    }
    text
}
