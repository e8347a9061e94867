//! Who applies manifests and waits with kstatus, as Argo CD, Flux and Helm do, waits until what was applied serves.

use std::{fs, path::Path};

use marquee_tests::{
    Outcome, condition,
    data::repository,
    platform::{Platform, poison, run},
};
use serde_json::Value;

/// The homepage as a chart, its first row ranked by `artifact`.
fn chart(at: &Path, version: &str, artifact: &str) -> Outcome<String> {
    let templates = at.join("templates");
    fs::create_dir_all(&templates)?;
    fs::write(at.join("Chart.yaml"), format!("apiVersion: v2\nname: homepage\nversion: {version}\n"))?;
    for file in ["layout.yaml", "rated-for-you.yaml", "similar.yaml", "top-picks.yaml"] {
        let text = fs::read_to_string(repository().join("examples/homepage").join(file))?;
        let text = text.replace("/artifacts/home-ials", &format!("/artifacts/{artifact}"));
        fs::write(templates.join(file), text)?;
    }
    Ok(at.display().to_string())
}

fn artifact(model: &Value) -> &str {
    model["spec"]["artifact"]["uri"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_waits_until_what_was_applied_serves_and_says_when_it_never_will() -> Outcome {
    let Some(platform) = Platform::new("waits").await? else { return Ok(()) };
    poison(
        &platform.artifacts.join("home-ials"),
        &platform.artifacts.join("home-ials-nan"),
        "title.factors",
    )?;
    let folder = platform.cluster.folder().join("homepage-chart");
    let helm = async |args: &[&str]| {
        run(platform.cluster, "helm", &[args, &["--namespace", &platform.namespace]].concat(), None).await
    };
    let model = "rankingmodel/home-top-picks";

    let home = chart(&folder.join("1"), "1.0.0", "home-ials")?;
    helm(&["install", "home", &home, "--wait=watcher", "--timeout=120s"]).await?;
    for resource in [model, "rankingmodel/home-similar", "rankingmodel/home-rated-for-you", "pagelayout/home"]
    {
        let status = platform.get(resource).await?["status"].take();
        let serves = status["revision"].is_string() && status["revision"] == status["latestRevision"];
        assert!(serves, "{resource} has never served, and helm waits no more: {status:#}");
    }

    // The revision before answers all the while, so that the model is Ready: what helm waits for is the other one.
    let home = chart(&folder.join("2"), "2.0.0", "home-ease")?;
    helm(&["upgrade", "home", &home, "--wait=watcher", "--timeout=120s"]).await?;
    let upgraded = platform.get(model).await?;
    assert_eq!(artifact(&upgraded), "file:///artifacts/home-ease");
    assert_eq!(upgraded["status"]["revision"], upgraded["status"]["latestRevision"], "it serves");

    // One that never serves: stalled once it had its time, which kstatus calls failed.
    platform.patch(model, &serde_json::json!({"spec": {"progressDeadline": "10s"}})).await?;
    let home = chart(&folder.join("3"), "3.0.0", "home-ials-nan")?;
    let failed = helm(&["upgrade", "home", &home, "--wait=watcher", "--timeout=30s"]).await;
    let told = failed.err().ok_or("helm calls a model with NaN in it current")?.to_string();
    assert!(told.contains("home-top-picks"), "helm does not name the model: {told}");
    let stalled = platform.get(model).await?;
    assert_eq!(condition(&stalled, "Stalled").0, "True", "{stalled:#}");
    assert_eq!(stalled["status"]["revision"], upgraded["status"]["revision"], "what served serves on");

    helm(&["rollback", "home", "2", "--wait=watcher", "--timeout=120s"]).await?;
    let back = platform.get(model).await?;
    assert_eq!((condition(&back, "Stalled").0, condition(&back, "Degraded").0), ("", "False"), "{back:#}");
    Ok(())
}
