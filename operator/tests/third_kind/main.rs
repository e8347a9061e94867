//! A third kind, which shows the code that a kind needs and runs through every part of the operator: watch, cache, queue, reconcile, apply,
//! status, metrics and `/status`. The API server is in memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what cannot be made has failed the test")]

mod api;
mod status;

use std::{sync::Arc, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{Client, CustomResource, Resource as _};
use marquee_crds::labels;
use marquee_operator::{
    args::Args,
    context::{Context, Marquee},
    controllers, metrics,
};
use marquee_operator_kit::{
    Resource, ResourceKind, ResourceStatus, Stopped,
    apply::{self, Owner},
    child::{Child, ChildKind},
    http::{Shown, serve},
    metrics::Metrics,
    watch::Watches,
    workers::{self, Workers},
};
use prometheus::IntCounter;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use api::{Api, until};

/// A note, kept as a ConfigMap.
#[derive(CustomResource, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Clone, Debug)]
#[kube(group = "marquee.dev", version = "v1alpha1", kind = "Note", namespaced, status = "NoteStatus")]
struct NoteSpec {
    text: String,
}

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Clone, Debug, Default)]
struct NoteStatus {
    conditions: Vec<Condition>,
}

impl ResourceStatus<Marquee> for NoteStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}

impl Resource<Marquee> for Note {
    const KIND: ResourceKind = ResourceKind::new("Note");

    async fn reconcile(self: Arc<Self>, ctx: &Context) -> Result<Option<Duration>, Stopped> {
        let metadata = json!({
            "name": "note", "namespace": "n", "labels": {labels::MANAGED_BY: labels::OPERATOR},
            "ownerReferences": [self.controller_owner_ref(&())],
        });
        let body = json!({"metadata": metadata, "data": {"text": self.spec.text}});
        let child = Child::new(ChildKind::ConfigMap, "note", &body);
        let applied = apply::children(ctx, Owner::of(&*self), child.as_slice()).await;
        let ready = json!({"type": "Ready", "status": "True", "reason": "Kept", "message": self.spec.text,
            "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": self.metadata.generation});
        let desired = NoteStatus { conditions: serde_json::from_value(json!([ready])).unwrap() };
        match marquee_operator_kit::status::write(ctx, &*self, &desired).await {
            Ok(written) => applied.end(written.look_again(None)),
            Err(error) => Err(applied.without_status(error)),
        }
    }
}

/// An operator that has listed everything and reconciles.
struct Running {
    api: Arc<Api>,
    ctx: Arc<Context>,
    metrics: Arc<Metrics>,
    /// Reconciles of the note that succeeded.
    reconciles: IntCounter,
    /// They end when they are dropped.
    _watches: Watches<Marquee>,
}

impl Running {
    async fn start() -> Self {
        let api = Arc::new(Api::default());
        let server = api.clone();
        let client = Client::new(tower::service_fn(move |request| server.clone().answer(request)), "n");
        let args: Args = clap::Parser::parse_from(["operator"]);
        let marquee = Marquee::new(args.settings(), &controllers::POD_LABELS);
        let metrics = Arc::new(metrics::metrics().unwrap());
        let kinds = controllers::kinds().with::<Note>();
        let ctx = Arc::new(Context::new(client, kinds, marquee, metrics.clone(), "test".into()));
        let watches = Watches::new(ctx.clone(), Vec::new(), Vec::new());
        watches.begin().await;
        tokio::spawn(workers::run(ctx.clone(), Workers { concurrency: 1, resync: Duration::from_secs(600) }));
        let reconciles = metrics.reconciles.with_label_values(&["note", "success"]);
        Self { api, ctx, metrics, reconciles, _watches: watches }
    }
}

#[tokio::test]
async fn a_third_kind_is_reconciled_by_what_reconciles_the_others() {
    let Running { api, ctx, metrics, reconciles, _watches } = Running::start().await;
    until("the first text to be reconciled", || reconciles.get() == 1).await;
    api.write_text("later");
    until("both texts to be reconciled", || reconciles.get() == 2).await;
    ctx.enqueue_all();
    until("another reconcile", || reconciles.get() == 3).await;
    let expected = ["POST configmaps", "PATCH status", "PATCH note", "PATCH status"];
    assert_eq!(*api.writes.lock(), expected, "each text once, and nothing at the end");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (identity, context) = (String::new(), Some(ctx).into());
    let shown = Shown { version: "1", metrics, context, identity, namespaces: Vec::new() };
    tokio::spawn(serve(listener, Arc::new(shown)));
    stream.write_all(b"GET /status HTTP/1.0\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.contains(r#""ready":{"Note":{"Kept":1}}"#), "{text}");
}
