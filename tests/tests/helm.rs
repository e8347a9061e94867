//! Installs, tests, upgrades, rolls back and uninstalls a release with the real `helm`, while the homepage is served.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use marquee_tests::{
    Outcome, condition,
    data::repository,
    platform::{Platform, SYSTEM, kubectl, run},
};
use serde_json::Value;

/// Selects the pods that serve.
const OURS: &str = "app.kubernetes.io/managed-by=marquee-operator";
/// Text that only the later of two charts has in its CRDs.
const LATER: &str = "Said by the later chart.";

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_served_while_a_release_is_installed_upgraded_and_removed() -> Outcome {
    // The harness installs the chart, with Helm 4.
    let Some(platform) = Platform::new("helm").await? else { return Ok(()) };
    platform.homepage().await?;
    let release = Release { platform: &platform };
    release.helm("helm", &["test", "marquee", "--timeout=60s"]).await?;
    let pods = release.serving().await?;
    let load = platform.load(20, 2).await?;

    // A later chart has a longer description of a kind, and other values.
    let later = platform.cluster.folder().join("later-chart");
    let copied =
        Command::new("cp").arg("-r").arg(repository().join("charts/marquee")).arg(&later).status()?;
    assert!(copied.success());
    make_later(&later)?;
    let chart = later.display().to_string();
    let upgrade =
        ["upgrade", "marquee", &chart, "--reuse-values", "--set=replicas=1", "--wait", "--timeout=90s"];
    release.helm("helm", &upgrade).await?;
    assert_eq!(release.operators().await?, "1");
    assert!(release.kind().await?.contains(LATER), "the upgrade updates the CRDs");

    release.helm("helm", &["rollback", "marquee", "1", "--wait", "--timeout=90s"]).await?;
    assert_eq!(release.operators().await?, "2");
    assert!(!release.kind().await?.contains(LATER), "the rollback restores the CRDs");

    // An image that no node can pull: the previous pods still serve, each resource reports it and recovers after a rollback.
    let chart = repository().join("charts/marquee").display().to_string();
    let nowhere = ["--set=runtimeImage.repository=localhost/nowhere", "--wait", "--timeout=90s"];
    release.helm("helm", &[&["upgrade", "marquee", &chart, "--reuse-values"], &nowhere[..]].concat()).await?;
    for resource in ["rankingmodel/home-top-picks", "pagelayout/home"] {
        let why = format!("{resource} to say that its image cannot be pulled");
        let object =
            platform.until(resource, &why, |object| object["status"]["why"] == "ImageNotPulled").await?;
        let (degraded, _, message) = condition(&object, "Degraded");
        assert_eq!(degraded, "True");
        assert!(message.contains("localhost/nowhere") && message.contains("runtimeImage"), "{message}");
        assert_eq!(condition(&object, "Ready").0, "True", "the previous pods still serve");
    }
    release.helm("helm", &["rollback", "marquee", "1", "--wait", "--timeout=90s"]).await?;
    for resource in ["rankingmodel/home-top-picks", "pagelayout/home"] {
        platform.until(resource, "it to recover", |object| object["status"]["why"] == "").await?;
    }
    let as_before = |list: &Value| list["items"].as_array().is_some_and(|now| now.len() == pods.len());
    platform.until(&format!("pods -l {OURS}"), "the pods without an image to be deleted", as_before).await?;
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
    assert_eq!(platform.list("rankingmodels").await?.len(), 3, "the CRDs and their objects stay");
    load.answers(100).await?;

    // Helm 3 takes over the objects that were kept.
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
    assert_eq!(release.serving().await?, pods, "every serving pod is still the same");
    let tally = load.stop().await?;
    eprintln!("while releases changed: {} pages answered, {} degraded", tally.answered, tally.degraded);
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
            Ok(output) => Ok(output),
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

    /// Uids of the pods that serve.
    async fn serving(&self) -> Outcome<BTreeSet<String>> {
        let pods = self.platform.list(&format!("pods -l {OURS}")).await?;
        Ok(pods.iter().map(|pod| pod["metadata"]["uid"].as_str().unwrap().to_owned()).collect())
    }
}

/// Changes a chart into a later version: its number, and the description of a kind.
fn make_later(chart: &Path) -> Outcome {
    for (file, is, becomes) in [
        ("Chart.yaml", "version: 0.1.0\n", "version: 0.1.1\n".to_owned()),
        ("files/crds/rankingmodels.yaml", "One ranking model.", format!("One ranking model. {LATER}")),
    ] {
        let text = fs::read_to_string(chart.join(file))?;
        assert!(text.contains(is), "{file} has no {is:?}");
        // The image's tag is the appVersion, which must stay the same.
        fs::write(chart.join(file), text.replacen(is, &becomes, 1))?;
    }
    Ok(())
}
