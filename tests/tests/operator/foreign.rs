//! Gateway API, KEDA and a custom metrics API: used where they are, told where they are not, and missed when they go. Their kinds are the
//! real ones, so the API server holds what is written to their schemas.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use kube::api::{Patch, PatchParams};
use marquee_tests::{
    Outcome,
    cluster::Options,
    operator::{Asked, Fate, OperatorFixture, Proxy},
};
use serde_json::{Value, json};

const ARGS: &[&str] =
    &["--leader-elect=false", "--discovery=500ms", "--prometheus=http://prometheus.monitoring:9090"];
const MODEL: (&str, &str) = ("RankingModel", "m");
const PAGE: (&str, &str) = ("PageLayout", "home");

/// Where an adapter would answer. None does here: that the API is installed is what counts.
const CUSTOM_METRICS: &str = "
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.custom.metrics.k8s.io}
spec:
  group: custom.metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {name: prometheus-adapter, namespace: monitoring}
";

#[tokio::test(flavor = "multi_thread")]
async fn what_others_install_is_used_while_it_is_there() -> Outcome {
    let stage = OperatorFixture::alone("foreign", Options::default()).await?;
    stage.make_model().await?;
    stage.make_layout().await?;
    let in_flight = json!({"spec": {"serving": {"autoscaling": {"targetInFlightRequests": 8}}}});
    stage.patch(MODEL.0, MODEL.1, &in_flight).await?;
    let gateway =
        json!({"spec": {"gateway": {"parentRefs": [{"name": "public"}], "hostnames": ["home.example"]}}});
    stage.patch(PAGE.0, PAGE.1, &gateway).await?;

    let ails = Arc::new(AtomicBool::new(false));
    let judge = {
        let ails = ails.clone();
        let foreign = |path: &str| {
            path.ends_with("/keda.sh/v1alpha1") || path.ends_with("/gateway.networking.k8s.io/v1")
        };
        move |asked: &Asked| match ails.load(SeqCst) && foreign(asked.path) {
            true => Fate::Refuse(503),
            false => Fate::Pass,
        }
    };
    let proxy = Proxy::before(stage.server, judge).await?;
    let _operator = stage.operate_as("foreign", &proxy.kubeconfig().to_string(), ARGS)?;

    // Nothing of it is there.
    let message = stage.says(PAGE, "RoutesApplied", "False GatewayApiNotInstalled").await?;
    assert!(message.contains("install the CRDs of Gateway API"), "{message}");
    let message = stage.says(MODEL, "Autoscaling", "False MetricsApiNotInstalled").await?;
    assert!(message.contains("targetInFlightRequests is not in use"), "{message}");
    assert_eq!(stage.names("HorizontalPodAutoscaler").await?.len(), 1);

    // Gateway API.
    stage.server.apply_foreign("gateway-api").await?;
    stage.says(PAGE, "RoutesApplied", "Unknown Reconciling").await?;
    for kind in ["HTTPRoute", "GRPCRoute"] {
        let route = stage.api(kind)?.get("home-page").await?;
        assert_eq!(route.data["spec"]["hostnames"], json!(["home.example"]), "{kind}");
        assert_eq!(route.data["spec"]["rules"][0]["backendRefs"][0]["name"], "home-page", "{kind}");
        answer(&stage, kind, ("True", "Accepted")).await?;
    }
    stage.says(PAGE, "RoutesApplied", "True RoutesApplied").await?;
    answer(&stage, "HTTPRoute", ("False", "NotAllowedByListeners")).await?;
    let message = stage.says(PAGE, "RoutesApplied", "False RouteNotAccepted").await?;
    assert!(message.contains("NotAllowedByListeners"), "{message}");

    // A custom metrics API.
    stage.server.apply(CUSTOM_METRICS)?;
    stage.says(MODEL, "Autoscaling", "True AutoscalerApplied").await?;
    let autoscaler = stage.api("HorizontalPodAutoscaler")?.list(&Default::default()).await?.items.pop();
    let mut autoscaler = autoscaler.ok_or("no autoscaler")?;
    let metrics = autoscaler.data["spec"]["metrics"].take();
    assert_eq!(metrics[1]["pods"]["target"]["averageValue"], "8", "{metrics}");

    // One that tells nothing of these pods: the autoscaler goes by CPU and is content, so it has to be said here, once the pods have
    // been there for a while.
    let mut traffic = stage.api(MODEL.0)?.get(MODEL.1).await?.data["status"]["traffic"].take();
    traffic[0]["since"] = json!("2026-01-01T00:00:00Z");
    tell(&stage, MODEL.0, MODEL.1, json!({ "traffic": traffic })).await?;
    let name = autoscaler.metadata.name.ok_or("an autoscaler without a name")?;
    let cpu = json!({"type": "ContainerResource", "containerResource": {
        "name": "cpu", "container": "runtime", "current": {"averageUtilization": 1},
    }});
    let in_flight = json!({"type": "Pods", "pods": {
        "metric": {"name": "marquee_serving_in_flight_requests"}, "current": {"averageValue": "0"},
    }});
    tell(
        &stage,
        "HorizontalPodAutoscaler",
        &name,
        json!({"currentMetrics": [cpu, {"type": ""}], "desiredReplicas": 1}),
    )
    .await?;
    let message = stage.says(MODEL, "Autoscaling", "False MetricsUnavailable").await?;
    assert!(message.contains("targetInFlightRequests is not in use"), "{message}");
    tell(
        &stage,
        "HorizontalPodAutoscaler",
        &name,
        json!({"currentMetrics": [cpu, in_flight], "desiredReplicas": 1}),
    )
    .await?;
    stage.says(MODEL, "Autoscaling", "True AutoscalerApplied").await?;

    // KEDA, which makes an autoscaler of its own: ours goes first.
    stage.server.apply_foreign("keda").await?;
    stage
        .until("KEDA's object instead of the autoscaler", async || {
            Ok(stage.names("HorizontalPodAutoscaler").await?.is_empty()
                && stage.names("ScaledObject").await?.len() == 1)
        })
        .await?;
    let message = stage.says(MODEL, "Autoscaling", "True AutoscalerApplied").await?;
    assert!(message.ends_with("by KEDA"), "{message}");
    let name = stage.names("ScaledObject").await?.pop().ok_or("no object of KEDA's")?;
    let ready = |status: &str, reason: &str| json!({"conditions": [{"type": "Ready", "status": status, "reason": reason, "message": "said by KEDA"}]});
    tell(&stage, "ScaledObject", &name, ready("False", "TriggerError")).await?;
    let message = stage.says(MODEL, "Autoscaling", "False MetricsUnavailable").await?;
    assert!(message.contains("KEDA can query Prometheus at http://prometheus.monitoring:9090"), "{message}");
    tell(&stage, "ScaledObject", &name, ready("True", "ScaledObjectReady")).await?;
    stage.says(MODEL, "Autoscaling", "True AutoscalerApplied").await?;

    // Discovery that answers in part is no news: what was there is not gone.
    let quiet = async || Ok(proxy.quiet() > Duration::from_secs(2));
    stage.until("quiet", quiet).await?;
    let (writes, requests) = (proxy.writes(), proxy.all());
    ails.store(true, SeqCst);
    // Five rounds, of four requests at least.
    stage.until("some rounds of discovery", async || Ok(proxy.all() >= requests + 20)).await?;
    assert_eq!(proxy.writes(), writes, "an API that does not answer was taken for one that is gone");
    assert_eq!(stage.names("ScaledObject").await?.len(), 1);
    ails.store(false, SeqCst);

    // It all goes.
    stage.server.delete_foreign("keda")?;
    stage
        .until("the autoscaler again", async || Ok(stage.names("HorizontalPodAutoscaler").await?.len() == 1))
        .await?;
    stage.server.kubectl(&["delete", "apiservice", "v1beta1.custom.metrics.k8s.io"])?;
    stage.says(MODEL, "Autoscaling", "False MetricsApiNotInstalled").await?;
    stage.server.delete_foreign("gateway-api")?;
    stage.says(PAGE, "RoutesApplied", "False GatewayApiNotInstalled").await?;
    stage.until("quiet", quiet).await
}

/// What a Gateway says of a route.
async fn answer(stage: &OperatorFixture, kind: &str, (status, reason): (&str, &str)) -> Outcome {
    let condition = json!({
        "type": "Accepted", "status": status, "reason": reason, "message": "said by the Gateway",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1,
    });
    let parent = json!({
        "parentRef": {"name": "public"}, "controllerName": "gateway.example/controller", "conditions": [condition],
    });
    tell(stage, kind, "home-page", json!({"parents": [parent]})).await
}

/// Writes a status, as whoever works for the kind would.
async fn tell(stage: &OperatorFixture, kind: &str, name: &str, status: Value) -> Outcome {
    let told = Patch::Merge(json!({ "status": status }));
    stage.api(kind)?.patch_status(name, &PatchParams::default(), &told).await?;
    Ok(())
}
