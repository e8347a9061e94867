//! What people see: statuses and events, step by step.

use std::time::Duration;

use marquee_crds::{
    RankingModel,
    conditions::{ConditionType, Reason, find},
    page_layout::Topology,
    pod_config::ResourceRef,
    ranking_model::RankingModelStatus,
    termination::Termination,
};
use marquee_operator::{
    child::ChildKind,
    observed::{AutoscalerFacts, Capabilities, ChildFacts, ChildState, Ended},
};
use serde_json::json;

use crate::{
    cluster::{Cluster, DRAIN, Reconciled, layout, model, reconcile_model, settings, stored},
    surface::Surface,
};

fn decide(model: &mut RankingModel, cluster: &mut Cluster) -> Reconciled<RankingModelStatus> {
    let plan = reconcile_model(model, &cluster.observed, &settings(), cluster.now);
    model.status = Some(stored(&plan.status));
    cluster.apply(&plan.children);
    plan
}

fn reasons(plan: &Reconciled<RankingModelStatus>) -> Vec<Reason> {
    plan.events.iter().map(|event| event.reason).collect()
}

fn says(status: &RankingModelStatus, kind: ConditionType) -> (String, String) {
    let found = find(&status.conditions, kind).unwrap();
    (found.status.clone(), found.reason.clone())
}

fn is(status: &str, reason: Reason) -> (String, String) {
    (status.into(), reason.to_string())
}

#[test]
fn a_changed_artifact_takes_over_when_its_pods_are_ready_and_the_old_ones_go_after_a_while() {
    use ConditionType::{ArtifactResolved, Progressing, Ready, Reconciling, RolledOut};
    let (mut model, mut cluster) = (model("top-picks", json!({})), Cluster::new(Capabilities::default()));
    let first = decide(&mut model, &mut cluster);
    assert_eq!(reasons(&first), [Reason::RevisionCreated]);
    assert_eq!(says(&first.status, Ready), is("False", Reason::RevisionStarting), "kstatus waits");
    assert_eq!(first.status.why, "RevisionStarting");

    cluster.make_ready(|_| true);
    let ready = decide(&mut model, &mut cluster);
    assert_eq!(reasons(&ready), [Reason::TrafficMoved, Reason::AllPodsReady]);
    assert_eq!((ready.status.pods.as_str(), ready.status.why.as_str()), ("1/1", ""));
    let stable = ready.status.revision.clone().unwrap();
    assert_eq!(ready.status.traffic[0].endpoint, format!("top-picks-ranker-{stable}.shop.svc:9000"));

    model.spec.artifact.uri = "s3://models/b".into();
    cluster.wait(60);
    let changed = decide(&mut model, &mut cluster);
    assert_eq!(reasons(&changed), [Reason::RevisionCreated]);
    assert_eq!(says(&changed.status, Ready), is("True", Reason::AllPodsReady), "the old one answers");
    assert_eq!(says(&changed.status, Reconciling), is("True", Reason::RevisionStarting), "and kstatus waits");
    assert_eq!(
        says(&changed.status, RolledOut),
        is("False", Reason::RevisionStarting),
        "and so does kubectl"
    );
    assert_eq!(says(&changed.status, ArtifactResolved), is("Unknown", Reason::RevisionStarting));
    assert_eq!(
        (changed.status.revision.as_ref(), changed.status.why.as_str()),
        (Some(&stable), "RevisionStarting")
    );

    cluster.make_ready(|_| true);
    cluster.wait(10);
    let moved = decide(&mut model, &mut cluster);
    assert_eq!(reasons(&moved), [Reason::TrafficMoved]);
    assert_eq!(moved.status.revision, moved.status.latest_revision);
    assert_eq!(says(&moved.status, Progressing), is("True", Reason::RevisionDraining));
    assert_eq!(says(&moved.status, RolledOut), is("True", Reason::UpToDate), "the drain is no part of it");
    assert_eq!(find(&moved.status.conditions, Reconciling), None);
    assert_eq!(moved.look_again.map(|wait| wait.as_secs()), Some(DRAIN));
    assert_eq!(cluster.deployments().len(), 2);

    cluster.wait(i64::try_from(DRAIN).unwrap());
    let drained = decide(&mut model, &mut cluster);
    assert_eq!(reasons(&drained), [Reason::RevisionRetired]);
    assert_eq!(says(&drained.status, Progressing), is("True", Reason::UpToDate));
    assert_eq!(cluster.deployments().len(), 1);
    let configs = cluster.observed.children.iter().filter(|child| child.kind == ChildKind::ConfigMap);
    assert_eq!(configs.count(), 2, "the old one's configuration is kept for a roll-back");
}

#[test]
fn an_artifact_that_cannot_serve_never_does_and_the_status_says_why() {
    let (mut model, mut cluster) = (model("top-picks", json!({})), Cluster::new(Capabilities::default()));
    decide(&mut model, &mut cluster);
    cluster.make_ready(|_| true);
    let stable = decide(&mut model, &mut cluster).status.revision;
    model.spec.artifact.uri = "s3://models/nan".into();
    decide(&mut model, &mut cluster);
    cluster.make_pods();
    let said = Termination {
        reason: Reason::NotFinite,
        message: "tensor \"titles\" of s3://models/nan holds NaN: train it again".into(),
    };
    for pod in cluster.observed.pods.iter_mut().filter(|pod| !pod.ready) {
        pod.ended = Some(Ended { exit_code: 1, reason: "Error".into(), said: Some(said.clone()), at: None });
    }
    let failed = decide(&mut model, &mut cluster);
    assert_eq!(says(&failed.status, ConditionType::ArtifactResolved), is("False", Reason::NotFinite));
    assert_eq!(says(&failed.status, ConditionType::Degraded), is("True", Reason::NotFinite));
    assert_eq!(says(&failed.status, ConditionType::Ready), is("True", Reason::AllPodsReady));
    assert_eq!(says(&failed.status, ConditionType::Reconciling), is("True", Reason::RevisionStarting));
    assert_eq!((failed.status.revision.clone(), failed.status.why.as_str()), (stable.clone(), "NotFinite"));
    assert_eq!(reasons(&failed), [Reason::NotFinite], "one event, though two conditions say it");
    assert!(failed.events[0].warning && failed.events[0].note.contains("tensor \"titles\""));

    cluster.wait(700);
    let late = decide(&mut model, &mut cluster);
    let progress = find(&late.status.conditions, ConditionType::Progressing).unwrap();
    assert_eq!((progress.status.as_str(), progress.reason.as_str()), ("False", "ProgressDeadlineExceeded"));
    assert_eq!(says(&late.status, ConditionType::Stalled), is("True", Reason::ProgressDeadlineExceeded));
    assert_eq!(find(&late.status.conditions, ConditionType::Reconciling), None, "kstatus: one of the two");
    assert!(
        progress.message.contains("NotFinite, see ArtifactResolved; revision")
            && progress.message.contains("answers meanwhile"),
        "{}",
        progress.message
    );
    let full = late.status.conditions.iter().filter(|found| found.message.contains("tensor \"titles\""));
    assert_eq!(full.map(|found| found.type_.as_str()).collect::<Vec<_>>(), ["ArtifactResolved"], "said once");

    model.spec.artifact.uri = "s3://models/a".into();
    let back = decide(&mut model, &mut cluster);
    assert_eq!((back.status.revision, back.status.why.as_str()), (stable, ""));
    assert_eq!(cluster.deployments().len(), 1);
}

#[test]
fn an_autoscaler_that_cannot_read_its_metric_is_news_once_it_has_had_time() {
    use ConditionType::Autoscaling;
    let spec = json!({ "replicas": { "max": 3 }, "autoscaling": { "targetInFlightRequests": 8 } });
    let capabilities = Capabilities { custom_metrics: true, ..Capabilities::default() };
    let (mut model, mut cluster) =
        (model("top-picks", json!({ "serving": spec })), Cluster::new(capabilities));
    decide(&mut model, &mut cluster);
    cluster.make_ready(|_| true);
    decide(&mut model, &mut cluster);
    let sees = |cluster: &mut Cluster, inactive: Option<&str>, unread: &[&str]| {
        let is_autoscaler = |child: &&mut ChildFacts| child.kind == ChildKind::HorizontalPodAutoscaler;
        cluster.observed.children.iter_mut().find(is_autoscaler).unwrap().state =
            ChildState::Autoscaler(AutoscalerFacts {
                inactive: inactive.map(|reason| (reason.into(), "said".into())),
                unread: unread.iter().map(|&name| name.into()).collect(),
            });
    };
    sees(&mut cluster, Some("FailedGetContainerResourceMetric"), &[]);
    cluster.wait(20);
    let young = decide(&mut model, &mut cluster);
    assert_eq!(says(&young.status, Autoscaling), is("True", Reason::AutoscalerApplied));
    assert_eq!(young.look_again, Some(Duration::from_secs(40)), "a look is due when it has had its time");
    cluster.wait(40);
    let old = decide(&mut model, &mut cluster);
    assert_eq!(says(&old.status, Autoscaling), is("False", Reason::MetricsUnavailable));
    assert_eq!((old.status.why.as_str(), old.look_again), ("MetricsUnavailable", None));

    sees(&mut cluster, None, &["in_flight"]);
    let partly = decide(&mut model, &mut cluster);
    assert_eq!(says(&partly.status, Autoscaling), is("False", Reason::MetricsUnavailable));
    let message = &find(&partly.status.conditions, Autoscaling).unwrap().message;
    assert!(
        message.contains("1 to 3 pods, with a target of 70 % CPU; targetInFlightRequests is not in use"),
        "{message}"
    );
    sees(&mut cluster, None, &[]);
    assert_eq!(decide(&mut model, &mut cluster).status.why, "");
}

#[test]
fn what_cannot_be_built_makes_no_pods_and_disturbs_none() {
    let (mut model, mut cluster) = (model("top-picks", json!({})), Cluster::new(Capabilities::default()));
    decide(&mut model, &mut cluster);
    cluster.make_ready(|_| true);
    decide(&mut model, &mut cluster);
    model.spec.artifact.uri = "file:///nowhere".into();
    model.spec.artifact.sha256 = None;
    let blocked = decide(&mut model, &mut cluster);
    assert_eq!(says(&blocked.status, ConditionType::ArtifactResolved), is("False", Reason::VolumeMissing));
    assert_eq!(says(&blocked.status, ConditionType::Ready), is("True", Reason::AllPodsReady));
    assert_eq!((cluster.deployments().len(), blocked.status.why.as_str()), (1, "VolumeMissing"));
}

#[test]
fn of_two_models_for_one_objective_the_younger_has_nothing_and_says_so() {
    let older = ResourceRef { namespace: "shop".into(), name: "elder".into() };
    let mut cluster = Cluster::new(Capabilities::default());
    cluster.observed.older = Some(older);
    let plan = reconcile_model(&model("top-picks", json!({})), &cluster.observed, &settings(), cluster.now);
    assert_eq!((plan.children.len(), plan.status.traffic.len()), (0, 0));
    assert_eq!(says(&plan.status, ConditionType::Ready), is("False", Reason::DuplicateObjective));
    assert!(plan.status.conditions[0].message.contains("shop/elder"));
}

#[test]
fn models_move_into_a_pages_pods_and_out_again_without_a_moment_when_nobody_answers() {
    let models = vec![
        model("top-picks", json!({})),
        model("similar", json!({ "artifact": { "uri": "s3://models/b" } })),
    ];
    let mut surface = Surface::new(layout(&["top-picks", "similar"], json!({})), models);
    surface.settle(|_| true);
    assert_eq!(surface.page_status().why, "");
    assert_eq!(surface.model_status(0).why, "");
    assert_eq!(surface.models[0].1.deployments().len(), 1);

    surface.layout.spec.topology = Topology::Monolith;
    surface.wait(60);
    surface.settle(|who| who != "page");
    assert_eq!(surface.models[0].1.deployments().len(), 1, "the rankers stay while the page's pods start");
    surface.page.observed.pods.iter_mut().for_each(|pod| pod.ready = true);
    surface.settle(|_| true);
    surface.wait(i64::try_from(DRAIN).unwrap() + 1);
    surface.settle(|_| true);
    for n in 0..2 {
        let status = surface.model_status(n);
        assert_eq!(says(status, ConditionType::Ready), is("True", Reason::Colocated));
        assert_eq!(
            (status.traffic[0].endpoint.as_str(), status.why.as_str()),
            ("home-page.shop.svc:9000", "")
        );
        assert_eq!(surface.models[n].1.observed.children, [], "no child of its own is left");
    }
    assert_eq!(surface.page_status().models.len(), 2);

    surface.models[0].0.spec.artifact.uri = "s3://models/c".into();
    surface.settle(|_| true);
    let status = surface.model_status(0);
    assert_eq!(status.revision, status.latest_revision, "a changed artifact rolls the page over");

    surface.wait(60);
    surface.layout.spec.topology = Topology::Microservices;
    surface.settle(|who| who != "similar");
    assert_eq!(
        surface.page_status().models.len(),
        2,
        "the page keeps its models until each has pods of its own"
    );
    assert_eq!(surface.page_status().why, "ModelNotReady");
    assert_eq!(surface.model_status(1).traffic[0].endpoint, "home-page.shop.svc:9000");
    surface.settle(|_| true);
    surface.wait(i64::try_from(DRAIN).unwrap() + 1);
    surface.settle(|_| true);
    assert_eq!((surface.page_status().models.len(), surface.page_status().why.as_str()), (0, ""));
    assert!(surface.model_status(1).traffic[0].endpoint.starts_with("similar-ranker-"));
}

#[test]
fn a_new_model_of_a_monolith_waits_for_the_page_to_run_it() {
    let mut surface = Surface::new(
        layout(&["top-picks"], json!({ "topology": "Monolith" })),
        vec![model("top-picks", json!({}))],
    );
    surface.settle(|_| false);
    assert_eq!(surface.models[0].1.observed.children, [], "it gets no pods of its own");
    assert_eq!(says(surface.model_status(0), ConditionType::Ready), is("False", Reason::RevisionStarting));
    surface.settle(|_| true);
    assert_eq!(says(surface.model_status(0), ConditionType::Ready), is("True", Reason::Colocated));
}

#[test]
fn a_row_whose_model_is_gone_is_named_and_the_page_serves_on() {
    let mut surface = Surface::new(layout(&["top-picks"], json!({})), vec![model("top-picks", json!({}))]);
    surface.settle(|_| true);
    surface.models.clear();
    surface.settle(|_| true);
    let status = surface.page_status();
    let resolved = find(&status.conditions, ConditionType::ModelsResolved).unwrap();
    assert_eq!((resolved.status.as_str(), resolved.reason.as_str()), ("False", "ObjectiveNotFound"));
    assert!(resolved.message.contains("row \"top-picks\""), "{}", resolved.message);
    assert_eq!(find(&status.conditions, ConditionType::Ready).unwrap().status, "True");
    assert_eq!(find(&status.conditions, ConditionType::Degraded).unwrap().status, "True");
    assert_eq!(status.why, "ObjectiveNotFound");
}

#[test]
fn two_models_of_a_monolith_that_mount_two_claims_at_one_folder_are_named() {
    let at = |name: &str, claim: &str| {
        model(name, json!({ "artifact": { "uri": "file:///artifacts/a", "volume": { "claimName": claim } } }))
    };
    let mut surface = Surface::new(
        layout(&["a", "b"], json!({ "topology": "Monolith" })),
        vec![at("a", "one"), at("b", "two")],
    );
    surface.settle(|_| true);
    assert_eq!((surface.page.deployments().len(), surface.page_status().why.as_str()), (0, "VolumeConflict"));
    let resolved = find(&surface.page_status().conditions, ConditionType::ArtifactResolved).unwrap();
    assert!(resolved.message.contains("RankingModel shop/b mounts \"two\""), "{}", resolved.message);
}

#[test]
fn a_way_in_that_cannot_be_made_is_a_condition() {
    let gateway = json!({ "gateway": { "parentRefs": [{ "name": "edge" }] } });
    let mut surface = Surface::new(layout(&["top-picks"], gateway), vec![model("top-picks", json!({}))]);
    surface.settle(|_| true);
    assert_eq!(surface.page_status().why, "GatewayApiNotInstalled");
    surface.page.observed.capabilities.http_routes = true;
    surface.settle(|_| true);
    let routes = find(&surface.page_status().conditions, ConditionType::RoutesApplied).unwrap();
    assert_eq!((routes.status.as_str(), routes.reason.as_str()), ("Unknown", "Reconciling"));
}
