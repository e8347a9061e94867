//! Where nothing changes nothing is written, and what another changed is put back once, or left alone where it is theirs.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use marquee_tests::{
    Outcome,
    operator::{Fate, Proxy, Stage},
};
use serde_json::json;

const OFTEN: &[&str] = &["--leader-elect=false", "--resync=1s"];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_is_not_written_and_what_is_theirs_stays_theirs() -> Outcome {
    let stage = Stage::new("silence").await?;
    stage.make_model().await?;
    stage.make_layout().await?;
    let proxy = Proxy::before(stage.server, |_| Fate::Pass).await?;
    let _operator = stage.operate_as("often", &proxy.kubeconfig().to_string(), OFTEN)?;
    let settled = async || {
        stage
            .until("both to be ready and quiet", async || {
                let ready = stage.is_ready("RankingModel", "m", 1).await?
                    && stage.is_ready("PageLayout", "home", 1).await?;
                Ok(ready && proxy.quiet() > Duration::from_secs(3))
            })
            .await
    };
    let looked_at = async || -> Outcome {
        let before = stage.said("often", "reconciled")?;
        stage.until("ten reconciles", async || Ok(stage.said("often", "reconciled")? >= before + 10)).await
    };
    settled().await?;
    let writes = proxy.writes();
    looked_at().await?;
    assert_eq!(proxy.writes(), writes, "nothing changed");

    let revision = stage.api("RankingModel")?.get("m").await?.data["status"]["latestRevision"].take();
    let deployment = &format!("m-ranker-{}", revision.as_str().ok_or("no revision")?);
    let theirs = json!({"metadata": {"annotations": {"theirs.example/a": "b"}}, "spec": {"replicas": 3}});
    stage.patch("Deployment", deployment, &theirs).await?;
    let mesh = json!({"spec": {"template": {"spec": {"containers": [{"name": "mesh", "image": "mesh:1"}]}}}});
    let params = PatchParams::default();
    stage.api("Deployment")?.patch(deployment, &params, &Patch::Strategic(mesh)).await?;
    looked_at().await?;
    settled().await?;
    let live = stage.api("Deployment")?.get(deployment).await?;
    let containers = live.data["spec"]["template"]["spec"]["containers"].as_array().map_or(0, Vec::len);
    assert_eq!(containers, 2, "the mesh's container is the mesh's");
    assert_eq!(live.data["spec"]["replicas"], 3, "the autoscaler's");
    assert_eq!(live.metadata.annotations.unwrap_or_default()["theirs.example/a"], "b");

    let before = stage.world().await?;
    let change = json!({"spec": {"minAvailable": 3}});
    stage.patch("PodDisruptionBudget", "m-ranker", &change).await?;
    stage.until("the budget to be put back", async || Ok(stage.world().await? == before)).await?;
    settled().await?;
    let events = stage.server.kubectl(&["get", "events.events.k8s.io", "-n", "silence", "-o", "json"])?;
    let events: serde_json::Value = serde_json::from_str(&events)?;
    let mended = events["items"].as_array().ok_or("no events")?;
    let mended: Vec<_> = mended.iter().filter(|event| event["reason"] == "DriftMended").collect();
    assert_eq!(mended.len(), 1, "{mended:?}");

    for (kind, name) in [("RankingModel", "m"), ("PageLayout", "home")] {
        stage.api(kind)?.delete(name, &Default::default()).await?;
    }
    // What was under way when they went may still be told.
    stage.until("what was under way to end", async || Ok(proxy.quiet() > Duration::from_secs(1))).await?;
    let writes = proxy.writes();
    stage.until("the quiet after", async || Ok(proxy.quiet() > Duration::from_secs(5))).await?;
    assert_eq!(proxy.writes(), writes, "nothing is written for what is gone");
    Ok(())
}
