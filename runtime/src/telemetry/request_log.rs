//! One log line for each request, up to a limit per second: under load, logs must not fill the disk.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use super::{Code, Method, TraceContext};

/// Content of a log line.
pub struct RequestLine<'a> {
    /// Method of the request.
    pub method: Method,
    /// How the request ended.
    pub code: Code,
    /// The id that the response has too.
    pub request_id: &'a str,
    /// The trace it belongs to.
    pub trace: &'a TraceContext,
    /// Time to answer.
    pub took: Duration,
    /// The error message of the response, if it was an error.
    pub error: Option<&'a str>,
}

/// Writes at most `per_second` lines a second. Each line has the number of lines suppressed before it.
pub struct RequestLog {
    per_second: u32,
    started: Instant,
    /// Second since `started` to which `left` belongs.
    second: AtomicU64,
    left: AtomicU32,
    suppressed: AtomicU64,
}

impl RequestLog {
    /// Writes at most so many lines a second; 0 turns the log off.
    pub fn new(per_second: u32) -> Self {
        let (second, left) = (AtomicU64::new(0), AtomicU32::new(per_second));
        Self { per_second, started: Instant::now(), second, left, suppressed: AtomicU64::new(0) }
    }

    /// Logs a request, unless this second's limit is reached. Internal errors are warnings.
    pub fn write(&self, line: &RequestLine<'_>, now: Instant) {
        let Some(suppressed) = self.admit(now) else { return };
        let (method, code) = (line.method.as_str(), line.code.as_str());
        let (request_id, error) = (line.request_id, line.error);
        let (trace_id, seconds) = (format!("{:032x}", line.trace.trace_id), line.took.as_secs_f64());
        if matches!(line.code, Code::Internal) {
            tracing::warn!(method, code, request_id, trace_id, seconds, error, suppressed, "request failed");
        } else {
            tracing::info!(method, code, request_id, trace_id, seconds, error, suppressed, "request");
        }
    }

    /// The number of lines suppressed since the last one, if a line may be written now.
    fn admit(&self, now: Instant) -> Option<u64> {
        let second = now.saturating_duration_since(self.started).as_secs();
        if self.second.swap(second, Ordering::Relaxed) != second {
            self.left.store(self.per_second, Ordering::Relaxed);
        }
        let take = |left: u32| left.checked_sub(1);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
            return Some(self.suppressed.swap(0, Ordering::Relaxed));
        }
        self.suppressed.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_over_the_limit_are_counted_and_reported_later() {
        let log = RequestLog::new(2);
        let start = log.started;
        let at = |seconds: u64| log.admit(start + Duration::from_secs(seconds));
        assert_eq!([at(0), at(0), at(0), at(0)], [Some(0), Some(0), None, None]);
        assert_eq!([at(1), at(1), at(1)], [Some(2), Some(0), None], "the next second reports the two");
    }

    #[test]
    fn a_limit_of_zero_logs_nothing() {
        assert_eq!(RequestLog::new(0).admit(Instant::now()), None);
    }
}
