//! The schema: every bound, list of words and required field is walked, and broken once.

use std::collections::BTreeSet;

use marquee_tests::Outcome;
use serde_json::{Map, Value, json};

use super::{
    faults, resources,
    rules::{KINDS, schema, smallest, with},
};

/// One way to break the schema.
struct Breach {
    /// Where the value is, as the API server writes it.
    field: String,
    /// The object, broken.
    broken: Value,
    /// What the API server has to say of it: the mend.
    mend: String,
    /// The object with the last value that is right, where there is one.
    edge: Option<Value>,
}

#[tokio::test]
async fn every_bound_is_kept_and_named() -> Outcome {
    for kind in KINDS {
        let resources = resources(kind, "default").await?;
        let schema = schema(kind);
        let mut walk = Walk::default();
        for object in complete(kind) {
            assert_eq!(faults(&resources, &object).await?, [], "{kind}: all that may be said, well said");
            walk.object = object.clone();
            walk.value(&schema["properties"]["spec"], &object["spec"], "spec", "/spec");
        }
        let mut all = BTreeSet::new();
        paths(&schema["properties"]["spec"], "spec", &mut all);
        assert_eq!(all, walk.seen, "{kind}: `complete` leaves no field out");
        for breach in &walk.breaches {
            let found = faults(&resources, &breach.broken).await?;
            let named =
                found.iter().any(|(field, message)| *field == breach.field && message.contains(&breach.mend));
            assert!(named, "{kind}: {}: {:?} does not hold {:?}", breach.field, found, breach.mend);
            let Some(edge) = &breach.edge else { continue };
            let found = faults(&resources, edge).await?;
            let bounds = ["should be at", "should be greater", "should be less", "may not be", "must have"];
            let again = found.iter().any(|(field, message)| {
                *field == breach.field && bounds.iter().any(|bound| message.contains(bound))
            });
            assert!(!again, "{kind}: {} refuses its own bound: {found:?}", breach.field);
        }
        println!("{kind}: {} breaches", walk.breaches.len());
        assert!(walk.breaches.len() > 60, "{kind}: {}", walk.breaches.len());
    }
    Ok(())
}

/// Objects of a kind that together say everything that may be said.
fn complete(kind: &str) -> Vec<Value> {
    let from_store =
        json!({"uri": "s3://models/x", "sha256": "0".repeat(64), "credentials": {"secretName": "store"}});
    let from_volume =
        json!({"uri": "file:///models/x", "volume": {"claimName": "models", "mountPath": "/models"}});
    let replicas = json!({"min": 1, "max": 2});
    let autoscaling = json!({"targetCpuPercent": 50, "targetInFlightRequests": 8});
    let amounts = json!({"cpu": "1", "memory": "1Gi"});
    let mut all = json!({
        "resources": {"requests": amounts, "limits": amounts},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Equal", "value": "a", "effect": "NoExecute", "tolerationSeconds": 30}],
        "topologySpread": [{"topologyKey": "zone", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"}],
        "podLabels": {"team": "discovery"}, "podAnnotations": {"owner": "discovery"},
        "imagePullSecrets": [{"name": "registry"}],
        "progressDeadline": "5m", "revisionHistoryLimit": 2,
        "affinity": affinity(),
        "priorityClassName": "high", "runtimeClassName": "gvisor", "schedulerName": "volcano",
        "env": [
            {"name": "A", "value": "b"},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "s", "key": "k"}}},
        ],
        "terminationGracePeriodSeconds": 60,
    });
    let own = if kind == "RankingModel" {
        let batching = json!({"maxBatch": 8, "maxDelay": "2ms"});
        json!({"serving": {"batching": batching, "maxTopK": 100, "maxBody": "8Mi", "replicas": replicas, "autoscaling": autoscaling}})
    } else {
        let row = |name: &str, source: Value| json!({"name": name, "heading": "Row", "source": source});
        json!({
            "candidateRows": [
                row("a", json!({"model": {"objective": "o"}})),
                row("b", json!({"genre": {"name": "Drama", "objective": "o"}})),
                row("c", json!({"popular": {}})),
                row("d", json!({"becauseYouWatched": {"objective": "o"}})),
            ],
            "page": {"rows": 2, "titlesPerRow": 5}, "deduplicate": "Row", "deadline": "50ms", "fallback": "LastGood",
            "topology": "Monolith", "maxBody": "8Mi", "replicas": replicas, "autoscaling": autoscaling,
            "gateway": {
                "parentRefs": [{"name": "public", "namespace": "edge", "sectionName": "https"}],
                "hostnames": ["home.example.com"],
            },
        })
    };
    let merge = |into: &mut Value, from: &Value| {
        into.as_object_mut().unwrap().extend(from.as_object().unwrap().clone());
    };
    merge(&mut all, &own);
    let artifact = if kind == "RankingModel" { "/spec/artifact" } else { "/spec/catalogue" };
    let said = |place: &Value, account: &Value| {
        let mut object = smallest(kind);
        merge(&mut object["spec"], &all);
        with(with(object, artifact, place), "/spec/serviceAccount", account)
    };
    vec![said(&from_store, &json!({"name": "a"})), said(&from_volume, &json!({"annotations": {"role": "c"}}))]
}

/// Every member of an affinity.
fn affinity() -> Value {
    let requirement = json!({"key": "a", "operator": "In", "values": ["b"]});
    let nodes = json!({"matchExpressions": [requirement], "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]});
    let selector = json!({"matchLabels": {"app": "a"}, "matchExpressions": [requirement]});
    let others = json!({
        "topologyKey": "zone", "labelSelector": selector, "namespaceSelector": selector, "namespaces": ["a"],
        "matchLabelKeys": ["team"], "mismatchLabelKeys": ["tenant"],
    });
    let near = json!({
        "requiredDuringSchedulingIgnoredDuringExecution": [others],
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": others}],
    });
    json!({
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [nodes]},
            "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": nodes}],
        },
        "podAffinity": near, "podAntiAffinity": near,
    })
}

/// Every path of the schema, lists and maps as `[]` and `{}`.
fn paths(schema: &Value, path: &str, all: &mut BTreeSet<String>) {
    all.insert(path.to_owned());
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        paths(property, &format!("{path}.{name}"), all);
    }
    if schema["items"].is_object() {
        paths(&schema["items"], &format!("{path}[]"), all);
    }
    if schema["additionalProperties"].is_object() {
        paths(&schema["additionalProperties"], &format!("{path}{{}}"), all);
    }
}

/// A walk over the schema along an object.
#[derive(Default)]
struct Walk {
    object: Value,
    seen: BTreeSet<String>,
    breaches: Vec<Breach>,
}

impl Walk {
    fn value(&mut self, schema: &Value, value: &Value, path: &str, pointer: &str) {
        if self.seen.insert(generic(path)) {
            self.breach(schema, value, path, pointer);
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(inner) = value.get(name) {
                self.value(property, inner, &format!("{path}.{name}"), &format!("{pointer}/{name}"));
            }
        }
        if schema["items"].is_object() {
            for (n, item) in value.as_array().unwrap().iter().enumerate() {
                self.value(&schema["items"], item, &format!("{path}[{n}]"), &format!("{pointer}/{n}"));
            }
        }
        if schema["additionalProperties"].is_object() {
            for (name, inner) in value.as_object().unwrap() {
                self.value(
                    &schema["additionalProperties"],
                    inner,
                    &format!("{path}.{name}"),
                    &format!("{pointer}/{name}"),
                );
            }
        }
    }

    fn breach(&mut self, schema: &Value, value: &Value, path: &str, pointer: &str) {
        let object = self.object.clone();
        let mut push = |field: &str, bad: Value, mend: String, edge: Option<Value>| {
            let put = |value: Value| with(object.clone(), pointer, &value);
            self.breaches.push(Breach { field: field.into(), broken: put(bad), mend, edge: edge.map(put) });
        };
        let bound = |name: &str| schema[name].as_f64().map(|bound| bound as i64);
        if let Some(least) = bound("minimum") {
            push(
                path,
                json!(least - 1),
                format!("should be greater than or equal to {least}"),
                Some(json!(least)),
            );
        }
        if let Some(most) = bound("maximum") {
            push(path, json!(most + 1), format!("should be less than or equal to {most}"), Some(json!(most)));
        }
        let text = |length: i64| json!("a".repeat(length as usize));
        if let Some(most) = bound("maxLength") {
            push(path, text(most + 1), format!("may not be more than {most} bytes"), Some(text(most)));
        }
        if let Some(least) = bound("minLength") {
            push(path, text(least - 1), format!("should be at least {least} chars long"), Some(text(least)));
        }
        let list = |length: i64| json!(vec![value[0].clone(); length as usize]);
        if let Some(most) = bound("maxItems") {
            push(path, list(most + 1), format!("must have at most {most} items"), Some(list(most)));
        }
        if let Some(least) = bound("minItems") {
            push(path, list(least - 1), format!("should have at least {least} items"), Some(list(least)));
        }
        let any = value.as_object().and_then(|map| map.values().next());
        let map = |size: i64| {
            let entry = |n: i64| (format!("k{n}"), any.cloned().unwrap_or_default());
            Value::Object((0..size).map(entry).collect::<Map<_, _>>())
        };
        if let Some(most) = bound("maxProperties") {
            push(path, map(most + 1), format!("must have at most {most} items"), Some(map(most)));
        }
        if let Some(words) = schema["enum"].as_array() {
            let words: Vec<String> = words.iter().map(Value::to_string).collect();
            push(path, json!("Nonsense"), format!("supported values: {}", words.join(", ")), None);
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let mut without = value.clone();
            without.as_object_mut().unwrap().remove(name);
            push(&format!("{path}.{name}"), without, "Required value".into(), None);
        }
        if let Some(kind) = schema["type"].as_str() {
            let wrong = if kind == "string" { json!(7) } else { json!("seven") };
            push(path, wrong, format!("must be of type {kind}"), None);
        }
    }
}

/// The path in the schema of a path in an object: any item is `[]`, and any key of a map `{}`.
fn generic(path: &str) -> String {
    let maps =
        ["requests", "limits", "nodeSelector", "podLabels", "podAnnotations", "matchLabels", "annotations"];
    let mut steps: Vec<String> = Vec::new();
    for step in path.split('.') {
        let within = steps.last().is_some_and(|last| maps.contains(&last.as_str()));
        match (within, step.split_once('[')) {
            (true, _) => steps.last_mut().unwrap().push_str("{}"),
            (false, Some((list, _))) => steps.push(format!("{list}[]")),
            (false, None) => steps.push(step.to_owned()),
        }
    }
    steps.join(".")
}
