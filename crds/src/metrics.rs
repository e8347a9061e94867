//! Names of the metrics that one side exports and the other reads. No metric name stands anywhere else.
//!
//! Form: `marquee_<room>_<what>_<unit>[_total]`. Label values come from enums or from the manifests, never from a
//! request, so that nobody outside can make a series.

/// Requests answered. Counter; labels `method`, `code`.
pub const REQUESTS: &str = "marquee_serving_requests_total";
/// Time from the last byte of a request to the first of its answer. Histogram, seconds; label `method`.
pub const REQUEST_SECONDS: &str = "marquee_serving_request_duration_seconds";
/// Requests being answered now. Gauge.
pub const IN_FLIGHT: &str = "marquee_serving_in_flight_requests";
/// Requests refused on purpose because too many were in flight. Counter; label `importance` (`page`, `top_k`, `score`).
pub const SHED: &str = "marquee_serving_shed_requests_total";
/// Connections open now. Gauge; label `listener` (`http`, `grpc`).
pub const CONNECTIONS: &str = "marquee_serving_open_connections";
/// Connections closed by the server before they were done. Counter; labels `listener`, `reason`.
pub const CONNECTIONS_CUT: &str = "marquee_serving_cut_connections_total";
/// Requests in one forward pass. Histogram; label `objective`.
pub const BATCH_SIZE: &str = "marquee_serving_batch_size_requests";
/// Requests waiting for admission. Gauge.
pub const QUEUE_DEPTH: &str = "marquee_serving_queue_depth_requests";
/// Rows in which a fallback stood. Counter; labels `surface`, `reason`.
pub const DEGRADED: &str = "marquee_pages_degraded_rows_total";
/// Artifacts asked for. Counter; label `outcome` (`loaded`, `reused`, `failed`).
pub const ARTIFACT_LOADS: &str = "marquee_artifacts_loads_total";
/// Times that the manifests were read again. Counter; label `outcome` (`changed`, `unchanged`, `failed`).
pub const RELOADS: &str = "marquee_serving_reloads_total";
/// 1 for each model served. Gauge; labels `objective`, `architecture`, `revision`.
pub const MODEL_INFO: &str = "marquee_models_info";
/// 1. Gauge; labels `version`, `arch`.
pub const BUILD_INFO: &str = "marquee_runtime_build_info";

/// Requests of pages to pods of models. Counter; labels `objective`, `revision`, `outcome` (`ok`, `deadline`, `shed`, `refused`,
/// `failed`, `unreachable`, `no_pod`).
pub const REMOTE_REQUESTS: &str = "marquee_rankers_requests_total";
/// Those of them that were tried again on another pod. Counter; label `objective`.
pub const REMOTE_RETRIES: &str = "marquee_rankers_retries_total";
/// Pods of models left alone for a while because they failed. Counter; label `objective`.
pub const EJECTIONS: &str = "marquee_rankers_ejections_total";
/// Pods of models that take requests. Gauge; labels `objective`, `revision`.
pub const ENDPOINTS: &str = "marquee_rankers_known_endpoints";
/// Traffic plans followed so far. Gauge.
pub const PLAN_GENERATION: &str = "marquee_discovery_plan_generation";
/// When the traffic plan in use came, in Unix time: `time()` minus this is its age. Gauge.
pub const PLAN_TIME: &str = "marquee_discovery_plan_timestamp_seconds";

/// Every name above, in the order of this file.
pub const ALL: [&str; 13] = [
    REQUESTS,
    REQUEST_SECONDS,
    IN_FLIGHT,
    SHED,
    CONNECTIONS,
    CONNECTIONS_CUT,
    BATCH_SIZE,
    QUEUE_DEPTH,
    DEGRADED,
    ARTIFACT_LOADS,
    RELOADS,
    MODEL_INFO,
    BUILD_INFO,
];
