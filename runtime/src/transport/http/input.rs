//! Request bodies of `/v1`. They borrow from the request buffer.

use http::{HeaderMap, header};
use serde::{Deserialize, Deserializer};

use super::problem::Problem;
use crate::{telemetry::Code, transport::text::Text};

/// Body of `POST /v1/objectives/{objective}/score`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ScoreInput<'a> {
    #[serde(borrow, default, deserialize_with = "null_is_absent")]
    pub(super) viewer: Text<'a>,
    #[serde(borrow, default, deserialize_with = "null_is_absent")]
    pub(super) recent: Vec<Text<'a>>,
    #[serde(borrow, deserialize_with = "null_is_absent")]
    pub(super) titles: Vec<Text<'a>>,
}

/// Body of `POST /v1/objectives/{objective}/top-k`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TopKInput<'a> {
    #[serde(borrow, default, deserialize_with = "null_is_absent")]
    pub(super) viewer: Text<'a>,
    #[serde(borrow, default, deserialize_with = "null_is_absent")]
    pub(super) recent: Vec<Text<'a>>,
    pub(super) k: usize,
    #[serde(borrow, default, deserialize_with = "null_is_absent")]
    pub(super) exclude: Vec<Text<'a>>,
    #[serde(default, deserialize_with = "null_is_absent")]
    pub(super) include_watched: bool,
}

/// Body of `POST /v1/surfaces/{surface}/page`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PageInput<'a> {
    #[serde(borrow, default, deserialize_with = "null_is_absent")]
    pub(super) viewer: Text<'a>,
    #[serde(borrow, default, deserialize_with = "null_is_absent")]
    pub(super) recent: Vec<Text<'a>>,
}

/// Reads a member that may be `null`, which many clients send for an absent member.
pub(super) fn null_is_absent<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a JSON body.
pub(super) fn json<'a, T: Deserialize<'a>>(headers: &HeaderMap, body: &'a [u8]) -> Result<T, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes());
    if !content_type.is_some_and(is_json) {
        let found = content_type.map_or("missing".into(), String::from_utf8_lossy);
        let detail = format!("content-type is {found}: send application/json");
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    parse(text(body)?)
}

/// The body as a string.
pub(super) fn text(body: &[u8]) -> Result<&str, Problem> {
    str::from_utf8(body).map_err(|error| {
        Problem::invalid(format!("the body is not UTF-8: invalid byte at offset {}", error.valid_up_to()))
    })
}

/// Reads JSON.
pub(super) fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    if text.is_empty() {
        return Err(Problem::invalid("the body is empty: send a JSON object"));
    }
    serde_json::from_str(text).map_err(|error| Problem::invalid(format!("cannot parse the body: {error}")))
}

/// Whether the type is `application/json`, with or without parameters.
fn is_json(content_type: &[u8]) -> bool {
    const JSON: &[u8] = b"application/json";
    let (head, rest) = content_type.split_at(content_type.len().min(JSON.len()));
    head.eq_ignore_ascii_case(JSON) && rest.first().is_none_or(|byte| matches!(byte, b';' | b' '))
}
