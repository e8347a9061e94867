//! Probes, metrics and what the operator knows of itself.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwapOption;
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use marquee_crds::conditions::{self, ConditionType};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tracing::error;

use crate::{context::Context, metrics::Metrics, world::Kind};

/// What the server tells of.
pub struct Eyes {
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Everything else, once this operator leads.
    pub context: ArcSwapOption<Context>,
    /// Its name in the Lease.
    pub identity: String,
    /// The namespaces that it watches; all, if none.
    pub namespaces: Vec<String>,
}

/// Answers for ever.
pub async fn serve(listener: TcpListener, eyes: Arc<Eyes>) {
    let routes = Router::new()
        .route("/livez", get("ok"))
        .route("/healthz", get("ok"))
        // One that waits for its turn is ready as well: it is there to take over.
        .route("/readyz", get("ok"))
        .route("/metrics", get(metrics))
        .route("/status", get(status))
        .with_state(eyes);
    if let Err(error) = axum::serve(listener, routes).await {
        error!(%error, "HTTP ended");
    }
}

async fn metrics(State(eyes): State<Arc<Eyes>>) -> Result<Vec<u8>, (StatusCode, String)> {
    if let Some(ctx) = eyes.context.load_full() {
        measure(&ctx);
    }
    eyes.metrics.text().map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

/// What is counted when it is asked for, not when it changes.
fn measure(ctx: &Context) {
    let metrics = &ctx.metrics;
    metrics.resources.reset();
    metrics.revisions.reset();
    for (kind, conditions, revisions) in resources(ctx) {
        for condition in &conditions {
            let labels = [kind.as_str(), &condition.type_, &condition.status, &condition.reason];
            metrics.resources.with_label_values(&labels).inc();
        }
        let revisions = i64::try_from(revisions).unwrap_or(i64::MAX);
        metrics.revisions.with_label_values(&[kind.as_str()]).add(revisions);
    }
    for kind in Kind::ALL {
        let (depth, unfinished, longest) = ctx.queues.of(kind).load();
        let controller = [kind.controller()];
        metrics.depth.with_label_values(&controller).set(i64::try_from(depth).unwrap_or(i64::MAX));
        metrics.unfinished.with_label_values(&controller).set(unfinished);
        metrics.longest.with_label_values(&controller).set(longest);
    }
}

/// Of each resource: its kind, its conditions, how many revisions with pods it has.
fn resources(ctx: &Context) -> Vec<(Kind, Vec<Condition>, usize)> {
    let models = ctx.world.models.lock();
    let models = models.iter().map(|model| {
        let status = model.status.clone().unwrap_or_default();
        let revisions = status.revisions.iter().filter(|revision| revision.replicas > 0).count();
        (Kind::RankingModel, status.conditions, revisions)
    });
    let mut all: Vec<_> = models.collect();
    let layouts = ctx.world.layouts.lock();
    all.extend(layouts.iter().map(|layout| {
        let status = layout.status.clone().unwrap_or_default();
        let revisions = status.revisions.iter().filter(|revision| revision.replicas > 0).count();
        (Kind::PageLayout, status.conditions, revisions)
    }));
    all
}

async fn status(State(eyes): State<Arc<Eyes>>) -> Json<Value> {
    let context = eyes.context.load_full();
    let mut reasons: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    if let Some(ctx) = &context {
        for (kind, conditions, _) in resources(ctx) {
            let ready = conditions::find(&conditions, ConditionType::Ready);
            let reason = ready.map_or("Unknown", |condition| &condition.reason);
            *reasons.entry(kind.as_str()).or_default().entry(reason.to_owned()).or_default() += 1;
        }
    }
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "identity": eyes.identity,
        "leads": context.is_some(),
        "namespaces": eyes.namespaces,
        "capabilities": context.as_ref().map(|ctx| (**ctx.world.capabilities.load()).clone()),
        "children": context.as_ref().map(|ctx| ctx.world.children.lock().len()),
        "ready": reasons,
    }))
}
