use marquee_crds::conditions::Reason;
use serde_json::{Value, json};

use super::*;

fn raw(object: &Value) -> RawObject {
    serde_json::from_value(object.clone()).or_else(|_| serde_json::from_str(&object.to_string())).unwrap()
}

#[test]
fn a_deployment_has_its_pods_and_why_there_are_none() {
    let object = raw(&json!({
        "metadata": {"name": "m-ranker-1", "generation": 3, "labels": {labels::REVISION: "1"}},
        "spec": {"replicas": 4},
        "status": {"observedGeneration": 2, "replicas": 3, "readyReplicas": 1, "conditions": [
            {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}]},
    }));
    let facts = child(ChildKind::Deployment, &object.head().unwrap(), &object).unwrap();
    let expected = DeploymentFacts {
        wanted: 4,
        replicas: 3,
        ready: 1,
        up_to_date: false,
        only_ours: false,
        refused: Some("exceeded quota".into()),
    };
    assert_eq!(facts.state, ChildState::Deployment(expected));
    assert_eq!(facts.revision.as_ref().map(RevisionName::as_str), Some("1"));
}

#[test]
fn the_writer_of_the_number_of_pods_is_known() {
    let named = |manager: &str| json!({"manager": manager, "fieldsV1": {"f:spec": {"f:replicas": {}, "f:selector": {}}}});
    let other = json!({"manager": "kubelet", "fieldsV1": {"f:status": {"f:replicas": {}}}});
    #[rustfmt::skip]
    let cases = [
        ("nobody",                   vec![other.clone()],                                   false),
        ("the operator",             vec![named(labels::OPERATOR), other.clone()],          true),
        ("an autoscaler",            vec![named("kube-controller-manager")],                false),
        ("both",                     vec![named(labels::OPERATOR), named("a-person")],      false),
    ];
    for (why, writers, expected) in cases {
        let object = raw(&json!({"metadata": {"name": "d", "managedFields": writers}, "spec": {}}));
        let facts = child(ChildKind::Deployment, &object.head().unwrap(), &object).unwrap();
        let ChildState::Deployment(facts) = facts.state else { panic!("a Deployment") };
        assert_eq!(facts.only_ours, expected, "{why}");
    }
}

#[test]
fn a_deployment_without_a_status_has_no_pods_and_is_not_up_to_date() {
    let object = raw(&json!({"metadata": {"name": "d", "generation": 1}, "spec": {}}));
    let facts = child(ChildKind::Deployment, &object.head().unwrap(), &object).unwrap();
    assert_eq!(facts.state, ChildState::Deployment(DeploymentFacts { wanted: 1, ..Default::default() }));
}

#[test]
fn an_autoscaler_has_the_reason_why_it_cannot_scale() {
    use ChildKind::{HorizontalPodAutoscaler as Autoscaler, ScaledObject};
    let condition = |kind: &str, status: &str, reason: &str| json!([{"type": kind, "status": status, "reason": reason, "message": "told"}]);
    let active = condition("ScalingActive", "True", "ValidMetricFound");
    let cpu = json!({"type": "ContainerResource", "containerResource": {"name": "cpu"}});
    let pods = json!({"type": "Pods", "pods": {"metric": {"name": "in_flight"}}});
    let of_keda = |status, reason| json!({"conditions": condition("Ready", status, reason)});
    #[rustfmt::skip]
    let table = [
        // why                        kind          status                                                                              inactive                        unread
        ("nobody has looked yet",     Autoscaler,   json!({}),                                                                          None,                           false),
        ("nor now",                   Autoscaler,   json!({"currentMetrics": null}),                                                    None,                           false),
        ("all is read",               Autoscaler,   json!({"conditions": active, "currentMetrics": [cpu, pods]}),                       None,                           false),
        ("one is not read",           Autoscaler,   json!({"conditions": active, "currentMetrics": [cpu, {"type": ""}]}),               None,                           true),
        ("nothing is read",           Autoscaler,   json!({"conditions": condition("ScalingActive", "False", "FailedGetPodsMetric")}),  Some("FailedGetPodsMetric"),    false),
        ("KEDA has not looked yet",   ScaledObject, of_keda("Unknown", ""),                                                             None,                           false),
        ("KEDA scales",               ScaledObject, of_keda("True", "ScaledObjectReady"),                                               None,                           false),
        ("KEDA scales by some",       ScaledObject, of_keda("Unknown", "PartialTriggerError"),                                          Some("PartialTriggerError"),    false),
        ("KEDA does not scale",       ScaledObject, of_keda("False", "TriggerError"),                                                   Some("TriggerError"),           false),
    ];
    for (why, kind, status, inactive, unread) in table {
        let object =
            raw(&json!({"metadata": {"name": "a"}, "spec": {"metrics": [cpu, pods]}, "status": status}));
        let facts = child(kind, &object.head().unwrap(), &object).unwrap();
        let inactive = inactive.map(|reason: &str| (reason.to_owned(), "told".to_owned()));
        let unread = if unread { vec!["in_flight".to_owned()] } else { Vec::new() };
        assert_eq!(facts.state, ChildState::Autoscaler(AutoscalerFacts { inactive, unread }), "{why}");
    }
}

#[test]
fn a_route_has_the_gateways_that_accept_it() {
    let parent = |status: &str| json!({"conditions": [{"type": "Accepted", "status": status, "reason": "R", "message": "m"}]});
    let object = raw(
        &json!({"metadata": {"name": "r"}, "status": {"parents": [parent("True"), parent("False"), {}]}}),
    );
    let facts = child(ChildKind::HttpRoute, &object.head().unwrap(), &object).unwrap();
    assert_eq!(facts.state, ChildState::Route { accepted: 1, refused: vec!["R: m".into()] });
}

#[test]
fn a_pod_has_the_reason_why_it_ended() {
    let said = Termination { reason: Reason::NotFinite, message: "tensor b holds NaN".into() };
    let object = raw(&json!({
        "metadata": {"name": "p", "labels": {labels::REVISION: "1"}},
        "status": {"podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [
            {"name": "mesh", "restartCount": 9},
            {"name": "runtime", "restartCount": 2,
             "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
             "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": said.to_json().unwrap(), "finishedAt": "2026-01-01T00:00:00Z"}}}]},
    }));
    let facts = pod(&object.head().unwrap(), &object).unwrap();
    assert_eq!((facts.restarts, facts.ready, facts.ip.as_deref()), (2, false, Some("10.0.0.1")));
    assert_eq!(facts.waiting.unwrap().0, "CrashLoopBackOff");
    let ended = facts.ended.unwrap();
    assert_eq!((ended.exit_code, ended.said), (1, Some(said)));
}

#[test]
fn a_pod_that_no_node_takes_says_why_and_one_that_is_being_made_waits_for_nothing() {
    let object = raw(&json!({"metadata": {"name": "p"}, "status": {"conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]}}));
    let facts = pod(&object.head().unwrap(), &object).unwrap();
    assert_eq!(facts.unschedulable.as_deref(), Some("0/1 nodes"));
    let object = raw(&json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [
        {"name": "runtime", "state": {"waiting": {"reason": "ContainerCreating"}}}]}}));
    assert_eq!(pod(&object.head().unwrap(), &object).unwrap().waiting, None);
}

#[test]
fn nulls_of_other_writers_read_as_absent() {
    let absent = raw(&json!({"metadata": {"name": "p"}, "status": {}}));
    let nulls = raw(&json!({
        "metadata": {"name": "p", "labels": null, "annotations": null, "ownerReferences": null, "deletionTimestamp": null},
        "status": {"conditions": null, "containerStatuses": null, "phase": null},
    }));
    let facts = |object| pod(&RawObject::head(object).unwrap(), object).unwrap();
    assert_eq!(facts(&nulls), facts(&absent));
}

#[test]
fn an_empty_label_names_no_revision() {
    for (label, expected) in [("1", Some("1")), ("", None)] {
        let object = raw(&json!({ "metadata": { "name": "p", "labels": { labels::REVISION: label } } }));
        let head = object.head().unwrap();
        assert_eq!(revision(&head).as_ref().map(RevisionName::as_str), expected);
    }
}
