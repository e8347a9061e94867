use marquee_tests::{
    Outcome,
    platform::{Platform, kubectl},
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_last_page_pod_is_not_drained_away() -> Outcome {
    let Some(platform) = Platform::alone("drained").await? else { return Ok(()) };
    platform.homepage().await?;
    let load = platform.load(50, 4).await?;
    load.answers(50).await?;

    let refused = drain(&platform).await.err().ok_or("the only page pod was drained away")?.to_string();
    assert!(refused.contains("disruption budget"), "refused for another reason: {refused}");
    kubectl(platform.cluster, &["uncordon", "node-1"], None).await?;

    platform.patch("pagelayout/home", &json!({ "spec": { "replicas": { "min": 2 } } })).await?;
    let both = |layout: &serde_json::Value| layout["status"]["pods"] == "2/2";
    platform.until("pagelayout/home", "two page pods", both).await?;
    // The budget allows one of two to be evicted. There is no other node for its replacement, so the second stays.
    let refused = drain(&platform).await.err().ok_or("both page pods were drained away")?.to_string();
    assert!(refused.contains("disruption budget"), "refused for another reason: {refused}");
    let one = |pods: &serde_json::Value| {
        let pods = pods["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        pods.iter().filter(|pod| !pod["spec"]["nodeName"].is_null()).count() == 1
    };
    platform.until("pods -l app.kubernetes.io/component=page", "one page pod to be evicted", one).await?;
    load.answers(100).await?;
    kubectl(platform.cluster, &["uncordon", "node-1"], None).await?;
    let tally = load.stop().await?;
    eprintln!("drained: {} pages answered, {} failed", tally.answered, tally.failed.len());
    tally.none_failed()?;
    Ok(())
}

async fn drain(platform: &Platform) -> Outcome<String> {
    let selector = "--pod-selector=app.kubernetes.io/component=page";
    let args = ["drain", "node-1", selector, "--delete-emptydir-data", "--force", "--timeout=12s"];
    kubectl(platform.cluster, &args, None).await
}
