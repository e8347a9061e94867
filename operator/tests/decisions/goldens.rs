//! Every child as YAML, with one folder per story. `UPDATE_GOLDEN=1` writes the present children, for review.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use marquee_operator::{
    child::Child,
    controllers::{page_layout, ranking_model},
    observed::{Capabilities, Observed, Settings},
};
use serde_json::{Value, json};

use crate::cluster::{at, layout, model, settings};

fn folder(story: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "golden", story].iter().collect()
}

/// The object with its kind and metadata first, as people write it.
fn yaml(child: &Child) -> String {
    let mut body = child.body.as_object().unwrap().clone();
    let mut ordered = serde_json::Map::new();
    for key in ["apiVersion", "kind", "metadata"] {
        ordered.insert(key.into(), body.remove(key).unwrap());
    }
    ordered.extend(body);
    serde_yaml::to_string(&Value::Object(ordered)).unwrap()
}

fn check(story: &str, children: &[Child]) {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for child in children {
        assert!(
            !child.body.to_string().contains(":null"),
            "{} {}: a null would be applied",
            child.kind.kind(),
            child.name
        );
        assert_eq!(child.body.get("status"), None, "a status is not the operator's to apply");
        // A change to a pod changes the name of its revision. So this name is in the files, not in their names.
        let once = child.body["metadata"]["labels"].get("marquee.dev/revision").is_none();
        let name =
            format!("{}{}.yaml", child.kind.kind().to_lowercase(), if once { "" } else { ".revision" });
        assert_eq!(found.insert(name.clone(), yaml(child)), None, "{story}: two children would be {name}");
    }
    let folder = folder(story);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        found.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
        return;
    }
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for entry in
        fs::read_dir(&folder).unwrap_or_else(|_| panic!("{story}: no golden files: run with UPDATE_GOLDEN=1"))
    {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        kept.insert(name, fs::read_to_string(path).unwrap());
    }
    assert_eq!(
        kept.keys().collect::<Vec<_>>(),
        found.keys().collect::<Vec<_>>(),
        "{story}: which children there are"
    );
    for (name, text) in found {
        assert_eq!(kept[&name], text, "{story}/{name}: run with UPDATE_GOLDEN=1 and review the difference");
    }
}

fn of_model(spec: Value, settings: &Settings, capabilities: Capabilities) -> Vec<Child> {
    let observed = Observed { capabilities, ..Observed::default() };
    ranking_model::decide::plan(&model("top-picks", spec), &observed, settings, at(0)).children
}

fn of_layout(spec: Value, capabilities: Capabilities) -> Vec<Child> {
    let models = vec![
        Arc::new(model("top-picks", json!({}))),
        Arc::new(model(
            "similar",
            json!({ "artifact": { "uri": "gs://models/b", "credentials": { "secretName": "gcs" } } }),
        )),
    ];
    let observed = Observed { capabilities, models, ..Observed::default() };
    let layout = layout(&["top-picks", "similar"], spec);
    page_layout::decide::plan(&layout, &observed, &settings(), at(0)).children
}

fn scaled() -> Value {
    json!({ "serving": {
        "replicas": { "min": 2, "max": 10 },
        "autoscaling": { "targetCpuPercent": 60, "targetInFlightRequests": 8 },
    } })
}

/// The fields that platform teams ask for first.
fn platform() -> Value {
    json!({
        "affinity": { "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [{
            "weight": 10,
            "podAffinityTerm": { "topologyKey": "kubernetes.io/hostname", "labelSelector": { "matchLabels": { "app": "batch" } } },
        }] } },
        "priorityClassName": "serving",
        "runtimeClassName": "gvisor",
        "schedulerName": "volcano",
        "env": [
            { "name": "AWS_REGION", "value": "eu-west-1" },
            { "name": "AWS_ENDPOINT", "valueFrom": { "configMapKeyRef": { "name": "store", "key": "endpoint" } } },
            { "name": "AWS_SESSION_TOKEN", "valueFrom": { "secretKeyRef": { "name": "store", "key": "token" } } },
        ],
        "terminationGracePeriodSeconds": 90,
    })
}

#[test]
fn a_model_with_nothing_but_what_it_must_have() {
    check("model-minimal", &of_model(json!({}), &settings(), Capabilities::default()));
}

#[test]
fn a_model_with_all_there_is() {
    let mut spec = scaled();
    let more = json!({
        "artifact": {
            "uri": "file:///weights/top-picks",
            "sha256": null,
            "volume": { "claimName": "weights", "mountPath": "/weights" },
        },
        "resources": {
            "requests": { "cpu": "2", "memory": "4Gi" },
            "limits": { "memory": "6Gi", "ephemeral-storage": "20Gi" },
        },
        "nodeSelector": { "pool": "serving" },
        "tolerations": [{ "key": "dedicated", "operator": "Equal", "value": "serving", "effect": "NoSchedule" }],
        "topologySpread": [{ "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule" }],
        "podLabels": { "team": "home" },
        "podAnnotations": { "example.com/note": "on every pod" },
        "imagePullSecrets": [{ "name": "registry" }],
        "progressDeadline": "30m",
        "serving": { "maxBody": "16Mi" },
    });
    crate::cluster::merge(&mut spec, more);
    crate::cluster::merge(&mut spec, platform());
    crate::cluster::merge(
        &mut spec,
        json!({ "serviceAccount": { "annotations": { "iam.gke.io/gcp-service-account": "ranking" } } }),
    );
    let mut settings = settings();
    settings.pod_annotations.insert("example.com/mesh".into(), "on".into());
    let capabilities = Capabilities { custom_metrics: true, ..Capabilities::default() };
    check("model-everything", &of_model(spec, &settings, capabilities));
}

#[test]
fn a_model_scaled_by_keda() {
    let mut settings = settings();
    settings.prometheus = Some("http://prometheus.monitoring:9090".into());
    let capabilities = Capabilities { keda: true, ..Capabilities::default() };
    check("model-keda", &of_model(scaled(), &settings, capabilities));
}

#[test]
fn a_page_whose_models_have_pods_of_their_own() {
    check("page-microservices", &of_layout(json!({}), Capabilities::default()));
}

#[test]
fn a_page_with_its_models_in_its_pods() {
    check("page-monolith", &of_layout(json!({ "topology": "Monolith" }), Capabilities::default()));
}

/// As OpenShift and clouds want them, with an account that somebody else makes.
#[test]
fn a_page_on_a_strict_cluster() {
    let settings = Settings { ids_from_cluster: true, ..settings() };
    let mut spec = platform();
    crate::cluster::merge(
        &mut spec,
        json!({
            "catalogue": { "credentials": { "secretName": "s3" } },
            "maxBody": "512Ki",
            "serviceAccount": { "name": "ranking" },
        }),
    );
    let layout = layout(&["top-picks"], spec);
    let children = page_layout::decide::plan(&layout, &Observed::default(), &settings, at(0)).children;
    check("page-strict", &children);
}

#[test]
fn a_page_behind_a_gateway() {
    let gateway = json!({ "parentRefs": [{ "name": "edge", "namespace": "gateways" }], "hostnames": ["home.example.com"] });
    let capabilities = Capabilities { http_routes: true, grpc_routes: true, ..Capabilities::default() };
    let children = of_layout(json!({ "gateway": gateway, "replicas": { "min": 2 } }), capabilities);
    check("page-gateway", &children);
}

#[test]
fn a_revision_is_what_pods_run_and_nothing_else() {
    let revision = |spec: Value| {
        let children = of_model(spec, &settings(), Capabilities::default());
        let deployment = children.iter().find(|child| child.kind.kind() == "Deployment").unwrap();
        deployment.body["metadata"]["labels"]["marquee.dev/revision"].as_str().unwrap().to_owned()
    };
    let first = revision(json!({}));
    assert_eq!(first.len(), marquee_crds::names::REVISION_DIGITS);
    #[rustfmt::skip]
    let cases = [
        ("the same again",             json!({}),                                                    true),
        ("more pods",                  json!({ "serving": { "replicas": { "min": 4, "max": 9 } } }),  true),
        ("another autoscaler",         json!({ "serving": { "autoscaling": { "targetCpuPercent": 9 } } }), true),
        ("a shorter deadline",         json!({ "progressDeadline": "1m" }),                           true),
        ("a longer history",           json!({ "revisionHistoryLimit": 9 }),                          true),
        ("another artifact",           json!({ "artifact": { "uri": "s3://models/b" } }),             false),
        ("another batch",              json!({ "serving": { "batching": { "maxBatch": 8 } } }),       false),
        ("more memory",                json!({ "resources": { "requests": { "memory": "1Gi" } } }),   false),
        ("another node",               json!({ "nodeSelector": { "pool": "b" } }),                    false),
        ("another priority",           json!({ "priorityClassName": "b" }),                           false),
        ("another sandbox",            json!({ "runtimeClassName": "b" }),                            false),
        ("another scheduler",          json!({ "schedulerName": "b" }),                               false),
        ("another account",            json!({ "serviceAccount": { "name": "b" } }),                  false),
        ("another role of a cloud",    json!({ "serviceAccount": { "annotations": { "a/b": "c" } } }), false),
        ("another variable",           json!({ "env": [{ "name": "A", "value": "b" }] }),             false),
        ("larger requests",            json!({ "serving": { "maxBody": "8Mi" } }),                    false),
        ("another end",                json!({ "terminationGracePeriodSeconds": 60 }),                false),
        ("near others",                json!({ "affinity": { "podAffinity": {} } }),                  false),
    ];
    for (why, spec, same) in cases {
        assert_eq!(revision(spec) == first, same, "{why}");
    }
}
