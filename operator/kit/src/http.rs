//! HTTP: probes, metrics, and `/status`.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwapOption;
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tracing::error;

use crate::{context::Context, metrics::Metrics, operator::Operator};

/// The data that the server shows.
pub struct Shown<O: Operator> {
    /// The operator's version.
    pub version: &'static str,
    /// Its metrics.
    pub metrics: Arc<Metrics>,
    /// Everything else, once this operator leads.
    pub context: ArcSwapOption<Context<O>>,
    /// Its name in the Lease.
    pub identity: String,
    /// The namespaces that it watches; all, if none.
    pub namespaces: Vec<String>,
}

/// The answer at any other path.
const NO_ROUTE: &str =
    "no route has this path: use /livez or /healthz for liveness, /readyz for readiness, /metrics, /status\n";

/// Answers forever.
pub async fn serve<O: Operator>(listener: TcpListener, shown: Arc<Shown<O>>) {
    let routes = Router::new()
        .route("/livez", get("ok"))
        .route("/healthz", get("ok"))
        // An operator that waits for the lease is ready as well, because it can take over.
        .route("/readyz", get("ok"))
        .route("/metrics", get(metrics::<O>))
        .route("/status", get(status::<O>))
        .fallback(async || (StatusCode::NOT_FOUND, NO_ROUTE))
        .with_state(shown);
    if let Err(error) = axum::serve(listener, routes).await {
        error!(%error, "HTTP server ended");
    }
}

async fn metrics<O: Operator>(State(shown): State<Arc<Shown<O>>>) -> Result<Vec<u8>, (StatusCode, String)> {
    if let Some(ctx) = shown.context.load_full() {
        measure(&ctx);
    }
    shown.metrics.text().map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

/// Sets the gauges that are computed at each scrape.
fn measure<O: Operator>(ctx: &Context<O>) {
    let metrics = &ctx.metrics;
    metrics.resources.reset();
    metrics.revisions.reset();
    for listed in ctx.kinds.iter() {
        let kind = listed.kind().as_str();
        for summary in listed.summaries() {
            for condition in &summary.conditions {
                let labels = [kind, &condition.type_, &condition.status, &condition.reason];
                metrics.resources.with_label_values(&labels).inc();
            }
            let revisions = i64::try_from(summary.n_revisions).unwrap_or(i64::MAX);
            metrics.revisions.with_label_values(&[kind]).add(revisions);
        }
        let (depth, unfinished, longest) = listed.queue().load();
        let controller = [listed.controller()];
        metrics.depth.with_label_values(&controller).set(i64::try_from(depth).unwrap_or(i64::MAX));
        metrics.unfinished.with_label_values(&controller).set(unfinished);
        metrics.longest.with_label_values(&controller).set(longest);
    }
}

/// How many resources of each kind are ready, or why not.
fn readiness<O: Operator>(ctx: &Context<O>) -> BTreeMap<&'static str, BTreeMap<String, usize>> {
    let mut reasons: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    for listed in ctx.kinds.iter() {
        for summary in listed.summaries() {
            let ready = summary.conditions.iter().find(|condition| condition.type_ == "Ready");
            let reason = ready.map_or("Unknown", |condition| &condition.reason).to_owned();
            *reasons.entry(listed.kind().as_str()).or_default().entry(reason).or_default() += 1;
        }
    }
    reasons
}

async fn status<O: Operator>(State(shown): State<Arc<Shown<O>>>) -> Json<Value> {
    let context = shown.context.load_full();
    Json(json!({
        "version": shown.version,
        "identity": shown.identity,
        "leads": context.is_some(),
        "namespaces": shown.namespaces,
        "capabilities": context.as_ref().map(|ctx| ctx.operator.capabilities()),
        "children": context.as_ref().map(|ctx| ctx.children.lock().len()),
        "ready": context.as_ref().map(|ctx| readiness(ctx)).unwrap_or_default(),
    }))
}
