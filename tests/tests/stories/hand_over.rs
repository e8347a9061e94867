use marquee_tests::{Outcome, condition, platform::Platform};
use serde_json::{Value, json};

/// A model that is replaced by one of another name, as examples/README.md says it.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_hands_over_to_one_of_another_name_without_a_fallback_row() -> Outcome {
    let Some(platform) = Platform::new("hand-over").await? else { return Ok(()) };
    platform.patient_homepage().await?;
    let old = "rankingmodel/home-top-picks";
    let mut spec = platform.get(old).await?["spec"].take();
    spec["artifact"] = json!({
        "uri": "file:///artifacts/home-ease", "volume": { "claimName": "marquee-artifacts", "mountPath": "/artifacts" },
    });
    let new = json!({
        "apiVersion": "marquee.dev/v1alpha1", "kind": "RankingModel", "metadata": { "name": "renamed" }, "spec": spec,
    });
    let load = platform.load(50, 4).await?;
    load.answers(50).await?;

    platform.patch(old, &json!({ "metadata": { "finalizers": ["example.com/hand-over"] } })).await?;
    platform.apply(&new.to_string()).await?;
    let waits = |model: &Value| condition(model, "Ready").1 == "DuplicateObjective";
    platform.until("rankingmodel/renamed", "the second model to wait for the first", waits).await?;
    platform.kubectl(&format!("delete {old} --wait=false")).await?;
    platform.kubectl("wait rankingmodel/renamed --for=condition=RolledOut --timeout=60s").await?;
    load.answers(50).await?;
    platform.patch(old, &json!({ "metadata": { "finalizers": null } })).await?;
    load.answers(100).await?;
    let tally = load.stop().await?;
    eprintln!("hand-over: {} pages answered, {} degraded", tally.answered, tally.degraded);
    assert_eq!(tally.degraded, 0, "{:?}", tally.fallback_rows);
    tally.none_failed()
}
