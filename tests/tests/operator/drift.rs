//! What somebody changes by hand is put back, whatever it was; what cannot be written is told once.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{DynamicObject, Patch, PatchParams};
use marquee_tests::{
    Outcome,
    operator::{Fate, OperatorFixture, Proxy},
};
use serde_json::{Value, json};

const OFTEN: &[&str] = &["--leader-elect=false", "--resync=1s"];

/// Reasons of the events in the stage's namespace.
fn event_reasons(stage: &OperatorFixture, namespace: &str) -> Outcome<Vec<String>> {
    let events = stage.server.kubectl(&["get", "events.events.k8s.io", "-n", namespace, "-o", "json"])?;
    let events: Value = serde_json::from_str(&events)?;
    let reasons = events["items"].as_array().ok_or("no events")?.iter();
    Ok(reasons.map(|event| event["reason"].as_str().unwrap_or_default().to_owned()).collect())
}

async fn deployment(stage: &OperatorFixture) -> Outcome<DynamicObject> {
    Ok(stage.api("Deployment")?.list(&Default::default()).await?.items.pop().ok_or("no Deployment")?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_excludes_what_is_wanted_is_put_back_as_well() -> Outcome {
    let stage = OperatorFixture::new("excluding").await?;
    stage.make_model().await?;
    let proxy = Proxy::before(stage.server, |_| Fate::Pass).await?;
    let _operator = stage.operate_as("often", &proxy.kubeconfig().to_string(), OFTEN)?;
    stage.model_ready(1).await?;
    let before = stage.world().await?;

    // A budget has one of the two, a probe one of several: an apply alone would leave both, and is refused.
    let budget = json!({"spec": {"minAvailable": null, "maxUnavailable": 1}});
    stage.patch("PodDisruptionBudget", "m-ranker", &budget).await?;
    let live = deployment(&stage).await?;
    let mut containers = live.data["spec"]["template"]["spec"]["containers"].clone();
    let probe = containers[0]["livenessProbe"].as_object_mut().ok_or("no liveness probe")?;
    probe.remove("httpGet").ok_or("the probe asks nothing")?;
    probe.insert("exec".into(), json!({"command": ["true"]}));
    let name = live.metadata.name.unwrap_or_default();
    stage
        .patch("Deployment", &name, &json!({"spec": {"template": {"spec": {"containers": containers}}}}))
        .await?;

    stage.until("both to be put back", async || Ok(stage.world().await? == before)).await?;
    // What it owns beside is given up after that.
    stage.until("quiet", async || Ok(proxy.quiet() > Duration::from_secs(3))).await?;
    for (kind, name) in [("PodDisruptionBudget", "m-ranker"), ("Deployment", &name)] {
        let written = stage.api(kind)?.get(name).await?.metadata.managed_fields.unwrap_or_default();
        let is_ours = |entry: &&ManagedFieldsEntry| entry.manager.as_deref() == Some("marquee-operator");
        let ours: Vec<_> = written.iter().filter(is_ours).collect();
        let ways: Vec<_> = ours.iter().map(|entry| entry.operation.as_deref().unwrap_or_default()).collect();
        assert_eq!(ways, ["Apply"], "{kind}: fields that are no longer wanted could never go: {ours:?}");
    }
    let mended =
        event_reasons(&stage, "excluding")?.into_iter().filter(|reason| reason == "DriftMended").count();
    assert_eq!(mended, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_stay_as_many_as_they_are_when_an_autoscaler_comes_or_goes() -> Outcome {
    let stage = OperatorFixture::new("handover").await?;
    stage.make_model().await?;
    let fixed = |n: i32| json!({"spec": {"serving": {"replicas": {"min": n, "max": null}}}});
    stage.patch("RankingModel", "m", &fixed(3)).await?;
    let mut _operator = stage.operate(OFTEN)?;
    ready_with(&stage, 3).await?;

    let autoscaled = json!({"spec": {"serving": {"replicas": {"min": 1, "max": 5}}}});
    stage.patch("RankingModel", "m", &autoscaled).await?;
    stage
        .until("the autoscaler", async || Ok(!stage.names("HorizontalPodAutoscaler").await?.is_empty()))
        .await?;
    assert_eq!(
        deployment(&stage).await?.data["spec"]["replicas"],
        3,
        "no pod goes before the autoscaler has looked"
    );

    // What the autoscaler does.
    let name = deployment(&stage).await?.metadata.name.unwrap_or_default();
    let scale = Patch::Merge(json!({"spec": {"replicas": 2}}));
    stage.api("Deployment")?.patch_scale(&name, &PatchParams::default(), &scale).await?;
    let reconciled = stage.said("direct", "reconciled")?;
    stage.until("some reconciles", async || Ok(stage.said("direct", "reconciled")? > reconciled + 3)).await?;
    assert_eq!(deployment(&stage).await?.data["spec"]["replicas"], 2, "the number is the autoscaler's");

    stage.patch("RankingModel", "m", &fixed(4)).await?;
    ready_with(&stage, 4).await?;
    stage
        .until("the autoscaler to go", async || Ok(stage.names("HorizontalPodAutoscaler").await?.is_empty()))
        .await
}

async fn ready_with(stage: &OperatorFixture, pods: i32) -> Outcome {
    let what = format!("{pods} pods");
    let is = async || {
        let Some(live) = stage.api("Deployment")?.list(&Default::default()).await?.items.pop() else {
            return Ok(false);
        };
        Ok(live.data["spec"]["replicas"] == pods && live.data["status"]["readyReplicas"] == pods)
    };
    stage.until(&what, is).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_whose_name_is_taken_is_told_once_and_made_when_it_is_free() -> Outcome {
    let stage = OperatorFixture::new("taken").await?;
    let taken = "apiVersion: v1\nkind: Service\nmetadata: {name: m-ranker, namespace: taken}\nspec: {ports: [{port: 80}]}";
    stage.server.apply(taken)?;
    stage.make_model().await?;
    let _operator = stage.operate(OFTEN)?;
    let model = ("RankingModel", "m");
    let message = stage.says(model, "Degraded", "True ChildRefused").await?;
    assert!(message.contains("Service m-ranker exists and belongs to"), "{message}");
    stage.says(model, "Stalled", "True ChildRefused").await?;
    stage.model_ready(1).await?;
    let reconciled = stage.said("direct", "reconcile failed")?;
    stage
        .until("some more tries", async || Ok(stage.said("direct", "reconcile failed")? > reconciled + 2))
        .await?;
    let reasons = event_reasons(&stage, "taken")?;
    let count = |reason: &str| reasons.iter().filter(|told| *told == reason).count();
    assert_eq!((count("ChildRefused"), count("AsExpected")), (1, 0), "{reasons:?}");

    stage.api("Service")?.delete("m-ranker", &Default::default()).await?;
    stage.says(model, "Degraded", "False AsExpected").await?;
    assert_eq!(stage.condition("RankingModel", "m", "Stalled").await?.0, " ", "it is gone");
    Ok(())
}
