use marquee_tests::{
    Outcome, condition,
    platform::{Platform, poison, variant},
};
use serde_json::{Value, json};

fn artifact(folder: &str) -> Value {
    json!({ "spec": { "artifact": { "uri": format!("file:///artifacts/{folder}") } } })
}

/// One revision answers all, and it is the one that the spec asks for.
fn is_settled(model: &Value) -> bool {
    let status = &model["status"];
    status["observedGeneration"] == model["metadata"]["generation"]
        && status["revision"].is_string()
        && status["revision"] == status["latestRevision"]
        && status["traffic"].as_array().is_some_and(|traffic| traffic.len() == 1)
        && status["traffic"][0]["revision"] == status["revision"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_takes_over_without_a_failed_request_and_a_broken_one_never_does() -> Outcome {
    let Some(platform) = Platform::new("revisions").await? else { return Ok(()) };
    variant(&platform.artifacts.join("home-ials-2")).await?;
    poison(
        &platform.artifacts.join("home-ials"),
        &platform.artifacts.join("home-ials-nan"),
        "title.factors",
    )?;
    platform.homepage().await?;
    let model = "rankingmodel/home-top-picks";
    let first = platform.until(model, "the first revision", is_settled).await?["status"]["revision"].clone();
    let load = platform.load(50, 4).await?;
    load.answers(50).await?;

    platform.patch(model, &artifact("home-ials-2")).await?;
    let wait = format!("wait {model} --for=condition=RolledOut");
    platform.kubectl(&format!("{wait} --timeout=60s")).await?;
    let waited = platform.get(model).await?;
    assert!(
        is_settled(&waited),
        "kubectl waits no more, and the second revision does not answer: {waited:#}"
    );
    let second =
        platform.until(model, "the second revision", is_settled).await?["status"]["revision"].clone();
    assert_ne!(first, second, "another artifact is another revision");
    load.answers(100).await?;

    platform.patch(model, &artifact("home-ials-nan")).await?;
    let refused = |model: &Value| condition(model, "ArtifactResolved").1 == "NotFinite";
    let broken = platform.until(model, "NotFinite in the status", refused).await?;
    let (status, _, message) = condition(&broken, "ArtifactResolved");
    assert_eq!(status, "False");
    assert!(message.contains("title.factors"), "the tensor is not named: {message}");
    assert_eq!(broken["status"]["revision"], second, "the broken revision serves nobody");
    assert_eq!(broken["status"]["traffic"][0]["revision"], second);
    assert_eq!(condition(&broken, "Ready").0, "True", "what served before serves on");
    assert_eq!(
        condition(&broken, "Degraded").0,
        "True",
        "and the status says that it is not what was asked for"
    );
    let early = platform.kubectl(&format!("{wait} --timeout=2s")).await;
    assert!(early.is_err(), "kubectl wait calls a broken artifact rolled out: {early:?}");
    let events = platform.kubectl("get events").await?;
    assert!(events.contains("NotFinite"), "no event tells of it:\n{events}");
    load.answers(100).await?;

    platform.patch(model, &artifact("home-ials")).await?;
    let back = platform.until(model, "the first revision again", is_settled).await?;
    assert_eq!(back["status"]["revision"], first, "the same artifact is the same revision");
    load.answers(100).await?;
    let tally = load.stop().await?;
    eprintln!(
        "revisions: {} pages answered, {} degraded, {} late, {} failed",
        tally.answered,
        tally.degraded,
        tally.late,
        tally.failed.len()
    );
    tally.none_failed()?;
    Ok(())
}
