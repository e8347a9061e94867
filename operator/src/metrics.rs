//! The operator's metrics, under the names of the contract.

use marquee_crds::metrics as names;
use marquee_operator_kit::metrics::{MetricNames, Metrics};

const NAMES: MetricNames = MetricNames {
    build_info: names::OPERATOR_BUILD_INFO,
    resources: names::RESOURCES,
    revisions: names::REVISIONS,
    drift: names::DRIFT_MENDED,
    writes: names::CHILDREN_WRITTEN,
    reconciles: names::RECONCILES,
    errors: names::RECONCILE_ERRORS,
    terminal_errors: names::RECONCILE_TERMINAL_ERRORS,
    seconds: names::RECONCILE_SECONDS,
    max_concurrent: names::MAX_RECONCILES,
    active: names::ACTIVE_WORKERS,
    depth: names::WORKQUEUE_DEPTH,
    adds: names::WORKQUEUE_ADDS,
    queue_seconds: names::WORKQUEUE_SECONDS,
    work_seconds: names::WORK_SECONDS,
    unfinished: names::UNFINISHED_SECONDS,
    longest: names::LONGEST_SECONDS,
    retries: names::WORKQUEUE_RETRIES,
    requests: names::API_REQUESTS,
    request_seconds: names::API_SECONDS,
    leader: names::LEADING,
};

/// All metrics, registered.
///
/// # Errors
/// Two metrics have the same name: a defect.
pub fn metrics() -> prometheus::Result<Metrics> {
    Metrics::new(&NAMES, env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_contract_is_registered_once() {
        let metrics = metrics().unwrap();
        metrics.leader.with_label_values(&["lease"]).set(1);
        let text = String::from_utf8(metrics.text().unwrap()).unwrap();
        for name in [names::OPERATOR_BUILD_INFO, names::LEADING] {
            assert!(text.contains(&format!("\n{name}{{")) || text.starts_with(name), "{name}: {text}");
        }
    }
}
