//! A release's life with the real `helm`: installed, tested, upgraded, rolled back, uninstalled, while the homepage is served.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use marquee_tests::{
    Outcome, condition,
    data::repository,
    platform::{Platform, SYSTEM, kubectl, run},
};
use serde_json::Value;

/// Finds the pods that serve.
const OURS: &str = "app.kubernetes.io/managed-by=marquee-operator";
/// A word that only the later of two charts has in its kinds.
const LATER: &str = "Said by the later chart.";

#[tokio::test(flavor = "multi_thread")]
async fn a_release_comes_and_goes_and_pages_are_served_all_the_while() -> Outcome {
    // The harness installs the chart, with Helm 4.
    let Some(platform) = Platform::new("helm").await? else { return Ok(()) };
    platform.homepage().await?;
    let release = Release { platform: &platform };
    release.helm("helm", &["test", "marquee", "--timeout=60s"]).await?;
    let pods = release.serving().await?;
    let load = platform.load(20, 2).await?;

    // A later chart: a kind that says more, and other values.
    let later = platform.cluster.folder().join("later-chart");
    let copied =
        Command::new("cp").arg("-r").arg(repository().join("charts/marquee")).arg(&later).status()?;
    assert!(copied.success());
    say_more(&later)?;
    let chart = later.display().to_string();
    let upgrade =
        ["upgrade", "marquee", &chart, "--reuse-values", "--set=replicas=1", "--wait", "--timeout=90s"];
    release.helm("helm", &upgrade).await?;
    assert_eq!(release.operators().await?, "1");
    assert!(release.kind().await?.contains(LATER), "the upgrade brings the kinds");

    release.helm("helm", &["rollback", "marquee", "1", "--wait", "--timeout=90s"]).await?;
    assert_eq!(release.operators().await?, "2");
    assert!(!release.kind().await?.contains(LATER), "the roll-back takes the kinds back");

    // An image that no node can pull: what serves serves on, everything says so, and it heals.
    let chart = repository().join("charts/marquee").display().to_string();
    let nowhere = ["--set=runtimeImage.repository=localhost/nowhere", "--wait", "--timeout=90s"];
    release.helm("helm", &[&["upgrade", "marquee", &chart, "--reuse-values"], &nowhere[..]].concat()).await?;
    for resource in ["rankingmodel/home-top-picks", "pagelayout/home"] {
        let why = format!("{resource} to say that its image cannot be pulled");
        let told =
            platform.until(resource, &why, |object| object["status"]["why"] == "ImageNotPulled").await?;
        let (degraded, _, message) = condition(&told, "Degraded");
        assert_eq!(degraded, "True");
        assert!(message.contains("localhost/nowhere") && message.contains("--runtime-image"), "{message}");
        assert_eq!(condition(&told, "Ready").0, "True", "what served serves on");
    }
    release.helm("helm", &["rollback", "marquee", "1", "--wait", "--timeout=90s"]).await?;
    for resource in ["rankingmodel/home-top-picks", "pagelayout/home"] {
        platform.until(resource, "it to heal", |object| object["status"]["why"] == "").await?;
    }
    let as_before = |list: &Value| list["items"].as_array().is_some_and(|now| now.len() == pods.len());
    platform.until(&format!("pods -l {OURS}"), "the pods without an image to go", as_before).await?;
    load.answers(20).await?;

    release.helm("helm", &["uninstall", "marquee", "--wait", "--timeout=90s"]).await?;
    let left = release.system(&[
        "get",
        "deployments,services,configmaps",
        "-l",
        "app.kubernetes.io/name=marquee",
        "-o",
        "name",
    ]);
    assert_eq!(left.await?, "");
    assert_eq!(platform.list("rankingmodels").await?.len(), 3, "the kinds and what is of them stay");
    load.answers(100).await?;

    // Helm 3 takes over what was kept.
    let chart = repository().join("charts/marquee").display().to_string();
    let install = ["install", "marquee", &chart, "--wait", "--timeout=90s"];
    release.helm("helm3", &install).await?;
    release.helm("helm3", &["test", "marquee", "--timeout=60s"]).await?;
    platform.ready("rankingmodels --all").await?;
    release
        .helm("helm3", &["upgrade", "marquee", &chart, "--set=replicas=1", "--wait", "--timeout=90s"])
        .await?;
    release.helm("helm3", &["rollback", "marquee", "1", "--wait", "--timeout=90s"]).await?;
    assert_eq!(release.operators().await?, "2");
    load.answers(20).await?;
    assert_eq!(release.serving().await?, pods, "no pod that serves was touched");
    let tally = load.stop().await?;
    eprintln!("while releases came and went: {} pages answered, {} degraded", tally.answered, tally.degraded);
    tally.none_failed()?;

    Ok(())
}

struct Release<'a> {
    platform: &'a Platform,
}

impl Release<'_> {
    async fn helm(&self, helm: &str, args: &[&str]) -> Outcome<String> {
        let ran = run(self.platform.cluster, helm, &[args, &["--namespace", SYSTEM]].concat(), None).await;
        match ran {
            Ok(said) => Ok(said),
            Err(error) => {
                let pods = self.system(&["describe", "pods"]).await.unwrap_or_default();
                let logs = self.system(&["logs", "-l", "app.kubernetes.io/name=marquee", "--tail=40"]).await;
                Err(format!("{error}\n{pods}\n{}", logs.unwrap_or_default()).into())
            }
        }
    }

    async fn system(&self, args: &[&str]) -> Outcome<String> {
        kubectl(self.platform.cluster, &[&["--namespace", SYSTEM], args].concat(), None).await
    }

    async fn operators(&self) -> Outcome<String> {
        self.system(&["get", "deployment/marquee-operator", "-o", "jsonpath={.status.readyReplicas}"]).await
    }

    async fn kind(&self) -> Outcome<String> {
        self.system(&["get", "crd", "rankingmodels.marquee.dev", "-o", "json"]).await
    }

    /// The pods that serve, by their uids.
    async fn serving(&self) -> Outcome<BTreeSet<String>> {
        let pods = self.platform.list(&format!("pods -l {OURS}")).await?;
        Ok(pods.iter().map(|pod| pod["metadata"]["uid"].as_str().unwrap().to_owned()).collect())
    }
}

/// Makes a later version of a chart: its number, and the description of a kind.
fn say_more(chart: &Path) -> Outcome {
    for (file, is, becomes) in [
        ("Chart.yaml", "version: 0.1.0\n", "version: 0.1.1\n".to_owned()),
        ("files/crds/rankingmodels.yaml", "One ranking model.", format!("One ranking model. {LATER}")),
    ] {
        let text = fs::read_to_string(chart.join(file))?;
        assert!(text.contains(is), "{file} has no {is:?}");
        // The image's tag is the appVersion, which stays.
        fs::write(chart.join(file), text.replacen(is, &becomes, 1))?;
    }
    Ok(())
}
