//! Names of all metrics. No other file contains a metric name.
//!
//! Form: `marquee_<room>_<what>_<unit>[_total]`. Label values come from enums or from manifests, never from a request, so
//! that callers cannot create series.

/// Requests answered. Counter; labels `method`, `code`.
pub const REQUESTS: &str = "marquee_serving_requests_total";
/// Time from the last byte of a request to the first byte of its answer. Histogram, seconds; label `method`.
pub const REQUEST_SECONDS: &str = "marquee_serving_request_duration_seconds";
/// Requests in progress. Gauge.
pub const IN_FLIGHT: &str = "marquee_serving_in_flight_requests";
/// Requests refused because too many were in flight. Counter; label `importance` (`page`, `top_k`, `score`).
pub const SHED: &str = "marquee_serving_shed_requests_total";
/// Open connections. Gauge; label `listener` (`http`, `grpc`).
pub const CONNECTIONS: &str = "marquee_serving_open_connections";
/// Connections that the server closed early. Counter; labels `listener`, `reason`.
pub const CONNECTIONS_CUT: &str = "marquee_serving_cut_connections_total";
/// Requests in one forward pass. Histogram; label `objective`.
pub const BATCH_SIZE: &str = "marquee_serving_batch_size_requests";
/// Requests waiting for admission. Gauge.
pub const QUEUE_DEPTH: &str = "marquee_serving_queue_depth_requests";
/// Rows filled by a fallback. Counter; labels `surface`, `reason`.
pub const DEGRADED: &str = "marquee_pages_degraded_rows_total";
/// Artifact loads. Counter; label `outcome` (`loaded`, `reused`, `failed`).
pub const ARTIFACT_LOADS: &str = "marquee_artifacts_loads_total";
/// Reloads of the manifests. Counter; label `outcome` (`changed`, `unchanged`, `failed`).
pub const RELOADS: &str = "marquee_serving_reloads_total";
/// 1 for each model served. Gauge; labels `objective`, `architecture`, `revision`.
pub const MODEL_INFO: &str = "marquee_models_info";
/// 1. Gauge; labels `version`, `arch`.
pub const BUILD_INFO: &str = "marquee_runtime_build_info";

/// Queries from pages to remote rankers. Counter; labels `objective`, `revision`, `outcome` (`ok`, `deadline`, `shed`, `refused`,
/// `failed`, `unreachable`, `no_pod`).
pub const REMOTE_REQUESTS: &str = "marquee_rankers_requests_total";
/// Queries to remote rankers that were retried on another pod. Counter; label `objective`.
pub const REMOTE_RETRIES: &str = "marquee_rankers_retries_total";
/// Ranker pods that were ejected for a while after failures. Counter; label `objective`.
pub const EJECTIONS: &str = "marquee_rankers_ejections_total";
/// Ranker pods that accept queries. Gauge; labels `objective`, `revision`.
pub const ENDPOINTS: &str = "marquee_rankers_known_endpoints";
/// Number of traffic plans used so far. Gauge.
pub const PLAN_GENERATION: &str = "marquee_discovery_plan_generation";
/// Arrival of the current traffic plan in Unix time; `time()` minus this is its age. Gauge.
pub const PLAN_TIME: &str = "marquee_discovery_plan_timestamp_seconds";

/// All metrics of the runtime, in the order of this file.
pub const ALL: [&str; 19] = [
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
    REMOTE_REQUESTS,
    REMOTE_RETRIES,
    EJECTIONS,
    ENDPOINTS,
    PLAN_GENERATION,
    PLAN_TIME,
];

// The operator uses the names of controller-runtime where they exist, so that existing dashboards work.

/// Reconciles. Counter; labels `controller`, `result` (`success`, `error`, `requeue`, `requeue_after`).
pub const RECONCILES: &str = "controller_runtime_reconcile_total";
/// Reconciles that failed. Counter; label `controller`.
pub const RECONCILE_ERRORS: &str = "controller_runtime_reconcile_errors_total";
/// Time of a reconcile. Histogram, seconds; label `controller`.
pub const RECONCILE_SECONDS: &str = "controller_runtime_reconcile_time_seconds";
/// Reconciles that failed until somebody edits the resource. Counter; label `controller`.
pub const RECONCILE_TERMINAL_ERRORS: &str = "controller_runtime_terminal_reconcile_errors_total";
/// Maximum number of concurrent reconciles. Gauge; label `controller`.
pub const MAX_RECONCILES: &str = "controller_runtime_max_concurrent_reconciles";
/// Running reconciles. Gauge; label `controller`.
pub const ACTIVE_WORKERS: &str = "controller_runtime_active_workers";
/// Resources in the queue. Gauge; label `name` (the controller).
pub const WORKQUEUE_DEPTH: &str = "workqueue_depth";
/// Resources added to the queue. Counter; label `name`.
pub const WORKQUEUE_ADDS: &str = "workqueue_adds_total";
/// Time that a resource waited in the queue. Histogram, seconds; label `name`.
pub const WORKQUEUE_SECONDS: &str = "workqueue_queue_duration_seconds";
/// Duration of a reconcile taken from the queue. Histogram, seconds; label `name`.
pub const WORK_SECONDS: &str = "workqueue_work_duration_seconds";
/// Total duration so far of running reconciles. Gauge, seconds; label `name`.
pub const UNFINISHED_SECONDS: &str = "workqueue_unfinished_work_seconds";
/// Duration so far of the longest running reconcile. Gauge, seconds; label `name`.
pub const LONGEST_SECONDS: &str = "workqueue_longest_running_processor_seconds";
/// Retries after a failed reconcile. Counter; label `name`.
pub const WORKQUEUE_RETRIES: &str = "workqueue_retries_total";
/// Requests to the API server. Counter; labels `code`, `method`.
pub const API_REQUESTS: &str = "rest_client_requests_total";
/// Time of a request to the API server. Histogram, seconds; label `verb`.
pub const API_SECONDS: &str = "rest_client_request_duration_seconds";
/// 1 if this operator is the leader. Gauge; label `name` (the Lease).
pub const LEADING: &str = "leader_election_master_status";
/// Resources by condition. Gauge; labels `kind`, `condition`, `status` (`True`, `False`, `Unknown`), `reason`.
pub const RESOURCES: &str = "marquee_operator_resources";
/// Revisions that have pods. Gauge; label `kind`.
pub const REVISIONS: &str = "marquee_operator_revisions";
/// Children that somebody changed by hand and that the operator corrected. Counter; label `kind` (the child's).
pub const DRIFT_MENDED: &str = "marquee_operator_drift_mended_total";
/// Children written. Counter; labels `kind` (the child's), `verb` (`create`, `patch`, `delete`).
pub const CHILDREN_WRITTEN: &str = "marquee_operator_children_written_total";
/// 1. Gauge; label `version`.
pub const OPERATOR_BUILD_INFO: &str = "marquee_operator_build_info";

/// All metrics of the operator, in the order of this file.
pub const OF_THE_OPERATOR: [&str; 21] = [
    RECONCILES,
    RECONCILE_ERRORS,
    RECONCILE_SECONDS,
    RECONCILE_TERMINAL_ERRORS,
    MAX_RECONCILES,
    ACTIVE_WORKERS,
    WORKQUEUE_DEPTH,
    WORKQUEUE_ADDS,
    WORKQUEUE_SECONDS,
    WORK_SECONDS,
    UNFINISHED_SECONDS,
    LONGEST_SECONDS,
    WORKQUEUE_RETRIES,
    API_REQUESTS,
    API_SECONDS,
    LEADING,
    RESOURCES,
    REVISIONS,
    DRIFT_MENDED,
    CHILDREN_WRITTEN,
    OPERATOR_BUILD_INFO,
];
