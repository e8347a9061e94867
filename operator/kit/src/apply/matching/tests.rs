use serde_json::json;

use super::*;

fn pod(spec: &Value) -> Value {
    json!({"metadata": {"name": "d", "labels": {"a": "b"}}, "spec": {"template": {"spec": spec}}})
}

#[test]
fn what_others_add_is_theirs_and_what_they_change_of_ours_is_drift() {
    use ChildKind::{ConfigMap, Deployment, HorizontalPodAutoscaler, NetworkPolicy, Service};
    let container = json!({"containers": [{"name": "runtime", "image": "m:1", "resources": {"requests": {"cpu": "1000m", "memory": "1Gi"}}}]});
    #[rustfmt::skip]
    let cases = [
        ("nothing changed",                 Deployment, json!({"a": {"b": 1}}), json!({"a": {"b": 1}}), None),
        ("a list's member says no kind",    Deployment, json!({"apiVersion": "v1", "kind": "K", "a": 1}), json!({"a": 1}), None),
        ("a value changed",                 Deployment, json!({"a": {"b": 1}}), json!({"a": {"b": 2}}), Some("a.b")),
        ("a field was taken out",           ConfigMap,  json!({"data": {"k": "v"}}), json!({"data": {}}), Some("data.k")),
        ("a field that says nothing",       Deployment, json!({"a": {"labels": {}, "readOnly": false, "d": [], "minReadySeconds": 0}}), json!({"a": {}}), None),
        ("a token that pods get now",       Deployment, json!({"automountServiceAccountToken": false}), json!({}), Some("automountServiceAccountToken")),
        ("a default that was filled in",    Deployment, json!({"spec": {}}), json!({"spec": {"progressDeadlineSeconds": 600}}), None),
        ("replicas that an autoscaler set", Deployment, json!({"spec": {}}), json!({"spec": {"replicas": 7}}), None),
        ("a mesh's annotation",             Deployment, json!({"metadata": {"annotations": {"a": "b"}}}), json!({"metadata": {"annotations": {"a": "b", "mesh/x": "y"}}}), None),
        ("a container that was injected",   Deployment, pod(&container),
            pod(&json!({"containers": [{"name": "proxy"}, {"name": "runtime", "image": "m:1", "resources": {"requests": {"cpu": "1", "memory": "1024Mi"}}}]})), None),
        ("our container's image",           Deployment, pod(&container),
            pod(&json!({"containers": [{"name": "runtime", "image": "m:2"}]})), Some("spec.template.spec.containers[runtime].image")),
        ("our container was taken out",     Deployment, pod(&container), pod(&json!({"containers": [{"name": "x"}]})), Some("spec.template.spec.containers[runtime]")),
        ("an amount in other words",        Deployment, json!({"limits": {"cpu": "0.5"}}), json!({"limits": {"cpu": "500m"}}), None),
        ("another amount",                  Deployment, json!({"limits": {"cpu": "0.5"}}), json!({"limits": {"cpu": "501m"}}), Some("limits.cpu")),
        ("another port of a Service",       Service,    json!({"spec": {"ports": [{"port": 80}]}}), json!({"spec": {"ports": [{"port": 90}, {"port": 80, "protocol": "TCP"}]}}), None),
        ("a port whose target changed",     Service,    json!({"spec": {"ports": [{"port": 80, "targetPort": "http"}]}}), json!({"spec": {"ports": [{"port": 80, "targetPort": 1}]}}), Some("spec.ports[80].targetPort")),
        ("a list that is one value",        HorizontalPodAutoscaler, json!({"spec": {"metrics": [{"type": "Resource"}]}}), json!({"spec": {"metrics": []}}), Some("spec.metrics")),
        ("somebody lets others in",         NetworkPolicy, json!({"spec": {"ingress": [{"from": [{"podSelector": {}}]}]}}), json!({"spec": {"ingress": [{"from": [{"podSelector": {}, "namespaceSelector": {}}]}]}}), Some("spec.ingress[0].from[0].namespaceSelector")),
        ("a protocol is a default",         NetworkPolicy, json!({"spec": {"ingress": [{"ports": [{"port": 1}]}]}}), json!({"spec": {"ingress": [{"ports": [{"port": 1, "protocol": "TCP"}]}]}}), None),
        ("one more door",                   NetworkPolicy, json!({"spec": {"ingress": [{"ports": [{"port": 1}]}]}}), json!({"spec": {"ingress": [{"ports": [{"port": 1}]}, {}]}}), Some("spec.ingress")),
    ];
    for (why, kind, wanted, live, expected) in cases {
        assert_eq!(difference(kind, &wanted, &live).as_deref(), expected, "{why}");
    }
}

#[test]
fn amounts_are_read_as_kubernetes_writes_them() {
    for (one, other) in
        [("1", "1000m"), ("1Gi", "1024Mi"), ("1.5Gi", "1536Mi"), ("2k", "2000"), ("1e3", "1k")]
    {
        assert!(same_amount(&json!(one), &json!(other)), "{one} is {other}");
    }
    assert!(same_amount(&json!(2), &json!("2")));
    assert!(!same_amount(&json!("x"), &json!("x1")));
}
