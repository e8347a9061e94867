use std::{path::Path, time::Instant};

use marquee_tests::{
    Outcome,
    cluster::{namespaces::NODE, tools},
    condition,
    platform::{Platform, copy, digest},
};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn the_status_reports_a_store_that_is_down_and_recovers_by_itself() -> Outcome {
    let Some(platform) = Platform::new("store").await? else { return Ok(()) };
    let bucket = platform.cluster.folder().join("store/models");
    copy(&platform.artifacts.join("home-ials"), &bucket.join("home-ials"))?;
    let sha256 = digest(&bucket.join("home-ials"))?;
    let model = format!(
        "
apiVersion: v1
kind: Secret
metadata: {{name: store}}
stringData:
  AWS_ENDPOINT: http://{NODE}:9900
  AWS_ALLOW_HTTP: 'true'
  AWS_REGION: us-east-1
  AWS_ACCESS_KEY_ID: key
  AWS_SECRET_ACCESS_KEY: secret
---
apiVersion: marquee.dev/v1alpha1
kind: RankingModel
metadata: {{name: stored}}
spec:
  surface: stored
  objective: stored
  artifact: {{uri: 's3://models/home-ials', sha256: {sha256}, credentials: {{secretName: store}}}}
"
    );
    platform.apply(&model).await?;
    let running = |pods: &Value| {
        let pods = pods["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        pods.iter().any(|pod| !pod["status"]["containerStatuses"][0]["started"].is_null())
    };
    platform.until("pods -l marquee.dev/model=stored", "a pod to start", running).await?;
    let began = Instant::now();
    let unreachable = |model: &Value| condition(model, "ArtifactResolved").1 == "StoreUnreachable";
    let model = platform.until("rankingmodel/stored", "the reason in the status", unreachable).await?;
    let waited = began.elapsed();
    eprintln!("store: the status said StoreUnreachable {:.1} s after the pod started", waited.as_secs_f32());
    assert!(waited.as_secs() < 10, "the reason came after {waited:?}");
    assert_eq!(condition(&model, "Ready").0, "False", "never Ready while broken");

    let folder = bucket.parent().ok_or("the bucket lies in no folder")?.display().to_string();
    let address = format!("{NODE}:9900");
    let args = [address.as_str(), folder.as_str(), "key", "secret"];
    let _store = platform.cluster.spawn("store", Path::new(&tools::sibling("store")?), args)?;
    platform.ready("rankingmodel/stored").await?;
    let recovered = platform.get("rankingmodel/stored").await?;
    assert_eq!(
        condition(&recovered, "ArtifactResolved"),
        ("True", "ArtifactLoaded", condition(&recovered, "ArtifactResolved").2)
    );
    assert_eq!(recovered["status"]["why"], json!(""), "the status reports no problem any more");
    Ok(())
}
