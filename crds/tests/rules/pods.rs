//! How many pods there are, what they may use, where they go and what they carry.

use serde_json::{Value, json};

use super::{Row, messages::*, row};

#[rustfmt::skip]
pub fn rows(replicas: &str) -> Vec<Row> {
    let pods = |min: u32, max: u32| json!({"min": min, "max": max});
    let resources = |list: &str, amount: Value| json!({list: {"cpu": "500m", "memory": amount}});
    let one = |key: &str, value: &str| json!({key: value});
    vec![
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
    ]
}
