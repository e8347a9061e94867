use std::path::Path;

use serde_json::Value;

use super::{definitions, manifests};

fn schemas() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for crd in definitions() {
        let schema =
            crd.spec.versions[0].schema.as_ref().and_then(|s| s.open_api_v3_schema.as_ref()).unwrap();
        collect(&crd.spec.names.kind, &serde_json::to_value(schema).unwrap(), &mut all);
    }
    all
}

fn collect(path: &str, schema: &Value, all: &mut Vec<(String, Value)>) {
    all.push((path.to_owned(), schema.clone()));
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        collect(&format!("{path}.{name}"), property, all);
    }
    if schema["items"].is_object() {
        collect(&format!("{path}[]"), &schema["items"], all);
    }
}

#[test]
fn every_field_is_explained_and_bounded() {
    for (path, schema) in schemas() {
        let own = path.contains(".spec");
        let explained = schema["description"].as_str().is_some_and(|text| !text.is_empty());
        let plain = path.ends_with("[]") && schema["type"] != "object";
        assert!(explained || plain || path.ends_with(".metadata"), "{path} has no description");
        assert!(schema.get("nullable").is_none(), "{path} may be null: null is to count as absent");
        let bounds: &[&str] = match schema["type"].as_str() {
            Some("string") if own && schema.get("enum").is_none() => &["maxLength"],
            Some("array") => &["maxItems"],
            Some("integer" | "number") if own => &["minimum", "maximum"],
            _ => &[],
        };
        for bound in bounds {
            assert!(
                schema.get(*bound).is_some(),
                "{path} has no {bound}: the cost of rules cannot be estimated"
            );
        }
        let open = schema.get("additionalProperties").is_some() && schema.get("maxProperties").is_none();
        assert!(!open, "{path} is a map without maxProperties");
    }
}

#[test]
fn what_may_be_left_out_has_a_default_or_means_something_by_its_absence() {
    #[rustfmt::skip]
    let meaningful = [
        "sha256", "credentials", "volume", "model", "genre", "popular", "becauseYouWatched", "objective", "max", "gateway", "namespace",
        "sectionName", "hostnames", "targetInFlightRequests", "topologySpread", "nodeSelector", "tolerations", "podLabels",
        "podAnnotations", "imagePullSecrets", "key", "operator", "value", "effect", "tolerationSeconds", "requests", "limits",
        "affinity", "priorityClassName", "runtimeClassName", "schedulerName", "serviceAccount", "name", "annotations", "env", "valueFrom",
        "secretKeyRef", "configMapKeyRef", "terminationGracePeriodSeconds", "maxBody",
    ];
    // Members of `affinity` are those of Kubernetes.
    let ours = |path: &str| path.contains(".spec") && !path.contains(".affinity");
    for (path, schema) in schemas().iter().filter(|(path, _)| ours(path)) {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let named = required.contains(&name.as_str()) || meaningful.contains(&name.as_str());
            assert!(
                named || property.get("default").is_some(),
                "{path}.{name} is optional and has no default"
            );
        }
    }
}

#[test]
fn kinds_have_short_names_and_stand_in_the_category() {
    let named: Vec<(String, Vec<String>, Vec<String>)> = definitions()
        .into_iter()
        .map(|crd| crd.spec.names)
        .map(|names| {
            (names.kind, names.short_names.unwrap_or_default(), names.categories.unwrap_or_default())
        })
        .collect();
    let expected = [("PageLayout", "pl"), ("RankingModel", "rm")]
        .map(|(kind, short)| (kind.to_owned(), vec![short.to_owned()], vec!["marquee".to_owned()]));
    assert_eq!(named, expected);
}

#[test]
fn the_committed_manifests_are_the_generated_ones() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    for (name, text) in manifests().unwrap() {
        let committed = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert!(committed == text, "crds/manifests/{name} is out of date: run `make generate`");
    }
}

#[test]
fn manifests_hold_whole_numbers_only() {
    for (name, text) in manifests().unwrap() {
        let split = text.lines().find(|line| line.trim_end().ends_with(".0") && line.contains("imum:"));
        assert_eq!(split, None, "{name}");
        assert!(!text.contains("uint"), "{name} has a format that the API server warns of");
    }
}
