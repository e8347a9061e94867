//! Gateway API, KEDA and a custom metrics API: the operator uses each while it is installed, and reports in a condition when it is not.
//! The CRDs are those of the projects, so the API server validates each write.

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
    operator::{FaultAction, OperatorFixture, Proxy, ProxyRequest},
};
use serde_json::{Value, json};

const ARGS: &[&str] =
    &["--leader-elect=false", "--discovery=500ms", "--prometheus=http://prometheus.monitoring:9090"];
const MODEL: (&str, &str) = ("RankingModel", "m");
const PAGE: (&str, &str) = ("PageLayout", "home");

/// Registers the API of a metrics adapter. No adapter runs: the operator looks only for the registration.
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
async fn optional_apis_are_used_while_they_are_installed() -> Outcome {
    let fixture = OperatorFixture::alone("foreign", Options::default()).await?;
    fixture.make_model().await?;
    fixture.make_layout().await?;
    let in_flight = json!({"spec": {"serving": {"autoscaling": {"targetInFlightRequests": 8}}}});
    fixture.patch(MODEL.0, MODEL.1, &in_flight).await?;
    let gateway =
        json!({"spec": {"gateway": {"parentRefs": [{"name": "public"}], "hostnames": ["home.example"]}}});
    fixture.patch(PAGE.0, PAGE.1, &gateway).await?;

    let discovery_fails = Arc::new(AtomicBool::new(false));
    let rule = {
        let discovery_fails = discovery_fails.clone();
        let is_optional_api = |path: &str| {
            path.ends_with("/keda.sh/v1alpha1") || path.ends_with("/gateway.networking.k8s.io/v1")
        };
        move |request: &ProxyRequest| match discovery_fails.load(SeqCst) && is_optional_api(request.path) {
            true => FaultAction::Refuse(503),
            false => FaultAction::Pass,
        }
    };
    let proxy = Proxy::start(fixture.server, rule).await?;
    let _operator = fixture.start_operator_with("foreign", &proxy.kubeconfig().to_string(), ARGS)?;

    // None of the APIs is installed.
    let message = fixture.wait_for_condition(PAGE, "RoutesApplied", "False GatewayApiNotInstalled").await?;
    assert!(message.contains("install the CRDs of Gateway API"), "{message}");
    let message = fixture.wait_for_condition(MODEL, "Autoscaling", "False MetricsApiNotInstalled").await?;
    assert!(message.contains("targetInFlightRequests is not in use"), "{message}");
    assert_eq!(fixture.names("HorizontalPodAutoscaler").await?.len(), 1);

    // Gateway API.
    fixture.server.apply_foreign("gateway-api").await?;
    fixture.wait_for_condition(PAGE, "RoutesApplied", "Unknown Reconciling").await?;
    for kind in ["HTTPRoute", "GRPCRoute"] {
        let route = fixture.api(kind)?.get("home-page").await?;
        assert_eq!(route.data["spec"]["hostnames"], json!(["home.example"]), "{kind}");
        assert_eq!(route.data["spec"]["rules"][0]["backendRefs"][0]["name"], "home-page", "{kind}");
        write_route_status(&fixture, kind, ("True", "Accepted")).await?;
    }
    fixture.wait_for_condition(PAGE, "RoutesApplied", "True RoutesApplied").await?;
    write_route_status(&fixture, "HTTPRoute", ("False", "NotAllowedByListeners")).await?;
    let message = fixture.wait_for_condition(PAGE, "RoutesApplied", "False RouteNotAccepted").await?;
    assert!(message.contains("NotAllowedByListeners"), "{message}");

    // A custom metrics API.
    fixture.server.apply(CUSTOM_METRICS)?;
    fixture.wait_for_condition(MODEL, "Autoscaling", "True AutoscalerApplied").await?;
    let autoscaler = fixture.api("HorizontalPodAutoscaler")?.list(&Default::default()).await?.items.pop();
    let mut autoscaler = autoscaler.ok_or("no autoscaler")?;
    let metrics = autoscaler.data["spec"]["metrics"].take();
    assert_eq!(metrics[1]["pods"]["target"]["averageValue"], "8", "{metrics}");

    // A metrics API without values for these pods: the autoscaler then uses the CPU and reports no error, so the operator must report it
    // after the pods have run for a while.
    let mut traffic = fixture.api(MODEL.0)?.get(MODEL.1).await?.data["status"]["traffic"].take();
    traffic[0]["since"] = json!("2026-01-01T00:00:00Z");
    write_status(&fixture, MODEL.0, MODEL.1, json!({ "traffic": traffic })).await?;
    let name = autoscaler.metadata.name.ok_or("an autoscaler without a name")?;
    let cpu = json!({"type": "ContainerResource", "containerResource": {
        "name": "cpu", "container": "runtime", "current": {"averageUtilization": 1},
    }});
    let in_flight = json!({"type": "Pods", "pods": {
        "metric": {"name": "marquee_serving_in_flight_requests"}, "current": {"averageValue": "0"},
    }});
    write_status(
        &fixture,
        "HorizontalPodAutoscaler",
        &name,
        json!({"currentMetrics": [cpu, {"type": ""}], "desiredReplicas": 1}),
    )
    .await?;
    let message = fixture.wait_for_condition(MODEL, "Autoscaling", "False MetricsUnavailable").await?;
    assert!(message.contains("targetInFlightRequests is not in use"), "{message}");
    write_status(
        &fixture,
        "HorizontalPodAutoscaler",
        &name,
        json!({"currentMetrics": [cpu, in_flight], "desiredReplicas": 1}),
    )
    .await?;
    fixture.wait_for_condition(MODEL, "Autoscaling", "True AutoscalerApplied").await?;

    // KEDA creates its own autoscaler, so the operator first deletes the one that it created.
    fixture.server.apply_foreign("keda").await?;
    fixture
        .until("a ScaledObject instead of the autoscaler", async || {
            Ok(fixture.names("HorizontalPodAutoscaler").await?.is_empty()
                && fixture.names("ScaledObject").await?.len() == 1)
        })
        .await?;
    let message = fixture.wait_for_condition(MODEL, "Autoscaling", "True AutoscalerApplied").await?;
    assert!(message.ends_with("by KEDA"), "{message}");
    let name = fixture.names("ScaledObject").await?.pop().ok_or("no ScaledObject")?;
    let ready = |status: &str, reason: &str| json!({"conditions": [{"type": "Ready", "status": status, "reason": reason, "message": "message of KEDA"}]});
    write_status(&fixture, "ScaledObject", &name, ready("False", "TriggerError")).await?;
    let message = fixture.wait_for_condition(MODEL, "Autoscaling", "False MetricsUnavailable").await?;
    assert!(message.contains("KEDA can query Prometheus at http://prometheus.monitoring:9090"), "{message}");
    write_status(&fixture, "ScaledObject", &name, ready("True", "ScaledObjectReady")).await?;
    fixture.wait_for_condition(MODEL, "Autoscaling", "True AutoscalerApplied").await?;

    // If discovery answers only in part, the operator keeps what it knew.
    let is_idle = async || Ok(proxy.idle_time() > Duration::from_secs(2));
    fixture.until("the operator to be idle", is_idle).await?;
    let (n_writes, n_requests) = (proxy.n_writes(), proxy.n_requests());
    discovery_fails.store(true, SeqCst);
    // Five rounds with at least four requests each.
    fixture.until("some rounds of discovery", async || Ok(proxy.n_requests() >= n_requests + 20)).await?;
    assert_eq!(
        proxy.writes_since(n_writes),
        [] as [String; 0],
        "the operator treated an API that does not answer as one that is not installed"
    );
    assert_eq!(fixture.names("ScaledObject").await?.len(), 1);
    discovery_fails.store(false, SeqCst);

    // All APIs are removed.
    fixture.server.delete_foreign("keda")?;
    fixture
        .until("the autoscaler to be created again", async || {
            Ok(fixture.names("HorizontalPodAutoscaler").await?.len() == 1)
        })
        .await?;
    fixture.server.kubectl(&["delete", "apiservice", "v1beta1.custom.metrics.k8s.io"])?;
    fixture.wait_for_condition(MODEL, "Autoscaling", "False MetricsApiNotInstalled").await?;
    fixture.server.delete_foreign("gateway-api")?;
    fixture.wait_for_condition(PAGE, "RoutesApplied", "False GatewayApiNotInstalled").await?;
    fixture.until("the operator to be idle", is_idle).await
}

/// Writes the status of a route as a Gateway would.
async fn write_route_status(
    fixture: &OperatorFixture,
    kind: &str,
    (status, reason): (&str, &str),
) -> Outcome {
    let condition = json!({
        "type": "Accepted", "status": status, "reason": reason, "message": "message of the Gateway",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1,
    });
    let parent = json!({
        "parentRef": {"name": "public"}, "controllerName": "gateway.example/controller", "conditions": [condition],
    });
    write_status(fixture, kind, "home-page", json!({"parents": [parent]})).await
}

/// Writes the status of an object as the controller of its kind would.
async fn write_status(fixture: &OperatorFixture, kind: &str, name: &str, status: Value) -> Outcome {
    let patch = Patch::Merge(json!({ "status": status }));
    fixture.api(kind)?.patch_status(name, &PatchParams::default(), &patch).await?;
    Ok(())
}
