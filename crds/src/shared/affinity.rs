//! The schema of `affinity`: the members of Kubernetes, with bounds and short descriptions.

use k8s_openapi::api::core::v1::Affinity;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Operators of requirements on labels of nodes. Label selectors know the first four.
const OPERATORS: [&str; 6] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];
const SELECTOR_OPERATORS: usize = 4;

/// The schema of `Affinity`. That of Kubernetes has no bounds, without which the API server cannot estimate the cost of
/// rules, and refuses a wrong operator only when the pods are created.
pub(crate) fn affinity_schema(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = generator.subschema_for::<Affinity>().to_value();
    bound("affinity", false, &mut schema);
    match schema {
        Value::Object(members) => members.into(),
        _ => Schema::default(),
    }
}

/// Adds bounds and a description to the schema of the member `name`, and to those below it.
fn bound(name: &str, in_selector: bool, schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(text) = description(name) {
        schema.insert("description".into(), text.into());
    }
    let in_selector = in_selector || name.ends_with("Selector");
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => bound_text(name, in_selector, schema),
        Some("integer") => {
            schema.insert("minimum".into(), 1.into());
            schema.insert("maximum".into(), 100.into());
        }
        Some("array") => {
            schema.insert("maxItems".into(), 16.into());
            if let Some(items) = schema.get_mut("items") {
                bound("", in_selector, items);
                if matches!(name, "matchExpressions" | "matchFields") {
                    items["x-kubernetes-validations"] =
                        json!([{ "rule": VALUES_RULE, "message": VALUES_MESSAGE }]);
                }
            }
        }
        _ => {}
    }
    if let Some(values) = schema.get_mut("additionalProperties") {
        bound("", in_selector, values);
        schema.insert("maxProperties".into(), 16.into());
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.iter_mut().for_each(|(name, property)| bound(name, in_selector, property));
    }
}

const VALUES_RULE: &str = "self.operator in ['Exists', 'DoesNotExist'] ? !has(self.values) || size(self.values) == 0 \
     : has(self.values) && size(self.values) > 0";
const VALUES_MESSAGE: &str = "values does not suit the operator: set values with In, NotIn, Gt and Lt; remove it with Exists and DoesNotExist";

fn bound_text(name: &str, in_selector: bool, schema: &mut Map<String, Value>) {
    if name == "operator" {
        let known = if in_selector { &OPERATORS[..SELECTOR_OPERATORS] } else { &OPERATORS };
        schema.insert("enum".into(), json!(known));
        return;
    }
    if matches!(name, "key" | "topologyKey") {
        schema.insert("minLength".into(), 1.into());
    }
    // The longest key of a label: a domain, a slash and a name.
    schema.insert("maxLength".into(), 317.into());
}

fn description(name: &str) -> Option<&'static str> {
    Some(match name {
        "affinity" => {
            "Rules for the choice of nodes, by the nodes' labels and by the pods that run there; as in a pod of Kubernetes."
        }
        "nodeAffinity" => "Nodes that the pods must or should run on.",
        "podAffinity" => "Other pods that the pods must or should run near.",
        "podAntiAffinity" => "Other pods that the pods must or should run away from.",
        "requiredDuringSchedulingIgnoredDuringExecution" => {
            "Rules that a node must fulfil when a pod is scheduled. Running pods stay when a node no longer fulfils them."
        }
        "preferredDuringSchedulingIgnoredDuringExecution" => {
            "Rules that a node should fulfil. The scheduler prefers the node with the largest sum of weights."
        }
        "weight" => "Weight of the rule, from 1 to 100.",
        "preference" => "The preferred nodes.",
        "podAffinityTerm" => "The other pods, and what is near them.",
        "nodeSelectorTerms" => "Terms for nodes. A node matches if one term matches.",
        "matchExpressions" => "Requirements on labels. All must hold.",
        "matchFields" => "Requirements on fields; for nodes only `metadata.name`. All must hold.",
        "matchLabels" => "Labels and their values. All must hold.",
        "key" => "Key of the label, or path of the field.",
        "operator" => "Comparison of the label's value with `values`.",
        "values" => {
            "Values to compare with; a single number for `Gt` and `Lt`. Absent with `Exists` and `DoesNotExist`."
        }
        "labelSelector" => "The other pods, by their labels.",
        "namespaceSelector" => {
            "Namespaces of the other pods, by the namespaces' labels. `{}` is every namespace."
        }
        "namespaces" => {
            "Namespaces of the other pods, by name. Without this and `namespaceSelector`: the namespace of the resource."
        }
        "topologyKey" => {
            "The label of nodes that defines what is near: two nodes are near each other if they have the same value."
        }
        "matchLabelKeys" => {
            "Keys of labels of the pod itself. Only other pods with the same values count; needs `labelSelector`."
        }
        "mismatchLabelKeys" => {
            "Keys of labels of the pod itself. Only other pods with different values count; needs `labelSelector`."
        }
        _ => return None,
    })
}
