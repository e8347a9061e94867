//! Prometheus metrics. Requests use counters that were looked up in advance.

use std::sync::{Arc, OnceLock};

use marquee_crds::metrics as names;
use parking_lot::Mutex;
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder, core::Collector,
};

use super::labels::{Code, CutReason, Listener, Method};
use crate::service::{ModelDescription, Observer, REMOTE_OUTCOMES, types::RevisionName};

const SECONDS: &[f64] =
    &[1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const BATCHES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// All metrics of the process, in a registry of their own. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: IntCounterVec,
    seconds: Vec<Histogram>,
    /// Counters of `requests`, one cell for each method and code. A cell is filled at its first use, so an unused one creates no
    /// time series.
    cells: Vec<OnceLock<IntCounter>>,
    in_flight: IntGauge,
    shed: IntCounterVec,
    queue: IntGauge,
    connections: IntGaugeVec,
    cut: IntCounterVec,
    batches: HistogramVec,
    degraded: IntCounterVec,
    loads: IntCounterVec,
    reloads: IntCounterVec,
    models: IntGaugeVec,
    remote: IntCounterVec,
    remote_retries: IntCounterVec,
    ejections: IntCounterVec,
    endpoints: IntGaugeVec,
    plan_generation: IntGauge,
    plan_time: IntGauge,
    /// Labels that `models` has now. They are removed when their model is no longer served.
    served: Mutex<Vec<[String; 3]>>,
}

/// Counts a request as in flight until it is dropped.
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Creates metrics and registers them.
struct Maker {
    registry: Registry,
}

impl Maker {
    fn add<C: Collector + Clone + 'static>(&self, metric: C) -> Result<C, prometheus::Error> {
        self.registry.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn counter(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    fn histogram(
        &self,
        name: &str,
        help: &str,
        label: &str,
        buckets: &[f64],
    ) -> Result<HistogramVec, prometheus::Error> {
        self.add(HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), &[label])?)
    }
}

impl Metrics {
    /// New metrics, all zero, with the process collector and the version of the build.
    ///
    /// # Errors
    /// Prometheus rejects a name or label: a mistake in this file.
    pub fn new() -> Result<Self, prometheus::Error> {
        let make = Maker { registry: Registry::new() };
        let seconds = make.histogram(
            names::REQUEST_SECONDS,
            "Time to answer a request, by method.",
            "method",
            SECONDS,
        )?;
        let requests =
            make.counter(names::REQUESTS, "Requests answered, by method and code.", &["method", "code"])?;
        let in_flight = make.gauge(names::IN_FLIGHT, "Requests being answered now.", &[])?;
        let queue = make.gauge(names::QUEUE_DEPTH, "Requests waiting for admission.", &[])?;
        let plan_generation = make.gauge(names::PLAN_GENERATION, "Traffic plans followed so far.", &[])?;
        let plan_time =
            make.gauge(names::PLAN_TIME, "Unix time at which the traffic plan in use arrived.", &[])?;
        let inner = Inner {
            seconds: Method::ALL.iter().map(|method| seconds.with_label_values(&[method.as_str()])).collect(),
            requests,
            cells: Method::ALL.iter().flat_map(|_| Code::ALL).map(|_| OnceLock::new()).collect(),
            in_flight: in_flight.with_label_values::<&str>(&[]),
            shed: make.counter(
                names::SHED,
                "Requests shed because too many were in flight.",
                &["importance"],
            )?,
            queue: queue.with_label_values::<&str>(&[]),
            connections: make.gauge(names::CONNECTIONS, "Connections open now.", &["listener"])?,
            cut: make.counter(
                names::CONNECTIONS_CUT,
                "Connections closed by the server.",
                &["listener", "reason"],
            )?,
            batches: make.histogram(
                names::BATCH_SIZE,
                "Requests in one forward pass.",
                "objective",
                BATCHES,
            )?,
            degraded: make.counter(
                names::DEGRADED,
                "Rows that a fallback filled.",
                &["surface", "reason"],
            )?,
            loads: make.counter(names::ARTIFACT_LOADS, "Loads of artifacts, by outcome.", &["outcome"])?,
            reloads: make.counter(names::RELOADS, "Reloads of the manifests, by outcome.", &["outcome"])?,
            models: make.gauge(
                names::MODEL_INFO,
                "Always 1; the labels describe a model that is served.",
                &["objective", "architecture", "revision"],
            )?,
            remote: make.counter(
                names::REMOTE_REQUESTS,
                "Requests to pods of models, by objective, revision and outcome.",
                &["objective", "revision", "outcome"],
            )?,
            remote_retries: make.counter(
                names::REMOTE_RETRIES,
                "Requests to pods of models that were retried.",
                &["objective"],
            )?,
            ejections: make.counter(
                names::EJECTIONS,
                "Pods that got no requests for a while because they failed.",
                &["objective"],
            )?,
            endpoints: make.gauge(
                names::ENDPOINTS,
                "Pods of models that accept requests.",
                &["objective", "revision"],
            )?,
            plan_generation: plan_generation.with_label_values::<&str>(&[]),
            plan_time: plan_time.with_label_values::<&str>(&[]),
            served: Mutex::default(),
            registry: make.registry.clone(),
        };
        make.gauge(names::BUILD_INFO, "Always 1; the labels describe the build.", &["version", "arch"])?
            .with_label_values(&[env!("CARGO_PKG_VERSION"), std::env::consts::ARCH])
            .set(1);
        #[cfg(target_os = "linux")]
        make.registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(Self(Arc::new(inner)))
    }

    /// Counts a request that was answered after `seconds`.
    pub fn request(&self, method: Method, code: Code, seconds: f64) {
        let cell = &self.0.cells[method as usize * Code::ALL.len() + code as usize];
        cell.get_or_init(|| self.0.requests.with_label_values(&[method.as_str(), code.as_str()])).inc();
        self.0.seconds[method as usize].observe(seconds);
    }

    /// Counts a request as in flight until the guard is dropped.
    pub fn in_flight(&self) -> InFlight {
        self.0.in_flight.inc();
        InFlight(self.0.in_flight.clone())
    }

    /// The gauge of open connections of a listener.
    pub fn connections(&self, listener: Listener) -> IntGauge {
        self.0.connections.with_label_values(&[listener.as_str()])
    }

    /// Counts a connection that the server closed early.
    pub fn cut(&self, listener: Listener, reason: CutReason) {
        self.0.cut.with_label_values(&[listener.as_str(), reason.as_str()]).inc();
    }

    /// All metrics, in the text format of Prometheus.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub fn encode(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut text = Vec::with_capacity(16 * 1024);
        TextEncoder::new().encode(&self.0.registry.gather(), &mut text)?;
        Ok(text)
    }
}

/// Counts what the service reports. Names of objectives and surfaces come from manifests, never from a request.
impl Observer for Metrics {
    fn batch(&self, objective: &str, size: usize) {
        self.0.batches.with_label_values(&[objective]).observe(size as f64);
    }

    fn queue_depth(&self, waiting: usize) {
        self.0.queue.set(waiting as i64);
    }

    fn shed(&self, importance: &'static str) {
        self.0.shed.with_label_values(&[importance]).inc();
    }

    fn degraded(&self, surface: &str, reason: &'static str) {
        self.0.degraded.with_label_values(&[surface, reason]).inc();
    }

    fn artifact_load(&self, outcome: &'static str) {
        self.0.loads.with_label_values(&[outcome]).inc();
    }

    fn reload(&self, outcome: &'static str) {
        self.0.reloads.with_label_values(&[outcome]).inc();
    }

    fn remote(&self, objective: &str, revision: &RevisionName, outcome: &'static str) {
        self.0.remote.with_label_values(&[objective, revision.as_str(), outcome]).inc();
    }

    fn remote_retry(&self, objective: &str) {
        self.0.remote_retries.with_label_values(&[objective]).inc();
    }

    fn ejected(&self, objective: &str) {
        self.0.ejections.with_label_values(&[objective]).inc();
    }

    fn endpoints(&self, objective: &str, revision: &RevisionName, n: Option<usize>) {
        let revision = revision.as_str();
        match n {
            Some(n) => self.0.endpoints.with_label_values(&[objective, revision]).set(n as i64),
            None => {
                // This fails if the series does not exist, which is the aim.
                let _ = self.0.endpoints.remove_label_values(&[objective, revision]);
                for outcome in REMOTE_OUTCOMES {
                    let _ = self.0.remote.remove_label_values(&[objective, revision, outcome]);
                }
            }
        }
    }

    fn traffic_plan(&self, generation: u64) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        self.0.plan_generation.set(generation as i64);
        self.0.plan_time.set(now.map_or(0, |since| since.as_secs() as i64));
    }

    fn models_served(&self, models: &[ModelDescription]) {
        let now: Vec<[String; 3]> = models
            .iter()
            .map(|model| {
                [model.objective.to_string(), model.architecture.clone(), model.artifact_digest.to_string()]
            })
            .collect();
        let mut served = self.0.served.lock();
        for gone in served.iter().filter(|labels| !now.contains(labels)) {
            // This fails if the series does not exist, which is the aim.
            let _ = self.0.models.remove_label_values(gone);
        }
        for [objective, ..] in
            served.iter().filter(|[objective, ..]| now.iter().all(|[name, ..]| name != objective))
        {
            let _ = self.0.batches.remove_label_values(&[objective]);
        }
        for labels in &now {
            self.0.models.with_label_values(labels).set(1);
        }
        *served = now;
    }
}

#[cfg(test)]
mod tests;
