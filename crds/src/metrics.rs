//! Names of the metrics that one side exports and the other reads. No metric name stands anywhere else.

/// Requests answered, by `method` and `code`.
pub const REQUESTS: &str = "marquee_serving_requests_total";
/// Time to answer, in seconds, by `method`.
pub const REQUEST_SECONDS: &str = "marquee_serving_request_duration_seconds";
