use marquee_tests::{Outcome, platform::Platform};
use serde_json::{Value, json};

/// Whether at least `at_least` pods are ready and at most `at_most` pods exist.
pub(super) fn pods(at_least: usize, at_most: usize) -> impl Fn(&Value) -> bool {
    move |pods| {
        let ready = |pod: &&Value| {
            let conditions = pod["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
            conditions.iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
        };
        let pods = pods["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        pods.len() <= at_most && pods.iter().filter(ready).count() >= at_least
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn load_adds_pods_its_end_removes_them_and_no_request_fails() -> Outcome {
    let Some(platform) = Platform::new("autoscaling").await? else { return Ok(()) };
    platform.homepage().await?;
    let spec = json!({ "spec": {
        "replicas": { "min": 1, "max": 3 },
        "autoscaling": { "targetCpuPercent": 50 },
        "resources": { "requests": { "cpu": "50m" } },
    }});
    platform.patch("pagelayout/home", &spec).await?;
    let current = |layout: &Value| {
        layout["status"]["observedGeneration"] == layout["metadata"]["generation"]
            && layout["status"]["revision"] == layout["status"]["latestRevision"]
    };
    platform.until("pagelayout/home", "the autoscaled revision", current).await?;
    let page_pods = "pods -l app.kubernetes.io/component=page";
    platform.until(page_pods, "one page pod", pods(1, 1)).await?;

    let load = platform.load(400, 8).await?;
    platform.until(page_pods, "the load to add pods", pods(2, 3)).await?;
    let tally = load.stop().await?;
    eprintln!("autoscaling: {} pages answered, {} failed", tally.answered, tally.failed.len());
    tally.none_failed()?;

    let low = platform.load(5, 1).await?;
    platform.until(page_pods, "the low load to remove pods", pods(1, 1)).await?;
    low.stop().await?.none_failed()?;
    for deployment in
        platform.list("deployments -l app.kubernetes.io/component=page --show-managed-fields").await?
    {
        let managers = deployment["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        let ours = managers
            .iter()
            .filter(|entry| entry["manager"].as_str().is_some_and(|name| name.starts_with("marquee")));
        for entry in ours {
            assert!(
                entry["fieldsV1"]["f:spec"]["f:replicas"].is_null(),
                "the operator wrote replicas: {entry}"
            );
        }
    }
    Ok(())
}
