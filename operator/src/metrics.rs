//! What the operator counts. Built once and handed in.

use marquee_crds::metrics as names;
use prometheus::{
    Encoder as _, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry,
    TextEncoder, core::Collector,
};

/// Buckets of a reconcile's time, as every operator's dashboards know them.
const SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25,
    1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0,
    50.0, 60.0,
];
const QUEUE_SECONDS: &[f64] = &[1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0];

/// Every metric of the operator.
pub struct Metrics {
    registry: Registry,
    /// Resources by condition, its status and reason.
    pub resources: IntGaugeVec,
    /// Revisions by kind.
    pub revisions: IntGaugeVec,
    /// Children put back, by kind.
    pub drift: IntCounterVec,
    /// Children written, by kind and verb.
    pub writes: IntCounterVec,
    /// Reconciles by result.
    pub reconciles: IntCounterVec,
    /// Reconciles that failed.
    pub errors: IntCounterVec,
    /// Reconciles that wait for an edit.
    pub terminal_errors: IntCounterVec,
    /// Time of reconciles.
    pub seconds: HistogramVec,
    /// Most reconciles at a time.
    pub max_concurrent: IntGaugeVec,
    /// Reconciles under way.
    pub active: IntGaugeVec,
    /// Resources that wait.
    pub depth: IntGaugeVec,
    /// Resources queued.
    pub adds: IntCounterVec,
    /// Time waited.
    pub queue_seconds: HistogramVec,
    /// Time worked.
    pub work_seconds: HistogramVec,
    /// Time of work that is not over.
    pub unfinished: GaugeVec,
    /// The longest of it.
    pub longest: GaugeVec,
    /// Queued again after a failure.
    pub retries: IntCounterVec,
    /// Requests to the API server.
    pub requests: IntCounterVec,
    /// Time until it answered.
    pub request_seconds: HistogramVec,
    /// Whether this process leads.
    pub leader: IntGaugeVec,
}

impl Metrics {
    /// All of them, registered, with those of the process.
    ///
    /// # Errors
    /// Two metrics of one name: a defect.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let build = gauge(&registry, names::OPERATOR_BUILD_INFO, "1", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let r = &registry;
        Ok(Self {
            resources: gauge(
                r,
                names::RESOURCES,
                "Resources by what is said",
                &["kind", "condition", "status", "reason"],
            )?,
            revisions: gauge(r, names::REVISIONS, "Revisions that have pods", &["kind"])?,
            drift: counter(r, names::DRIFT_MENDED, "Children changed by hand and put back", &["kind"])?,
            writes: counter(r, names::CHILDREN_WRITTEN, "Children written", &["kind", "verb"])?,
            reconciles: counter(r, names::RECONCILES, "Reconciles", &["controller", "result"])?,
            errors: counter(r, names::RECONCILE_ERRORS, "Reconciles that failed", &["controller"])?,
            terminal_errors: counter(
                r,
                names::RECONCILE_TERMINAL_ERRORS,
                "Reconciles that wait for an edit",
                &["controller"],
            )?,
            seconds: histogram(r, names::RECONCILE_SECONDS, "controller", SECONDS)?,
            max_concurrent: gauge(r, names::MAX_RECONCILES, "Most reconciles at a time", &["controller"])?,
            active: gauge(r, names::ACTIVE_WORKERS, "Reconciles that run", &["controller"])?,
            depth: gauge(r, names::WORKQUEUE_DEPTH, "Resources that wait for a reconcile", &["name"])?,
            adds: counter(r, names::WORKQUEUE_ADDS, "Resources queued", &["name"])?,
            queue_seconds: histogram(r, names::WORKQUEUE_SECONDS, "name", QUEUE_SECONDS)?,
            work_seconds: histogram(r, names::WORK_SECONDS, "name", QUEUE_SECONDS)?,
            unfinished: seconds_gauge(r, names::UNFINISHED_SECONDS, "Time of work that is not over")?,
            longest: seconds_gauge(r, names::LONGEST_SECONDS, "The longest work that is not over")?,
            retries: counter(r, names::WORKQUEUE_RETRIES, "Resources queued after a failure", &["name"])?,
            requests: counter(r, names::API_REQUESTS, "Requests to the API server", &["code", "method"])?,
            request_seconds: histogram(r, names::API_SECONDS, "verb", SECONDS)?,
            leader: gauge(r, names::LEADING, "Whether this process leads", &["name"])?,
            registry,
        })
    }

    /// All of them, as Prometheus reads them.
    ///
    /// # Errors
    /// A metric that cannot be written: a defect.
    pub fn text(&self) -> prometheus::Result<Vec<u8>> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, metric: C) -> prometheus::Result<C> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn counter(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> prometheus::Result<IntCounterVec> {
    registered(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

fn gauge(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
    registered(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

fn seconds_gauge(registry: &Registry, name: &str, help: &str) -> prometheus::Result<GaugeVec> {
    registered(registry, GaugeVec::new(Opts::new(name, help), &["name"])?)
}

fn histogram(
    registry: &Registry,
    name: &str,
    label: &str,
    buckets: &[f64],
) -> prometheus::Result<HistogramVec> {
    let options = HistogramOpts::new(name, "Time in seconds").buckets(buckets.to_vec());
    registered(registry, HistogramVec::new(options, &[label])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_contract_is_registered_once() {
        let metrics = Metrics::new().unwrap();
        metrics.leader.with_label_values(&["lease"]).set(1);
        let text = String::from_utf8(metrics.text().unwrap()).unwrap();
        for name in [names::OPERATOR_BUILD_INFO, names::LEADING] {
            assert!(text.contains(&format!("\n{name}{{")) || text.starts_with(name), "{name}: {text}");
        }
    }
}
