//! Checks whether an object still matches what was applied: each field that the operator sets has the operator's value. Pure.
//!
//! Other writers own the fields that the operator does not set: replicas of an autoscaler, annotations of a mesh, injected containers,
//! defaults.

use serde_json::{Map, Value};

use crate::child::ChildKind;

/// Lists that Kubernetes merges by a key of their members, so that other writers may add members.
const BY_NAME: [(&str, &str); 9] = [
    ("containers", "name"),
    ("initContainers", "name"),
    ("volumes", "name"),
    ("env", "name"),
    ("imagePullSecrets", "name"),
    ("volumeMounts", "mountPath"),
    ("topologySpreadConstraints", "topologyKey"),
    ("ownerReferences", "uid"),
    ("hostAliases", "ip"),
];

/// Members that an object in a list lacks.
const KIND: [&str; 2] = ["apiVersion", "kind"];

/// Members with quantities, which the API server normalizes.
const AMOUNTS: [&str; 6] = ["requests", "limits", "sizeLimit", "averageValue", "value", "divisor"];

/// The path of the first difference from the desired object; `None` if there is no difference.
pub fn difference(kind: ChildKind, desired: &Value, actual: &Value) -> Option<String> {
    let (Value::Object(desired), Value::Object(actual)) = (desired, actual) else {
        return Some(String::new());
    };
    let compared: Map<String, Value> =
        desired.iter().filter(|(name, _)| !KIND.contains(&name.as_str())).map(own).collect();
    Walk { kind }.object("", false, &compared, actual)
}

fn own((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

#[derive(Clone, Copy)]
struct Walk {
    kind: ChildKind,
}

impl Walk {
    fn value(self, path: &str, amount: bool, desired: &Value, actual: &Value) -> Option<String> {
        match (desired, actual) {
            (Value::Object(desired), Value::Object(actual)) => self.object(path, amount, desired, actual),
            (Value::Array(desired), Value::Array(actual)) => self.list(path, amount, desired, actual),
            _ if desired == actual || (amount && same_amount(desired, actual)) => None,
            _ => Some(path.to_owned()),
        }
    }

    fn object(
        self,
        path: &str,
        amount: bool,
        desired: &Map<String, Value>,
        actual: &Map<String, Value>,
    ) -> Option<String> {
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for (name, value) in desired {
            let amount = amount || AMOUNTS.contains(&name.as_str());
            let differs = match actual.get(name) {
                Some(actual) => self.value(&below(name), amount, value, actual),
                // The API server omits empty members.
                None => (!is_omitted(name, value)).then(|| below(name)),
            };
            if differs.is_some() {
                return differs;
            }
        }
        // The operator owns every member of a NetworkPolicy, because an added member would admit more peers.
        let added = |name: &&String| !desired.contains_key(*name) && name.as_str() != "protocol";
        let strict = self.kind == ChildKind::NetworkPolicy && path.starts_with("spec");
        strict.then(|| actual.keys().find(added)).flatten().map(|name| below(name))
    }

    fn list(self, path: &str, amount: bool, desired: &[Value], actual: &[Value]) -> Option<String> {
        let Some(key) = self.key(path) else {
            if desired.len() != actual.len() {
                return Some(path.to_owned());
            }
            let mut pairs = desired.iter().zip(actual).enumerate();
            return pairs.find_map(|(at, (desired, actual))| {
                self.value(&format!("{path}[{at}]"), amount, desired, actual)
            });
        };
        desired.iter().find_map(|desired| {
            let name = &desired[key];
            let path = format!("{path}[{}]", name.as_str().map_or_else(|| name.to_string(), str::to_owned));
            match actual.iter().find(|actual| actual[key] == *name) {
                Some(actual) => self.value(&path, amount, desired, actual),
                None => Some(path),
            }
        })
    }

    /// The key by which Kubernetes merges the list at `path`; `None` if it replaces the whole list.
    fn key(self, path: &str) -> Option<&'static str> {
        let list = path.rsplit('.').next().unwrap_or(path);
        match (self.kind, list) {
            (ChildKind::Service, "ports") => Some("port"),
            (ChildKind::Deployment, "ports") => Some("containerPort"),
            (ChildKind::Deployment, _) => BY_NAME.iter().find(|(name, _)| *name == list).map(|(_, key)| *key),
            (_, "ownerReferences") => Some("uid"),
            _ => None,
        }
    }
}

/// Whether the API server omits the member because it is empty or has the default value. It keeps a member whose absence has another meaning,
/// such as `automountServiceAccountToken: false`.
fn is_omitted(name: &str, value: &Value) -> bool {
    const SWITCHES: [&str; 5] = ["readOnly", "hostNetwork", "hostPID", "hostIPC", "publishNotReadyAddresses"];
    const NUMBERS: [&str; 3] = ["initialDelaySeconds", "minReadySeconds", "hostPort"];
    const MAPS: [&str; 8] =
        ["labels", "annotations", "nodeSelector", "matchLabels", "data", "requests", "limits", "resources"];
    match value {
        Value::Null => true,
        Value::Bool(on) => !on && SWITCHES.contains(&name),
        Value::Number(number) => number.as_f64() == Some(0.0) && NUMBERS.contains(&name),
        Value::String(text) => text.is_empty(),
        Value::Array(members) => members.is_empty(),
        Value::Object(members) => members.is_empty() && MAPS.contains(&name),
    }
}

fn same_amount(one: &Value, other: &Value) -> bool {
    matches!((amount(one), amount(other)), (Some(one), Some(other)) if (one - other).abs() <= 1e-9 * one.abs())
}

/// A quantity as a number: `500m` is 0.5, `1Gi` is 2³⁰.
fn amount(value: &Value) -> Option<f64> {
    const UNITS: [(&str, f64); 14] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("u", 1e-6),
    ];
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => return number.as_f64(),
        _ => return None,
    };
    let unit = UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (digits, factor) = unit.unwrap_or((text, 1.0));
    digits.parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests;
