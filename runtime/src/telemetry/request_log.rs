//! A line a request, but never more than so many a second: a log must not be what fills the disk under load.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use super::{Code, Method, TraceContext};

/// What a line says.
pub struct RequestLine<'a> {
    /// What was asked.
    pub method: Method,
    /// How it ended.
    pub code: Code,
    /// Answered to the caller.
    pub request_id: &'a str,
    /// The trace it belongs to.
    pub trace: &'a TraceContext,
    /// Time to answer.
    pub took: Duration,
    /// What the caller was told, when it was an error.
    pub error: Option<&'a str>,
}

/// Lets through `per_second` lines a second and counts the others, which the next line tells.
pub struct RequestLog {
    per_second: u32,
    started: Instant,
    /// Second since `started` to which `left` belongs.
    second: AtomicU64,
    left: AtomicU32,
    suppressed: AtomicU64,
}

impl RequestLog {
    /// Lets through so many lines a second; 0 is none.
    pub fn new(per_second: u32) -> Self {
        let (second, left) = (AtomicU64::new(0), AtomicU32::new(per_second));
        Self { per_second, started: Instant::now(), second, left, suppressed: AtomicU64::new(0) }
    }

    /// Logs a request, if there is room in this second. Our own errors are warnings.
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

    /// How many lines were held back since the last, when this one may pass.
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
    fn what_is_over_the_rate_is_counted_and_told_later() {
        let log = RequestLog::new(2);
        let start = log.started;
        let at = |seconds: u64| log.admit(start + Duration::from_secs(seconds));
        assert_eq!([at(0), at(0), at(0), at(0)], [Some(0), Some(0), None, None]);
        assert_eq!([at(1), at(1), at(1)], [Some(2), Some(0), None], "the next second tells of the two");
    }

    #[test]
    fn a_rate_of_nothing_logs_nothing() {
        assert_eq!(RequestLog::new(0).admit(Instant::now()), None);
    }
}
