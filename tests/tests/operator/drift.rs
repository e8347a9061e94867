//! The operator corrects manual changes to its objects, and reports a child that it cannot write with one event.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{DynamicObject, Patch, PatchParams};
use marquee_tests::{
    Outcome,
    operator::{FaultAction, OperatorFixture, Proxy},
};
use serde_json::json;

const OFTEN: &[&str] = &["--leader-elect=false", "--resync=1s"];

async fn deployment(fixture: &OperatorFixture) -> Outcome<DynamicObject> {
    Ok(fixture.api("Deployment")?.list(&Default::default()).await?.items.pop().ok_or("no Deployment")?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_excludes_the_desired_one_is_corrected() -> Outcome {
    let fixture = OperatorFixture::new("excluding").await?;
    fixture.make_model().await?;
    let proxy = Proxy::start(fixture.server, |_| FaultAction::Pass).await?;
    let _operator = fixture.start_operator_with("often", &proxy.kubeconfig().to_string(), OFTEN)?;
    fixture.model_ready(1).await?;
    let before = fixture.snapshot().await?;

    // A budget has one of two fields and a probe one of several. A plain apply would leave both fields, which the API server refuses.
    let budget = json!({"spec": {"minAvailable": null, "maxUnavailable": 1}});
    fixture.patch("PodDisruptionBudget", "m-ranker", &budget).await?;
    let live = deployment(&fixture).await?;
    let mut containers = live.data["spec"]["template"]["spec"]["containers"].clone();
    let probe = containers[0]["livenessProbe"].as_object_mut().ok_or("no liveness probe")?;
    probe.remove("httpGet").ok_or("the liveness probe has no httpGet")?;
    probe.insert("exec".into(), json!({"command": ["true"]}));
    let name = live.metadata.name.unwrap_or_default();
    fixture
        .patch("Deployment", &name, &json!({"spec": {"template": {"spec": {"containers": containers}}}}))
        .await?;

    fixture.until("both to be corrected", async || Ok(fixture.snapshot().await? == before)).await?;
    // After the correction the operator gives up its ownership by update.
    fixture.until("the operator to be idle", async || Ok(proxy.idle_time() > Duration::from_secs(3))).await?;
    for (kind, name) in [("PodDisruptionBudget", "m-ranker"), ("Deployment", &name)] {
        let written = fixture.api(kind)?.get(name).await?.metadata.managed_fields.unwrap_or_default();
        let is_ours = |entry: &&ManagedFieldsEntry| entry.manager.as_deref() == Some("marquee-operator");
        let ours: Vec<_> = written.iter().filter(is_ours).collect();
        let operations: Vec<_> =
            ours.iter().map(|entry| entry.operation.as_deref().unwrap_or_default()).collect();
        assert_eq!(
            operations,
            ["Apply"],
            "{kind}: the operator could not remove fields that it no longer wants: {ours:?}"
        );
    }
    assert_eq!(fixture.event_count("DriftMended")?, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_pods_stays_when_an_autoscaler_is_added_or_removed() -> Outcome {
    let fixture = OperatorFixture::new("handover").await?;
    fixture.make_model().await?;
    let fixed = |n: i32| json!({"spec": {"serving": {"replicas": {"min": n, "max": null}}}});
    fixture.patch("RankingModel", "m", &fixed(3)).await?;
    let mut _operator = fixture.start_operator(OFTEN)?;
    ready_with(&fixture, 3).await?;

    let autoscaled = json!({"spec": {"serving": {"replicas": {"min": 1, "max": 5}}}});
    fixture.patch("RankingModel", "m", &autoscaled).await?;
    fixture
        .until("the autoscaler", async || Ok(!fixture.names("HorizontalPodAutoscaler").await?.is_empty()))
        .await?;
    assert_eq!(
        deployment(&fixture).await?.data["spec"]["replicas"],
        3,
        "no pod is deleted before the autoscaler has decided"
    );

    // Scale as the autoscaler would.
    let name = deployment(&fixture).await?.metadata.name.unwrap_or_default();
    let scale = Patch::Merge(json!({"spec": {"replicas": 2}}));
    fixture.api("Deployment")?.patch_scale(&name, &PatchParams::default(), &scale).await?;
    let reconciled = fixture.log_count("direct", "reconciled")?;
    fixture
        .until("four more reconciles", async || {
            Ok(fixture.log_count("direct", "reconciled")? > reconciled + 3)
        })
        .await?;
    assert_eq!(
        deployment(&fixture).await?.data["spec"]["replicas"],
        2,
        "the autoscaler owns the number of pods"
    );

    fixture.patch("RankingModel", "m", &fixed(4)).await?;
    ready_with(&fixture, 4).await?;
    fixture
        .until("the autoscaler to be deleted", async || {
            Ok(fixture.names("HorizontalPodAutoscaler").await?.is_empty())
        })
        .await
}

async fn ready_with(fixture: &OperatorFixture, pods: i32) -> Outcome {
    let what = format!("{pods} pods");
    let is_ready = async || {
        let Some(live) = fixture.api("Deployment")?.list(&Default::default()).await?.items.pop() else {
            return Ok(false);
        };
        Ok(live.data["spec"]["replicas"] == pods && live.data["status"]["readyReplicas"] == pods)
    };
    fixture.until(&what, is_ready).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_whose_name_is_taken_is_reported_once_and_created_when_the_name_is_free() -> Outcome {
    let fixture = OperatorFixture::new("taken").await?;
    let taken = "apiVersion: v1\nkind: Service\nmetadata: {name: m-ranker, namespace: taken}\nspec: {ports: [{port: 80}]}";
    fixture.server.apply(taken)?;
    fixture.make_model().await?;
    let _operator = fixture.start_operator(OFTEN)?;
    let model = ("RankingModel", "m");
    let message = fixture.wait_for_condition(model, "Degraded", "True ChildRefused").await?;
    assert!(message.contains("Service m-ranker exists and belongs to"), "{message}");
    fixture.wait_for_condition(model, "Stalled", "True ChildRefused").await?;
    fixture.model_ready(1).await?;
    let reconciled = fixture.log_count("direct", "reconcile failed")?;
    fixture
        .until("three more failed reconciles", async || {
            Ok(fixture.log_count("direct", "reconcile failed")? > reconciled + 2)
        })
        .await?;
    assert_eq!((fixture.event_count("ChildRefused")?, fixture.event_count("AsExpected")?), (1, 0));

    fixture.api("Service")?.delete("m-ranker", &Default::default()).await?;
    fixture.wait_for_condition(model, "Degraded", "False AsExpected").await?;
    assert_eq!(
        fixture.condition("RankingModel", "m", "Stalled").await?.0,
        " ",
        "the condition Stalled is removed"
    );
    Ok(())
}
