//! Tools that apply manifests and wait with kstatus (Argo CD, Flux, Helm) wait until the applied version serves.

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
async fn helm_waits_until_the_applied_version_serves_and_reports_one_that_never_will() -> Outcome {
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
        assert!(serves, "{resource} does not serve, but helm has stopped waiting: {status:#}");
    }

    // The previous revision still answers, so the model is Ready. helm must wait for the new one.
    let home = chart(&folder.join("2"), "2.0.0", "home-ease")?;
    helm(&["upgrade", "home", &home, "--wait=watcher", "--timeout=120s"]).await?;
    let upgraded = platform.get(model).await?;
    assert_eq!(artifact(&upgraded), "file:///artifacts/home-ease");
    assert_eq!(upgraded["status"]["revision"], upgraded["status"]["latestRevision"], "it serves");

    // A revision that never serves: it is stalled after its deadline, and kstatus calls that failed.
    platform.patch(model, &serde_json::json!({"spec": {"progressDeadline": "10s"}})).await?;
    let home = chart(&folder.join("3"), "3.0.0", "home-ials-nan")?;
    let failed = helm(&["upgrade", "home", &home, "--wait=watcher", "--timeout=30s"]).await;
    let error = failed.err().ok_or("helm calls a model with NaN in it current")?.to_string();
    assert!(error.contains("home-top-picks"), "helm does not name the model: {error}");
    let stalled = platform.get(model).await?;
    assert_eq!(condition(&stalled, "Stalled").0, "True", "{stalled:#}");
    assert_eq!(
        stalled["status"]["revision"], upgraded["status"]["revision"],
        "the previous revision still serves"
    );

    helm(&["rollback", "home", "2", "--wait=watcher", "--timeout=120s"]).await?;
    let back = platform.get(model).await?;
    assert_eq!((condition(&back, "Stalled").0, condition(&back, "Degraded").0), ("", "False"), "{back:#}");
    Ok(())
}
