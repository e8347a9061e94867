//! Which next revisions need a start permit, what those say that have none, and which statuses count as starting.

use k8s_openapi::jiff::Timestamp;
use marquee_crds::{
    RankingModel,
    conditions::{ConditionType, Reason, find},
    ranking_model::RankingModelStatus,
};
use marquee_operator::{
    child::ChildKind,
    controllers::ranking_model::decide,
    observed::{Capabilities, Settings},
    served::PreviousStatus,
};
use serde_json::json;

use crate::cluster::{Cluster, model, reconcile_model, settings, stored};

/// A model whose first revision answers.
fn served() -> (RankingModel, Cluster) {
    let (mut model, mut cluster) = (model("top-picks", json!({})), Cluster::new(Capabilities::default()));
    reconcile(&mut model, &mut cluster, &settings());
    cluster.make_ready(|_| true);
    reconcile(&mut model, &mut cluster, &settings());
    (model, cluster)
}

fn reconcile(model: &mut RankingModel, cluster: &mut Cluster, settings: &Settings) -> RankingModelStatus {
    let done = reconcile_model(model, &cluster.observed, settings, cluster.now);
    model.status = Some(stored(&done.status));
    cluster.apply(&done.children);
    done.status
}

fn needs_permit(model: &RankingModel, cluster: &Cluster, now: Timestamp) -> bool {
    decide::plan(model, &cluster.observed, &settings(), now).needs_permit
}

#[test]
fn only_a_next_revision_that_has_not_begun_needs_a_permit() {
    let (mut next, mut cluster) = served();
    let first = next.spec.artifact.uri.clone();
    assert!(!needs_permit(&next, &cluster, cluster.now), "nothing changed");
    let new = model("top-picks", json!({}));
    assert!(!needs_permit(&new, &Cluster::new(Capabilities::default()), cluster.now), "its first revision");

    next.spec.artifact.uri = "s3://models/b".into();
    assert!(needs_permit(&next, &cluster, cluster.now), "another artifact");
    let mut down = cluster.clone();
    down.observed.pods.iter_mut().for_each(|pod| pod.ready = false);
    assert!(!needs_permit(&next, &down, down.now), "nothing answers meanwhile");

    reconcile(&mut next, &mut cluster, &settings());
    assert!(!needs_permit(&next, &cluster, cluster.now), "its pods are starting");
    cluster.make_ready(|_| true);
    reconcile(&mut next, &mut cluster, &settings());
    cluster.wait(3600);
    reconcile(&mut next, &mut cluster, &settings());
    next.spec.artifact.uri = first;
    assert!(!needs_permit(&next, &cluster, cluster.now), "a roll-back, whose configuration is kept");
}

#[test]
fn a_revision_without_a_permit_says_so_has_no_children_and_starts_later() {
    let (mut model, mut cluster) = served();
    let serving = model.status.clone().unwrap().revision.unwrap();
    let settings = Settings { max_starting: 2, ..settings() };
    model.spec.artifact.uri = "s3://models/b".into();
    cluster.observed.n_starting = 2;
    for _ in 0..2 {
        let done = reconcile_model(&model, &cluster.observed, &settings, cluster.now);
        let latest = done.status.latest_revision.clone().unwrap();
        let progressing = find(&done.status.conditions, ConditionType::Progressing).unwrap();
        let expected = format!(
            "revision {latest} waits for its turn: 2 others are starting, and the operator's --max-starting allows no more at \
             once; revision {serving} answers meanwhile"
        );
        assert_eq!(
            (progressing.status.as_str(), progressing.reason.as_str()),
            ("True", Reason::RevisionWaiting.as_str())
        );
        assert_eq!(progressing.message, expected);
        assert_eq!(done.status.why, "RevisionWaiting");
        assert_eq!(find(&done.status.conditions, ConditionType::Degraded).unwrap().status, "False");
        assert!(done.look_again.is_some_and(|again| again.as_secs() <= 30), "{:?}", done.look_again);
        let is_its_pods = |kind: ChildKind| kind == ChildKind::Deployment || kind == ChildKind::ConfigMap;
        let begun =
            done.children.iter().any(|child| is_its_pods(child.kind) && child.name.ends_with(&latest));
        assert!(!begun, "{:?}", done.children);
        assert!(done.children.iter().any(|child| child.name.ends_with(&serving)), "what answers stays");
        model.status = Some(stored(&done.status));
        cluster.apply(&done.children);
        cluster.wait(3600);
        let previous = PreviousStatus::from(&model);
        assert!(previous.waits_for_permit() && !previous.is_starting());
    }
    cluster.observed.n_starting = 0;
    let status = reconcile(&mut model, &mut cluster, &settings);
    let progressing = find(&status.conditions, ConditionType::Progressing).unwrap();
    assert_eq!(progressing.reason, "RevisionStarting", "its deadline begins now, not when it began to wait");
}

#[test]
fn a_revision_counts_as_starting_until_it_answers_or_is_late() {
    let (mut model, mut cluster) = served();
    let counts = |model: &RankingModel| PreviousStatus::from(model).is_starting();
    assert!(!counts(&model), "its first revision answers");
    model.spec.artifact.uri = "s3://models/b".into();
    reconcile(&mut model, &mut cluster, &settings());
    assert!(counts(&model), "its pods are starting");
    cluster.make_pods();
    cluster.observed.pods.iter_mut().filter(|pod| !pod.ready).for_each(|pod| {
        pod.waiting = Some(("ImagePullBackOff".into(), "no such image".into()));
    });
    reconcile(&mut model, &mut cluster, &settings());
    assert!(counts(&model), "its image cannot be pulled, so that the same image elsewhere waits");
    let mut late = (model.clone(), cluster.clone());
    late.1.wait(601);
    reconcile(&mut late.0, &mut late.1, &settings());
    assert!(!counts(&late.0), "its deadline has passed: it holds nobody up for ever");
    cluster.make_ready(|_| true);
    reconcile(&mut model, &mut cluster, &settings());
    assert!(!counts(&model), "it answers, and the earlier one drains");
    let new = super::cluster::model("new", json!({}));
    let mut new = (new, Cluster::new(Capabilities::default()));
    reconcile(&mut new.0, &mut new.1, &settings());
    assert!(!counts(&new.0), "a first revision takes no permit from others");
}
