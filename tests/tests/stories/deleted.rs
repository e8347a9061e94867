use marquee_tests::{Outcome, condition, data::repository, platform::Platform};
use serde_json::Value;

const CHILDREN: &str = "deployments,replicasets,pods,services,configmaps,serviceaccounts,horizontalpodautoscalers,poddisruptionbudgets,\
     networkpolicies,rolebindings -l app.kubernetes.io/managed-by=marquee-operator";

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_resource_leaves_nothing_and_a_page_without_its_model_reports_it() -> Outcome {
    let Some(platform) = Platform::new("deleted").await? else { return Ok(()) };
    platform.homepage().await?;
    assert!(
        !platform.list(CHILDREN).await?.is_empty(),
        "the label selects no children, so this test would check nothing"
    );

    platform.kubectl("delete rankingmodel home-top-picks --timeout=60s").await?;
    let names_the_model = |layout: &Value| {
        let (status, reason, message) = condition(layout, "ModelsResolved");
        (status, reason) == ("False", "ObjectiveNotFound") && message.contains("top-picks")
    };
    let layout =
        platform.until("pagelayout/home", "the page to name its missing model", names_the_model).await?;
    assert_eq!(condition(&layout, "Ready").0, "True", "the rest of the page is served");
    let pages = platform.pages(&["1".to_owned()]).await?;
    assert_eq!(pages[0]["degraded"], true, "a fallback fills the row");

    let examples = repository().join("examples/homepage").display().to_string();
    platform.kubectl_with(&["delete", "-f", &examples, "--ignore-not-found", "--timeout=60s"]).await?;
    let none = |list: &Value| list["items"].as_array().is_some_and(Vec::is_empty);
    platform.until(CHILDREN, "all children to be deleted", none).await?;
    Ok(())
}
