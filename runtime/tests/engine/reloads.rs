//! Reloads of good manifests, of bad ones, and of good ones again.

use std::{
    fs,
    time::{Duration, Instant},
};

use marquee_runtime::{
    engine::{Engine, ReadyWhen, Reload},
    service::State,
};
use tokio_util::sync::CancellationToken;

use crate::{
    artifacts::{self, SMALL, row},
    world::{World, titles},
};

fn rows() -> [String; 1] {
    [row("top-picks", "Top picks", "{model: {objective: top-picks}}")]
}

/// State, revision and error (if any) of the model with objective `top-picks`.
fn model(world: &World) -> (State, Option<String>, Option<String>) {
    let status = world.service.status();
    let model = status.models[0].clone();
    (model.state, model.artifact_digest, model.error)
}

#[tokio::test]
async fn after_a_bad_manifest_the_old_plan_serves_and_the_error_is_reported() {
    let world = World::new();
    world.manifests(&[world.top_picks("a"), world.layout(&rows(), "")]);
    let mut engine = world.engine().await;
    let before = world.page("v1", &[]).await;
    assert!(world.service.is_ready());

    world.manifests(&[world.top_picks("b").replace("objective:", "objectiv:"), world.layout(&rows(), "")]);
    assert_eq!(engine.reload().await, Reload::Failed);
    let during = world.page("v1", &[]).await;
    assert_eq!(titles(&during, "top-picks"), titles(&before, "top-picks"));
    let status = world.service.status();
    assert!(status.ready, "the old plan keeps serving");
    assert!(
        status.manifest_problems.iter().any(|problem| problem.contains("objectiv")),
        "{:?}",
        status.manifest_problems
    );

    world.manifests(&[world.top_picks("b"), world.layout(&rows(), "")]);
    assert_eq!(engine.reload().await, Reload::Changed);
    assert_ne!(titles(&world.page("v1", &[]).await, "top-picks"), titles(&before, "top-picks"));
    assert!(world.service.status().manifest_problems.is_empty());
    assert_eq!(engine.reload().await, Reload::Unchanged);
    let outcomes =
        ["changed", "unchanged", "failed"].map(|outcome| world.counts.of(&format!("reload {outcome}")));
    assert_eq!(outcomes, [1, 1, 1]);
}

#[tokio::test]
async fn after_a_bad_artifact_the_old_revision_serves_and_the_error_is_reported() {
    let world = World::new();
    world.manifests(&[world.top_picks("a"), world.layout(&rows(), "")]);
    let mut engine = world.engine().await;
    let (state, good, _) = model(&world);
    assert_eq!(state, State::Serving);
    let before = world.page("v1", &[]).await;

    // The URI now leads to damaged weights.
    let weights = world.path("b/weights.safetensors");
    let whole = fs::read(&weights).unwrap();
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&weights, damaged).unwrap();
    world.manifests(&[world.top_picks("b"), world.layout(&rows(), "")]);
    assert_eq!(engine.reload().await, Reload::Failed);
    let (state, revision, error) = model(&world);
    assert_eq!((state, &revision), (State::ServingPrevious, &good), "the old revision, by its digest");
    let error = error.unwrap();
    assert!(error.contains("weights.safetensors") && error.contains("sha256"), "{error}");
    assert_eq!(titles(&world.page("v1", &[]).await, "top-picks"), titles(&before, "top-picks"));
    assert!(world.service.is_ready());

    fs::write(&weights, whole).unwrap();
    assert_eq!(engine.reload().await, Reload::Changed);
    let (state, revision, error) = model(&world);
    assert_eq!((state, error), (State::Serving, None));
    assert_ne!(revision, good);
    assert!(world.counts.of("load failed") == 1 && world.counts.of("load reused") >= 2);
}

#[tokio::test]
async fn one_bad_model_does_not_stop_the_others_and_readiness_follows_the_flag() {
    let world = World::new();
    let bad = artifacts::model("bad", &world.path("nowhere"), "");
    world.manifests(&[bad, world.top_picks("a"), world.layout(&rows(), "")]);
    for (ready_when, ready) in [(ReadyWhen::All, false), (ReadyWhen::Any, true)] {
        let service = marquee_runtime::service::Service::new(world.counts.clone());
        let options = marquee_runtime::engine::EngineOptions { ready_when, ..world.options() };
        let mut engine = Engine::new(options, service.clone()).await.unwrap();
        assert!(!service.is_ready(), "nothing is loaded yet");
        assert_eq!(service.status().models[0].state, State::Loading);
        assert_eq!(engine.load().await, Reload::Failed);
        assert_eq!(service.is_ready(), ready);
        assert_eq!(service.models().len(), 1);
        let states: Vec<State> = service.status().models.iter().map(|model| model.state).collect();
        assert_eq!(states, [State::Failed, State::Serving]);
    }
}

#[tokio::test]
async fn a_catalogue_is_refused_as_a_model_and_a_model_as_a_catalogue() {
    let world = World::new();
    let layout = artifacts::layout(&world.path("a"), &rows(), "");
    world.manifests(&[world.top_picks("titles"), layout]);
    world.engine().await;
    let status = world.service.status();
    let errors: Vec<_> =
        status.models.iter().chain(&status.pages).map(|status| status.error.clone().unwrap()).collect();
    assert!(
        errors[0].ends_with("contains a catalogue, but a model is needed: correct the uri"),
        "{errors:?}"
    );
    assert!(
        errors[1].ends_with("contains a model, but a catalogue is needed: correct the uri"),
        "{errors:?}"
    );
}

#[tokio::test]
async fn a_running_engine_sees_manifests_and_artifacts_change() {
    let world = World::new();
    world.manifests(&[world.top_picks("a"), world.layout(&rows(), "")]);
    let engine = world.engine().await;
    let shutdown = CancellationToken::new();
    let story = async {
        let (_, first, _) = model(&world);
        world.manifests(&[world.top_picks("b"), world.layout(&rows(), "")]);
        until("the manifest's change is served", || model(&world).1 != first).await;
        let (_, second, _) = model(&world);
        artifacts::mf(&world.path("b"), SMALL, 9);
        until("the artifact's change is served", || model(&world).1 != second).await;
        assert_eq!(model(&world).0, State::Serving);
        shutdown.cancel();
    };
    tokio::join!(engine.run(shutdown.clone()), story);
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "{what}: did not happen within 20 s");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
