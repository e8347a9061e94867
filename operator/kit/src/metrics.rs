//! The operator's metrics. They are built once and passed as an argument.

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

/// The names of the metrics. Each is documented where the operator declares it.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "a name means what the field of `Metrics` of the same name says")]
pub struct MetricNames {
    pub build_info: &'static str,
    pub resources: &'static str,
    pub revisions: &'static str,
    pub drift: &'static str,
    pub writes: &'static str,
    pub reconciles: &'static str,
    pub errors: &'static str,
    pub terminal_errors: &'static str,
    pub seconds: &'static str,
    pub max_concurrent: &'static str,
    pub active: &'static str,
    pub depth: &'static str,
    pub adds: &'static str,
    pub queue_seconds: &'static str,
    pub work_seconds: &'static str,
    pub unfinished: &'static str,
    pub longest: &'static str,
    pub retries: &'static str,
    pub requests: &'static str,
    pub request_seconds: &'static str,
    pub leader: &'static str,
}

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
    /// All of them, registered, with those of the process. `version` is the operator's.
    ///
    /// # Errors
    /// Two metrics have the same name: a defect.
    pub fn new(names: &MetricNames, version: &str) -> prometheus::Result<Self> {
        let registry = Registry::new();
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let build = gauge(&registry, names.build_info, "1", &["version"])?;
        build.with_label_values(&[version]).set(1);
        let r = &registry;
        Ok(Self {
            resources: gauge(
                r,
                names.resources,
                "Resources by condition",
                &["kind", "condition", "status", "reason"],
            )?,
            revisions: gauge(r, names.revisions, "Revisions that have pods", &["kind"])?,
            drift: counter(r, names.drift, "Children changed by hand and put back", &["kind"])?,
            writes: counter(r, names.writes, "Children written", &["kind", "verb"])?,
            reconciles: counter(r, names.reconciles, "Reconciles", &["controller", "result"])?,
            errors: counter(r, names.errors, "Reconciles that failed", &["controller"])?,
            terminal_errors: counter(
                r,
                names.terminal_errors,
                "Reconciles that wait for an edit",
                &["controller"],
            )?,
            seconds: histogram(r, names.seconds, "controller", SECONDS)?,
            max_concurrent: gauge(r, names.max_concurrent, "Most reconciles at a time", &["controller"])?,
            active: gauge(r, names.active, "Reconciles that run", &["controller"])?,
            depth: gauge(r, names.depth, "Resources that wait for a reconcile", &["name"])?,
            adds: counter(r, names.adds, "Resources queued", &["name"])?,
            queue_seconds: histogram(r, names.queue_seconds, "name", QUEUE_SECONDS)?,
            work_seconds: histogram(r, names.work_seconds, "name", QUEUE_SECONDS)?,
            unfinished: seconds_gauge(r, names.unfinished, "Time of work that is not over")?,
            longest: seconds_gauge(r, names.longest, "The longest work that is not over")?,
            retries: counter(r, names.retries, "Resources queued after a failure", &["name"])?,
            requests: counter(r, names.requests, "Requests to the API server", &["code", "method"])?,
            request_seconds: histogram(r, names.request_seconds, "verb", SECONDS)?,
            leader: gauge(r, names.leader, "Whether this process leads", &["name"])?,
            registry,
        })
    }

    /// All of them, as Prometheus reads them.
    ///
    /// # Errors
    /// A metric cannot be written: a defect.
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
pub(crate) mod tests {
    use super::*;

    /// Metrics under names that differ.
    pub(crate) fn metrics() -> Metrics {
        let names = MetricNames {
            build_info: "build_info",
            resources: "resources",
            revisions: "revisions",
            drift: "drift",
            writes: "writes",
            reconciles: "reconciles",
            errors: "errors",
            terminal_errors: "terminal_errors",
            seconds: "seconds",
            max_concurrent: "max_concurrent",
            active: "active",
            depth: "depth",
            adds: "adds",
            queue_seconds: "queue_seconds",
            work_seconds: "work_seconds",
            unfinished: "unfinished",
            longest: "longest",
            retries: "retries",
            requests: "requests",
            request_seconds: "request_seconds",
            leader: "leader",
        };
        Metrics::new(&names, "1").unwrap()
    }

    #[test]
    fn a_metric_stands_in_the_text_under_the_name_that_the_operator_gave() {
        let metrics = metrics();
        metrics.leader.with_label_values(&["lease"]).set(1);
        let text = String::from_utf8(metrics.text().unwrap()).unwrap();
        for line in ["build_info{version=\"1\"} 1", "leader{name=\"lease\"} 1"] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
