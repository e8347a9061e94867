use marquee_tests::{
    Outcome,
    data::{repository, viewers},
    platform::{self, Platform},
    runtime::Runtime,
};
use serde_json::json;

/// Compares the pages of a single process with those of the cluster's pods, in both topologies, for each viewer.
#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_serves_the_page_of_the_single_process() -> Outcome {
    let Some(platform) = Platform::new("same-page").await? else { return Ok(()) };
    let single = Runtime::serve(&repository().join("examples/homepage"), &platform.artifacts, &[]).await?;
    let expected = platform::pages(&format!("{}/v1/surfaces/home/page", single.http), &viewers()).await?;
    single.stop().await?;
    assert!(expected.iter().any(|page| page["degraded"] == false), "no page to compare");

    platform.homepage().await?;
    assert_eq!(platform.pages(&viewers()).await?, expected, "Microservices");

    platform.patch("pagelayout/home", &json!({ "spec": { "topology": "Monolith" } })).await?;
    let in_one_pod = |layout: &serde_json::Value| {
        layout["status"]["revision"].is_string()
            && layout["status"]["revision"] == layout["status"]["latestRevision"]
            && layout["status"]["observedGeneration"] == layout["metadata"]["generation"]
    };
    platform.until("pagelayout/home", "the monolith to answer", in_one_pod).await?;
    platform.ready("rankingmodels --all").await?;
    assert_eq!(platform.pages(&viewers()).await?, expected, "Monolith");
    let no_rankers = |pods: &serde_json::Value| pods["items"].as_array().is_some_and(Vec::is_empty);
    platform
        .until(
            "pods -l app.kubernetes.io/component=ranker",
            "the pods of the rankers to be deleted",
            no_rankers,
        )
        .await?;
    Ok(())
}
