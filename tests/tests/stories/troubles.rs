use std::path::Path;

use marquee_tests::{
    Outcome,
    cluster::{namespaces::NODE, tools},
    condition,
    platform::{Platform, copy, digest, long_catalogue},
};
use serde_json::{Value, json};

/// Mistakes that the schema accepts: the status gives a reason and a fix for each, nothing else is disturbed, and each recovers once fixed.
#[tokio::test(flavor = "multi_thread")]
async fn the_status_reports_mistakes_that_the_schema_accepts_and_recovers() -> Outcome {
    let Some(platform) = Platform::new("troubles").await? else { return Ok(()) };
    platform.homepage().await?;
    let bucket = platform.cluster.folder().join("troubles-store/models");
    copy(&platform.artifacts.join("home-ials"), &bucket.join("home-ials"))?;
    let folder = bucket.parent().ok_or("the bucket lies in no folder")?.display().to_string();
    let address = format!("{NODE}:9901");
    let args = [address.as_str(), folder.as_str(), "key", "secret"];
    let _store = platform.cluster.spawn("troubles-store", Path::new(&tools::sibling("store")?), args)?;

    let stored = json!({
        "uri": "s3://models/home-ials", "sha256": digest(&bucket.join("home-ials"))?, "credentials": { "secretName": "later" },
    });
    let claimed =
        |claim: &str| json!({ "uri": "file:///artifacts/home-ials", "volume": { "claimName": claim } });
    let huge = json!({ "requests": { "cpu": "1000" } });
    let tight = json!({ "requests": { "cpu": "20m", "memory": "24Mi" }, "limits": { "memory": "24Mi" } });
    long_catalogue(&platform.artifacts.join("long-catalogue")).await?;
    let long =
        json!({ "uri": "file:///artifacts/long-catalogue", "volume": { "claimName": "marquee-artifacts" } });
    apply_model(&platform, ("no-secret", "no-secret"), &stored, None).await?;
    apply_model(&platform, ("no-claim", "no-claim"), &claimed("later"), None).await?;
    apply_model(&platform, ("no-room", "no-room"), &claimed("marquee-artifacts"), Some(&huge)).await?;
    apply_model(&platform, ("no-memory", "no-memory"), &long, Some(&tight)).await?;
    apply_model(&platform, ("second", "top-picks"), &claimed("marquee-artifacts"), None).await?;
    apply_model(
        &platform,
        ("no-volume", "no-volume"),
        &json!({ "uri": "file:///artifacts/home-ials" }),
        None,
    )
    .await?;
    let row = json!({ "name": "dangling", "heading": "Dangling", "source": { "model": { "objective": "not-yet" } } });
    let add = json!([{ "op": "add", "path": "/spec/candidateRows/0", "value": row }]).to_string();
    platform.kubectl_with(&["patch", "pagelayout/home", "--type=json", "-p", &add]).await?;

    #[rustfmt::skip]
    let reports = [
        // resource                      condition           reason               text of the message
        ("rankingmodel/no-secret",       "ArtifactResolved", "SecretNotFound",    "later"),
        ("rankingmodel/no-claim",        "ArtifactResolved", "ClaimNotFound",     "later"),
        ("rankingmodel/no-room",         "Ready",            "Unschedulable",     "cpu"),
        ("rankingmodel/no-memory",       "Ready",            "OutOfMemory",       "24Mi that resources.limits allows"),
        ("rankingmodel/second",          "Ready",            "DuplicateObjective", "home-top-picks"),
        ("rankingmodel/no-volume",       "ArtifactResolved", "VolumeMissing",     "volume"),
        ("pagelayout/home",              "ModelsResolved",   "ObjectiveNotFound", "not-yet"),
    ];
    for (resource, kind, reason, names) in reports {
        let why = format!("{kind} {reason} naming {names}");
        let says = |object: &Value| {
            let (_, found, message) = condition(object, kind);
            found == reason && message.contains(names)
        };
        let object = platform.until(resource, &why, says).await?;
        if resource.starts_with("rankingmodel") {
            assert_eq!(condition(&object, "Ready").0, "False", "{resource} is Ready while broken");
        }
    }
    for serving in ["rankingmodel/home-top-picks", "rankingmodel/home-similar", "pagelayout/home"] {
        assert_eq!(condition(&platform.get(serving).await?, "Ready").0, "True", "{serving} was disturbed");
    }

    // Fix one after the other.
    let secret = format!(
        "
apiVersion: v1
kind: Secret
metadata: {{name: later}}
stringData: {{AWS_ENDPOINT: 'http://{address}', AWS_ALLOW_HTTP: 'true', AWS_REGION: us-east-1, AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {{name: later}}
spec:
  capacity: {{storage: 1Gi}}
  accessModes: [ReadOnlyMany]
  storageClassName: ''
  hostPath: {{path: {}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: later}}
spec: {{accessModes: [ReadOnlyMany], storageClassName: '', volumeName: later, resources: {{requests: {{storage: 1Gi}}}}}}
",
        platform.artifacts.display()
    );
    platform.apply(&secret).await?;
    let fits = json!({ "spec": { "resources": { "requests": { "cpu": "50m" } } } });
    platform.patch("rankingmodel/no-room", &fits).await?;
    let enough = json!({ "spec": { "resources": { "requests": { "memory": "24Mi" }, "limits": { "memory": "256Mi" } } } });
    platform.patch("rankingmodel/no-memory", &enough).await?;
    let volume = json!({ "spec": { "artifact": claimed("marquee-artifacts") } });
    platform.patch("rankingmodel/no-volume", &volume).await?;
    apply_model(&platform, ("not-yet", "not-yet"), &claimed("marquee-artifacts"), None).await?;
    for name in ["no-secret", "no-claim", "no-room", "no-memory", "no-volume", "not-yet"] {
        platform.ready(&format!("rankingmodel/{name}")).await?;
    }
    platform.kubectl("delete rankingmodel home-top-picks").await?;
    platform.ready("rankingmodel/second").await?;
    let resolved = |layout: &Value| condition(layout, "ModelsResolved").0 == "True";
    platform.until("pagelayout/home", "every row to have its model", resolved).await?;

    // A quota that is used up: the serving pods stay, and the new model reports it.
    let quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: full}\nspec: {hard: {count/pods: '1', pods: '1'}}";
    platform.apply(quota).await?;
    apply_model(&platform, ("refused", "refused"), &claimed("marquee-artifacts"), None).await?;
    let refused = |model: &Value| {
        let (_, reason, message) = condition(model, "Ready");
        reason == "PodRefused" && message.contains("quota")
    };
    platform.until("rankingmodel/refused", "PodRefused naming the quota", refused).await?;
    assert_eq!(condition(&platform.get("pagelayout/home").await?, "Ready").0, "True");
    platform.kubectl("delete resourcequota full").await?;
    platform.ready("rankingmodel/refused").await?;
    Ok(())
}

async fn apply_model(
    platform: &Platform,
    (name, objective): (&str, &str),
    artifact: &Value,
    resources: Option<&Value>,
) -> Outcome {
    let small = json!({ "requests": { "cpu": "20m", "memory": "64Mi" } });
    let model = json!({
        "apiVersion": "marquee.dev/v1alpha1",
        "kind": "RankingModel",
        "metadata": { "name": name },
        "spec": {
            "surface": "home", "objective": objective, "artifact": artifact, "resources": resources.unwrap_or(&small),
        },
    });
    platform.apply(&model.to_string()).await
}
