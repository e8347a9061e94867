//! What all requests share, over HTTP and gRPC: an id, a trace context, a deadline, and an end that is counted and logged.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, header::HeaderName};

use super::Limits;
use crate::{
    service::{Service, types::RequestContext},
    telemetry::{Code, IdSource, InFlight, Method, Metrics, RequestLine, RequestLog, TraceContext},
};

/// Header with the id of a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Header with the trace context (W3C).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Header with the number of milliseconds that the caller waits.
pub const REQUEST_TIMEOUT_MS: HeaderName = HeaderName::from_static("x-request-timeout-ms");
/// Header with the time that the caller waits, as gRPC writes it: digits and one of `H M S m u n`.
pub const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

const LONGEST_REQUEST_ID: usize = 128;

/// Shared state of all listeners.
pub struct Shared {
    /// Answers the requests.
    pub service: Service,
    /// Counts the requests.
    pub metrics: Metrics,
    /// Limits the requests.
    pub limits: Limits,
    ids: IdSource,
    log: RequestLog,
}

/// One request, from its headers to its answer.
pub struct Call {
    /// Which method was called.
    pub method: Method,
    /// Id that the answer and the log line carry.
    pub request_id: HeaderValue,
    /// Trace context of the request.
    pub trace: TraceContext,
    started: Instant,
    deadline: Result<Option<Instant>, BadTimeout>,
    _in_flight: InFlight,
}

/// A malformed timeout header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTimeout {
    /// The header `x-request-timeout-ms`.
    #[error("header x-request-timeout-ms is not a number of milliseconds: write digits only, such as 250")]
    Millis,
    /// The header `grpc-timeout`.
    #[error(
        "header grpc-timeout is not a timeout: write up to 8 digits and one of H, M, S, m, u, n, such as 250m"
    )]
    Grpc,
}

impl Shared {
    /// State of listeners that pass requests to `service`.
    pub fn new(service: Service, metrics: Metrics, limits: Limits, log_requests: u32) -> Self {
        Self { service, metrics, limits, ids: IdSource::default(), log: RequestLog::new(log_requests) }
    }

    /// Starts a request with these headers (or gRPC metadata).
    pub fn begin(&self, method: Method, headers: &HeaderMap) -> Call {
        let started = Instant::now();
        Call {
            method,
            request_id: self.request_id(headers),
            trace: TraceContext::continue_from(
                headers.get(TRACEPARENT).map(HeaderValue::as_bytes),
                &self.ids,
            ),
            started,
            deadline: timeout(headers)
                .map(|timeout| timeout.and_then(|timeout| started.checked_add(timeout))),
            _in_flight: self.metrics.in_flight(),
        }
    }

    /// Ends a request, just before its answer is written.
    pub fn end(&self, call: &Call, code: Code, error: Option<&str>) {
        let now = Instant::now();
        let took = now - call.started;
        self.metrics.request(call.method, code, took.as_secs_f64());
        let request_id = call.request_id.to_str().unwrap_or_default();
        self.log.write(
            &RequestLine { method: call.method, code, request_id, trace: &call.trace, took, error },
            now,
        );
    }

    /// The caller's id if it fits into a log line, otherwise a new one.
    fn request_id(&self, headers: &HeaderMap) -> HeaderValue {
        let fits = |id: &&HeaderValue| {
            (1..=LONGEST_REQUEST_ID).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
        };
        headers.get(REQUEST_ID).filter(fits).cloned().unwrap_or_else(|| {
            let mut text = [0; 16];
            crate::telemetry::write_hex(&mut text, u128::from(self.ids.next()));
            HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static("0"))
        })
    }
}

impl Call {
    /// The context that the service receives.
    ///
    /// # Errors
    /// When a timeout header is malformed.
    pub fn context(&self) -> Result<RequestContext, BadTimeout> {
        Ok(RequestContext {
            request_id: self.request_id.to_str().unwrap_or_default().to_owned(),
            traceparent: Some(self.trace.to_string()),
            deadline: self.deadline?,
        })
    }

    /// Adds the headers that every answer carries.
    pub fn sign(&self, headers: &mut HeaderMap) {
        headers.insert(REQUEST_ID, self.request_id.clone());
        if let Ok(value) = HeaderValue::from_bytes(&self.trace.header()) {
            headers.insert(TRACEPARENT, value);
        }
    }
}

/// How long the caller waits: the shorter time of both headers.
fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, BadTimeout> {
    let read =
        |name: HeaderName, parse: fn(&str) -> Option<Duration>, error: BadTimeout| match headers.get(name) {
            None => Ok(None),
            Some(value) => value.to_str().ok().and_then(parse).map(Some).ok_or(error),
        };
    let millis = read(REQUEST_TIMEOUT_MS, millis, BadTimeout::Millis)?;
    let grpc = read(GRPC_TIMEOUT, grpc_timeout, BadTimeout::Grpc)?;
    Ok(match (millis, grpc) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    })
}

fn millis(text: &str) -> Option<Duration> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok().map(Duration::from_millis)).flatten()
}

fn grpc_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let n: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(n * 3600),
        "M" => Duration::from_secs(n * 60),
        "S" => Duration::from_secs(n),
        "m" => Duration::from_millis(n),
        "u" => Duration::from_micros(n),
        "n" => Duration::from_nanos(n),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs = &'static [(&'static str, &'static str)];
    type Read = Result<Option<Duration>, BadTimeout>;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_timeout_is_read_from_either_header() {
        const MILLIS: &str = "x-request-timeout-ms";
        const GRPC: &str = "grpc-timeout";
        let ms = |n| Ok(Some(Duration::from_millis(n)));
        #[rustfmt::skip]
        let cases: [(&str, Pairs, Read); 11] = [
            ("none",                     &[],                                Ok(None)),
            ("milliseconds",             &[(MILLIS, "250")],                 ms(250)),
            ("nothing left",             &[(MILLIS, "0")],                   ms(0)),
            ("gRPC's milliseconds",      &[(GRPC, "250m")],                  ms(250)),
            ("gRPC's minutes",           &[(GRPC, "2M")],                    ms(120_000)),
            ("the shorter of both",      &[(MILLIS, "300"), (GRPC, "200m")], ms(200)),
            ("a sign",                   &[(MILLIS, "-1")],                  Err(BadTimeout::Millis)),
            ("a fraction",               &[(MILLIS, "1.5")],                 Err(BadTimeout::Millis)),
            ("no unit",                  &[(GRPC, "250")],                   Err(BadTimeout::Grpc)),
            ("more digits than gRPC has", &[(GRPC, "123456789m")],           Err(BadTimeout::Grpc)),
            ("empty",                    &[(GRPC, "")],                      Err(BadTimeout::Grpc)),
        ];
        for (why, pairs, expected) in cases {
            let map = pairs.iter().map(|(name, value)| {
                (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
            });
            assert_eq!(timeout(&map.collect()), expected, "{why}");
        }
    }

    #[test]
    fn a_request_id_is_kept_only_when_it_can_stand_in_a_log_line() {
        let limits = super::super::tests::limits();
        let service = Service::new(std::sync::Arc::new(crate::service::Unobserved));
        let shared = Shared::new(service, Metrics::new().unwrap(), limits, 0);
        let id = |map: &HeaderMap| shared.begin(Method::HttpPage, map).request_id;
        assert_eq!(id(&headers(&[("x-request-id", "order-66")])), "order-66");
        for (why, given) in [("a space", "a b"), ("nothing", ""), ("too long", &*"x".repeat(129))] {
            let mut map = HeaderMap::new();
            map.insert(REQUEST_ID, HeaderValue::from_str(given).unwrap());
            assert_eq!(id(&map).len(), 16, "{why}");
        }
        assert_ne!(id(&HeaderMap::new()), id(&HeaderMap::new()), "made ids differ");
    }
}
