use marquee_crds::labels;
use marquee_tests::{
    Outcome, condition,
    platform::{Platform, kubectl},
};
use serde_json::{Value, json};

fn resolved(layout: &Value) -> (&str, &str) {
    let (status, reason, _) = condition(layout, "ModelsResolved");
    (status, reason)
}

/// What a PageLayout says of its rows is what its pages show, both ways.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_says_that_the_fallback_fills_its_rows_when_it_does_and_only_then() -> Outcome {
    let Some(platform) = Platform::alone("fallback").await? else { return Ok(()) };
    platform.homepage().await?;
    let page = "pagelayout/home";
    platform.until(page, "every row to have its model", |layout| resolved(layout).0 == "True").await?;

    // The only pod of a model goes, and no node takes another.
    kubectl(platform.cluster, &["cordon", "node-1"], None).await?;
    let pods = format!("delete pods -l {}=home-top-picks", labels::MODEL);
    platform.kubectl(&pods).await?;
    let is_silent = |layout: &Value| resolved(layout) == ("False", "ModelNotReady");
    let layout = platform.until(page, "the page to name the model", is_silent).await?;
    assert_eq!(
        (condition(&layout, "Ready").0, condition(&layout, "Degraded").0),
        ("True", "True"),
        "{layout:#}"
    );
    assert_eq!(platform.pages(&["1".to_owned()]).await?[0]["degraded"], true);

    kubectl(platform.cluster, &["uncordon", "node-1"], None).await?;
    platform.until(page, "every row to have its model again", |layout| resolved(layout).0 == "True").await?;

    // Models that move into the page's pods answer all the while.
    let warnings = async || -> Outcome<usize> {
        let events = platform.kubectl("get events --field-selector=involvedObject.kind=PageLayout").await?;
        Ok(events.matches("ModelNotReady").count())
    };
    let before = warnings().await?;
    platform.patch(page, &json!({ "spec": { "topology": "Monolith" } })).await?;
    platform.kubectl(&format!("wait {page} --for=condition=RolledOut --timeout=60s")).await?;
    platform
        .until(page, "every row to have its model in the page", |layout| resolved(layout).0 == "True")
        .await?;
    assert_eq!(warnings().await?, before, "a warning, though no page fell back");
    Ok(())
}
