//! How many pods there are, what they may use, where they go and what they carry.

use serde_json::{Value, json};

use super::{Row, messages::*, row};

#[rustfmt::skip]
pub fn rows(replicas: &str) -> Vec<Row> {
    let pods = |min: u32, max: u32| json!({"min": min, "max": max});
    let resources = |list: &str, amount: Value| json!({list: {"cpu": "500m", "memory": amount}});
    let one = |key: &str, value: &str| json!({key: value});
    let own = vec![
        row("as many as there are",      replicas,                 pods(3, 3),                            None),
        row("more at peak",              replicas,                 pods(2, 9),                            None),
        row("fewer at peak",             replicas,                 pods(3, 2),                            Some(UPSIDE_DOWN)),
        row("a request",                 "/spec/resources",        resources("requests", json!("1Gi")),   None),
        row("a bare number",             "/spec/resources",        resources("requests", json!(1073741824)), None),
        row("a fraction",                "/spec/resources",        resources("limits", json!("1.5Gi")),   None),
        row("a unit that is none",       "/spec/resources",        resources("requests", json!("1GB")),   Some(NO_REQUEST)),
        row("a request below nothing",   "/spec/resources",        resources("requests", json!("-1")),    Some(NO_REQUEST)),
        row("a limit in words",          "/spec/resources",        resources("limits", json!("much")),    Some(NO_LIMIT)),
        row("a limit with a space",      "/spec/resources",        resources("limits", json!("1 Gi")),    Some(NO_LIMIT)),
        row("a label of nodes",          "/spec/nodeSelector",     one("disk", "ssd_4.x"),                None),
        row("a label without a value",   "/spec/nodeSelector",     one("disk", ""),                       None),
        row("a value with a slash",      "/spec/nodeSelector",     one("disk", "ssd/4"),                  Some(NODE_VALUE)),
        row("a value that ends in a dot", "/spec/nodeSelector",    one("disk", "ssd."),                   Some(NODE_VALUE)),
        row("a label of pods",           "/spec/podLabels",        one("team", "discovery"),              None),
        row("a label with a space",      "/spec/podLabels",        one("team", "our team"),               Some(POD_VALUE)),
        row("a label of Marquee's",      "/spec/podLabels",        one("marquee.dev/model", "other"),     Some(OWN_LABEL)),
        row("a label of the application", "/spec/podLabels",       one("app.kubernetes.io/name", "mine"), Some(OWN_LABEL)),
        row("an annotation",             "/spec/podAnnotations",   one("mesh.example.com/inject", "a b {}"), None),
        row("an annotation of Marquee's", "/spec/podAnnotations",  one("marquee.dev/applied", "x"),       Some(OWN_ANNOTATION)),
        row("a Secret for images",       "/spec/imagePullSecrets", json!([{"name": "registry.example"}]), None),
        row("a Secret by no name",       "/spec/imagePullSecrets", json!([{"name": "registry_1"}]),       Some(NO_OBJECT)),
        row("every taint",               "/spec/tolerations",      json!([{"operator": "Exists"}]),       None),
        row("one taint",                 "/spec/tolerations",      json!([{"key": "gpu", "value": "a", "effect": "NoSchedule"}]), None),
        row("a taint, for a while",      "/spec/tolerations",      json!([{"key": "gpu", "operator": "Equal", "effect": "NoExecute", "tolerationSeconds": 30}]), None),
        row("a value of whatever value", "/spec/tolerations",      json!([{"key": "gpu", "operator": "Exists", "value": "a"}]), Some(VALUE_OF_ANY)),
        row("no key",                    "/spec/tolerations",      json!([{"operator": "Equal", "value": "a"}]), Some(NO_KEY)),
        row("nothing at all",            "/spec/tolerations",      json!([{}]),                           Some(NO_KEY)),
        row("a while that never comes",  "/spec/tolerations",      json!([{"key": "gpu", "effect": "NoSchedule", "tolerationSeconds": 30}]), Some(NO_EXECUTE)),
        row("pods wherever",             "/spec/topologySpread",   json!([]),                             None),
        row("pods over racks",           "/spec/topologySpread",   json!([{"topologyKey": "example.com/rack", "whenUnsatisfiable": "DoNotSchedule"}]), None),
        row("the shortest progress",     "/spec/progressDeadline", json!("1s"),                           None),
        row("the longest progress",      "/spec/progressDeadline", json!("60m"),                          None),
        row("progress in no time",       "/spec/progressDeadline", json!("999ms"),                        Some(PROGRESS)),
        row("progress some day",         "/spec/progressDeadline", json!("61m"),                          Some(PROGRESS)),
        row("progress by the hour",      "/spec/progressDeadline", json!("1h"),                           Some(PROGRESS)),
    ];
    own.into_iter().chain(scheduled()).chain(identified()).collect()
}

/// Which nodes and classes pods have.
#[rustfmt::skip]
fn scheduled() -> Vec<Row> {
    let node = |requirement: Value| json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [requirement]}]}}});
    let apart = |selector: Value| json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 100, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": selector}}]}});
    vec![
        row("nodes with a label",           "/spec/affinity", node(json!({"key": "pool", "operator": "In", "values": ["a", "b"]})), None),
        row("nodes with any value",         "/spec/affinity", node(json!({"key": "pool", "operator": "Exists"})), None),
        row("more than a number",           "/spec/affinity", node(json!({"key": "cores", "operator": "Gt", "values": ["8"]})), None),
        row("one of no values",             "/spec/affinity", node(json!({"key": "pool", "operator": "In"})), Some(NO_VALUES)),
        row("exists, with a value",         "/spec/affinity", node(json!({"key": "pool", "operator": "Exists", "values": ["a"]})), Some(NO_VALUES)),
        row("away from others",             "/spec/affinity", apart(json!({"matchLabels": {"app": "batch"}})), None),
        row("away from one of no values",   "/spec/affinity", apart(json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": []}]})), Some(NO_VALUES)),
        row("a priority",                   "/spec/priorityClassName", json!("system-cluster-critical"), None),
        row("a priority by no name",        "/spec/priorityClassName", json!("High"),    Some(NO_PRIORITY)),
        row("a sandbox",                    "/spec/runtimeClassName",  json!("gvisor"),  None),
        row("a sandbox by no name",         "/spec/runtimeClassName",  json!("g visor"), Some(NO_RUNTIME)),
        row("another scheduler",            "/spec/schedulerName",     json!("volcano"), None),
        row("a scheduler by no name",       "/spec/schedulerName",     json!("-"),       Some(NO_SCHEDULER)),
        row("a long end",                   "/spec/terminationGracePeriodSeconds", json!(600), None),
    ]
}

/// As whom pods run, and what their environment says.
#[rustfmt::skip]
fn identified() -> Vec<Row> {
    let variable = |name: &str| json!([{"name": name, "value": "x"}]);
    let from = |source: Value| json!([{"name": "AWS_REGION", "valueFrom": source}]);
    let key = |key: &str| json!({"secretKeyRef": {"name": "store", "key": key}});
    vec![
        row("another account",              "/spec/serviceAccount", json!({"name": "team.ranking"}), None),
        row("the role of a cloud",          "/spec/serviceAccount", json!({"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/r"}}), None),
        row("an account by no name",        "/spec/serviceAccount", json!({"name": "Team"}), Some(NO_OBJECT)),
        row("annotations of another one",   "/spec/serviceAccount", json!({"name": "a", "annotations": {"b/c": "d"}}), Some(ONE_ACCOUNT)),
        row("no account",                   "/spec/serviceAccount", json!({}), Some(ONE_ACCOUNT)),
        row("an account marked by Marquee", "/spec/serviceAccount", json!({"annotations": {"marquee.dev/applied": "x"}}), Some(ACCOUNT_ANNOTATION)),
        row("a variable",                   "/spec/env", variable("AWS_REGION"),      None),
        row("a variable with no text",      "/spec/env", json!([{"name": "NO_PROXY", "value": ""}]), None),
        row("a setting of the runtime",     "/spec/env", variable("MARQUEE_THREADS"), None),
        row("a variable with a dash",       "/spec/env", variable("AWS-REGION"),      Some(NO_VARIABLE)),
        row("a variable with a digit first", "/spec/env", variable("1ST"),            Some(NO_VARIABLE)),
        row("the name of the pod",          "/spec/env", variable("POD_NAME"),        Some(OWN_VARIABLE)),
        row("the port of the pod",          "/spec/env", variable("MARQUEE_HTTP"),    Some(OWN_VARIABLE)),
        row("the limit of the pod",         "/spec/env", variable("MARQUEE_MAX_BODY"), Some(OWN_VARIABLE)),
        row("a variable that begins so",    "/spec/env", variable("MARQUEE_HTTP_2"),  None),
        row("twice the same",               "/spec/env", json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]), Some(SAME_VARIABLE)),
        row("no value",                     "/spec/env", json!([{"name": "A"}]),      Some(ONE_VALUE)),
        row("two values",                   "/spec/env", json!([{"name": "A", "value": "1", "valueFrom": key("k")}]), Some(ONE_VALUE)),
        row("a key of a Secret",            "/spec/env", from(key("region.txt")),     None),
        row("a key of a ConfigMap",         "/spec/env", from(json!({"configMapKeyRef": {"name": "store", "key": "k"}})), None),
        row("a key with a slash",           "/spec/env", from(key("a/b")),            Some(NO_KEY_OF_OBJECT)),
        row("a key of nothing",             "/spec/env", from(json!({})),             Some(ONE_REF)),
        row("a key of both",                "/spec/env", from(json!({"configMapKeyRef": {"name": "s", "key": "k"}, "secretKeyRef": {"name": "s", "key": "k"}})), Some(ONE_REF)),
        row("a Secret for a variable, by no name", "/spec/env", from(json!({"secretKeyRef": {"name": "Store", "key": "k"}})), Some(NO_OBJECT)),
    ]
}
