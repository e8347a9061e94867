//! Several revisions that answer with a share each, and a status that describes only applied children.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use marquee_crds::{
    PageLayout, RankingModel,
    conditions::{ConditionType, Reason, find},
    shared::{ColocatedModel, TrafficTarget},
};
use marquee_operator::{
    child::{AppliedChild, Child, ChildKind},
    controllers::ranking_model,
    observed::{Capabilities, Observed},
};
use serde_json::json;

use crate::cluster::{Cluster, at, layout, model, reconcile_layout, reconcile_model, settings, stored};

fn share(revision: &str, weight: i32, endpoint: &str) -> TrafficTarget {
    TrafficTarget { revision: revision.into(), weight, endpoint: endpoint.into(), since: Time(at(100)) }
}

fn weights(traffic: &[TrafficTarget]) -> Vec<(&str, i32)> {
    traffic.iter().map(|target| (target.revision.as_str(), target.weight)).collect()
}

fn has(children: &[Child], kind: ChildKind, name: &str) -> bool {
    children.iter().any(|child| child.kind == kind && child.name == name)
}

/// Decides about a model, applies everything, and makes its pods ready.
fn serve(model: &mut RankingModel, cluster: &mut Cluster) -> String {
    for _ in 0..2 {
        let done = reconcile_model(model, &cluster.observed, &settings(), cluster.now);
        model.status = Some(stored(&done.status));
        cluster.apply(&done.children);
        cluster.make_ready(|_| true);
    }
    reconcile_model(model, &cluster.observed, &settings(), cluster.now).status.revision.unwrap()
}

/// A model whose revisions a and b have one ready pod each, and whose spec asks for a third.
fn split_model() -> (RankingModel, Cluster, [String; 2]) {
    let (mut model, mut cluster) = (model("top-picks", json!({})), Cluster::new(Capabilities::default()));
    let a = serve(&mut model, &mut cluster);
    model.spec.artifact.uri = "s3://models/b".into();
    let b = serve(&mut model, &mut cluster);
    model.spec.artifact.uri = "s3://models/c".into();
    let endpoint = |revision: &str| format!("top-picks-ranker-{revision}.shop.svc:9000");
    let traffic = vec![share(&a, 75, &endpoint(&a)), share(&b, 25, &endpoint(&b))];
    model.status.as_mut().unwrap().traffic = traffic;
    (model, cluster, [a, b])
}

#[test]
fn every_target_of_a_model_is_in_its_traffic_and_keeps_its_children() {
    let (mut model, mut cluster, [a, b]) = split_model();
    cluster.wait(3600);
    let done = reconcile_model(&model, &cluster.observed, &settings(), cluster.now);
    assert_eq!(done.status.traffic, model.status.as_ref().unwrap().traffic);
    for revision in [&a, &b] {
        for kind in [ChildKind::ConfigMap, ChildKind::Service, ChildKind::Deployment] {
            let name = format!("top-picks-ranker-{revision}");
            assert!(has(&done.children, kind, &name), "{} {name} would go", kind.kind());
        }
        let known = done.status.revisions.iter().find(|known| known.name == *revision);
        assert_eq!(known.map(|known| known.ready_replicas), Some(1));
    }
    assert_eq!((done.status.revision.as_ref(), done.status.pods.as_str()), (Some(&a), "2/2"));
    let service = done
        .children
        .iter()
        .find(|child| child.name == "top-picks-ranker" && child.kind == ChildKind::Service);
    let selector = &service.unwrap().body["spec"]["selector"]["marquee.dev/revision"];
    assert_eq!(selector, a.as_str(), "a Service leads to one revision: the one with the largest share");
    let ready = find(&done.status.conditions, ConditionType::Ready).unwrap();
    let expected =
        format!("1 of 1 pod of revision {a} (75 %) and 1 of 1 pod of revision {b} (25 %) are ready");
    assert_eq!(ready.message, expected);
    let progressing = find(&done.status.conditions, ConditionType::Progressing).unwrap();
    let expected = format!("the revisions {a} (75 %) and {b} (25 %) answer meanwhile");
    assert!(progressing.message.ends_with(&expected), "{}", progressing.message);
    let reasons: Vec<Reason> = done.events.iter().map(|event| event.reason).collect();
    assert_eq!(reasons, [Reason::RevisionCreated], "no viewers moved");

    model.status = Some(stored(&done.status));
    cluster.apply(&done.children);
    cluster.make_ready(|_| true);
    let moved = reconcile_model(&model, &cluster.observed, &settings(), cluster.now);
    let c = moved.status.latest_revision.clone().unwrap();
    assert_eq!(weights(&moved.status.traffic), [(c.as_str(), 100)]);
    let note = format!("traffic moved to revision {c}, from revision {a} (75 %) and {b} (25 %)");
    assert!(moved.events.iter().any(|event| event.note == note), "{:?}", moved.events);
}

#[test]
fn a_target_that_lost_its_pods_gives_its_viewers_to_the_others() {
    let (mut model, mut cluster, [a, b]) = split_model();
    let b = Some(b.as_str().into());
    cluster.observed.pods.iter_mut().filter(|pod| pod.revision == b).for_each(|pod| pod.ready = false);
    let done = reconcile_model(&model, &cluster.observed, &settings(), cluster.now);
    assert_eq!(weights(&done.status.traffic), [(a.as_str(), 100)]);
    model.status = Some(stored(&done.status));
    let again = reconcile_model(&model, &cluster.observed, &settings(), cluster.now);
    assert_eq!((again.status.traffic, again.events), (done.status.traffic, vec![]));
}

#[test]
fn every_target_of_a_page_is_in_its_traffic_and_keeps_its_children() {
    let spec = json!({ "topology": "Monolith" });
    let (mut page, mut cluster) = (layout(&["top-picks"], spec), Cluster::new(Capabilities::default()));
    cluster.observed.models = vec![Arc::new(model("top-picks", json!({})))];
    let mut revisions = Vec::new();
    for uri in ["s3://models/catalogue", "s3://models/catalogue-b", "s3://models/catalogue-c"] {
        page.spec.catalogue.uri = uri.into();
        let last = revisions.len() == 2;
        for _ in 0..if last { 1 } else { 2 } {
            let done = reconcile_layout(&page, &cluster.observed, &settings(), cluster.now);
            page.status = Some(stored(&done.status));
            cluster.apply(&done.children);
            cluster.make_ready(|_| !last);
        }
        revisions.push(page.status.as_ref().unwrap().latest_revision.clone().unwrap());
    }
    let endpoint = "home-page.shop.svc:9000";
    let traffic = vec![share(&revisions[1], 40, endpoint), share(&revisions[0], 60, endpoint)];
    let status = page.status.as_mut().unwrap();
    status.traffic = traffic.clone();
    let mut models = [status.models.clone(), status.models.clone()].concat();
    models[0].page_revision = Some(revisions[0].clone());
    models[1].page_revision = Some(revisions[1].clone());
    status.models = models.clone();
    let last = Some(revisions[2].as_str().into());
    cluster.observed.pods.retain(|pod| pod.revision != last);
    cluster.wait(3600);
    let done = reconcile_layout(&page, &cluster.observed, &settings(), cluster.now);
    assert_eq!(done.status.traffic, traffic);
    for revision in &revisions {
        let name = format!("home-page-{revision}");
        assert!(has(&done.children, ChildKind::Deployment, &name), "{name} would go");
    }
    assert_eq!(done.status.revision.as_ref(), Some(&revisions[0]), "the one with the largest share");
    let service = done.children.iter().find(|child| child.kind == ChildKind::Service).unwrap();
    assert_eq!(service.body["spec"]["selector"]["marquee.dev/revision"], revisions[0].as_str());
    assert_eq!(done.status.models, models, "its pods run the models");
}

/// A page whose pods run the model `top-picks`, whose revisions a and b answer, and whose spec asks for b.
fn split_page() -> (PageLayout, Cluster, [String; 2]) {
    let spec = json!({ "topology": "Monolith", "replicas": { "min": 1, "max": 9 } });
    let (mut page, mut cluster) = (layout(&["top-picks"], spec), Cluster::new(Capabilities::default()));
    let mut reports = Vec::new();
    for uri in ["s3://models/a", "s3://models/b"] {
        cluster.observed.models = vec![Arc::new(model("top-picks", json!({ "artifact": { "uri": uri } })))];
        for _ in 0..2 {
            let done = reconcile_layout(&page, &cluster.observed, &settings(), cluster.now);
            page.status = Some(stored(&done.status));
            cluster.apply(&done.children);
            cluster.make_ready(|_| true);
        }
        let done = reconcile_layout(&page, &cluster.observed, &settings(), cluster.now);
        reports.push((done.status.revision.unwrap(), done.status.models));
    }
    let [(a, models_of_a), (b, _)] = <[_; 2]>::try_from(reports).unwrap();
    let status = page.status.as_mut().unwrap();
    let endpoint = "home-page.shop.svc:9000";
    status.traffic = vec![share(&b, 40, endpoint), share(&a, 60, endpoint)];
    // What the status said while a answered alone.
    status.models = models_of_a;
    (page, cluster, [a, b])
}

#[test]
fn models_say_which_of_several_page_revisions_runs_them() {
    let (mut page, mut cluster, [a, b]) = split_page();
    let run = |page: &PageLayout, cluster: &Cluster| {
        let done = reconcile_layout(page, &cluster.observed, &settings(), cluster.now);
        let resolved = find(&done.status.conditions, ConditionType::ModelsResolved).unwrap();
        (resolved.status == "True", done)
    };
    let pages = |models: &[ColocatedModel]| -> Vec<Option<String>> {
        models.iter().map(|model| model.page_revision.clone()).collect()
    };
    assert_eq!(pages(&page.status.as_ref().unwrap().models), [None], "one revision answered");
    let (is_resolved, done) = run(&page, &cluster);
    assert_eq!(weights(&done.status.traffic), [(b.as_str(), 40), (a.as_str(), 60)]);
    let split = done.status.models.clone();
    assert_eq!(pages(&split), [Some(a.clone()), Some(b.clone())], "the largest share first");
    assert_ne!(split[0].revision, split[1].revision, "each page revision has its own artifact");
    assert!(is_resolved);

    // The list decides for the model itself too: its address leads to a.
    let mut status = stored(&done.status);
    status.models.reverse();
    page.status = Some(status);
    let hosted = Cluster::new(Capabilities::default());
    let observed = Observed { page: Some(Arc::new(page.clone())), ..hosted.observed };
    let top_picks = model("top-picks", json!({}));
    let reported = reconcile_model(&top_picks, &observed, &settings(), cluster.now).status;
    assert_eq!(reported.revision.as_ref(), Some(&split[0].revision));

    // Neither a nor b is what the spec asks for now: the previous status knows their models.
    let third = model("top-picks", json!({ "artifact": { "uri": "s3://models/c" } }));
    cluster.observed.models = vec![Arc::new(third)];
    let (is_resolved, done) = run(&page, &cluster);
    assert_eq!((done.status.models.clone(), is_resolved), (split.clone(), true));
    page.status.as_mut().unwrap().models.retain(|model| model.page_revision.as_ref() == Some(&a));
    let (is_resolved, done) = run(&page, &cluster);
    assert_eq!((done.status.models, is_resolved), (vec![split[0].clone()], false), "b does not run it");

    cluster.apply(&done.children);
    cluster.make_ready(|_| true);
    let (is_resolved, done) = run(&page, &cluster);
    assert_eq!((done.status.revision.as_ref(), is_resolved), (done.status.latest_revision.as_ref(), true));
    assert_eq!(pages(&done.status.models), [None], "one revision answers again");
    assert!(split.iter().all(|earlier| earlier.revision != done.status.models[0].revision));
}

#[test]
fn a_status_speaks_of_applied_children_and_not_of_planned_ones() {
    let spec = json!({ "serving": { "replicas": { "max": 3 } } });
    let (mut model, mut cluster) = (model("top-picks", spec), Cluster::new(Capabilities::default()));
    let status = |model: &RankingModel, cluster: &Cluster, refused: &[ChildKind]| {
        let settings = settings();
        let plan = ranking_model::decide::plan(model, &cluster.observed, &settings, cluster.now);
        let is_taken = |child: &&Child| child.keep_as_is || !refused.contains(&child.kind);
        let applied: Vec<AppliedChild> =
            plan.children.iter().filter(is_taken).map(AppliedChild::from).collect();
        ranking_model::status::status(model, &cluster.observed, &plan, &applied)
    };
    let (first, _) = status(&model, &cluster, &[ChildKind::Deployment, ChildKind::HorizontalPodAutoscaler]);
    assert_eq!(first.revisions, [], "its Deployment was refused");
    let autoscaling = find(&first.conditions, ConditionType::Autoscaling).unwrap();
    assert_eq!((autoscaling.status.as_str(), autoscaling.reason.as_str()), ("Unknown", "Reconciling"));
    let (first, _) = status(&model, &cluster, &[]);
    assert_eq!(first.revisions.len(), 1);
    assert_eq!(find(&first.conditions, ConditionType::Autoscaling).unwrap().reason, "AutoscalerApplied");

    let stable = serve(&mut model, &mut cluster);
    model.spec.artifact.uri = "s3://models/b".into();
    let started = reconcile_model(&model, &cluster.observed, &settings(), cluster.now);
    cluster.apply(&started.children);
    cluster.make_ready(|_| true);
    let (refused, events) = status(&model, &cluster, &[ChildKind::Service]);
    assert_eq!(weights(&refused.traffic), [(stable.as_str(), 100)], "no Service leads to the new one");
    assert_eq!(refused.revision.as_ref(), Some(&stable));
    assert!(events.iter().all(|event| event.reason != Reason::TrafficMoved), "{events:?}");
    let (moved, _) = status(&model, &cluster, &[]);
    assert_eq!(moved.revision, moved.latest_revision);
}
