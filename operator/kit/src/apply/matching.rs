//! Whether an object is still as it was applied: every field that the operator sets has the value that it set. Pure.
//!
//! Fields that the operator does not set belong to others: replicas that an autoscaler sets, a mesh's annotations, injected containers,
//! defaults.

use serde_json::{Map, Value};

use crate::child::ChildKind;

/// Lists whose members have a name, so that others may add members: Kubernetes merges them by it.
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

/// Members that a request has and the members of a list lack.
const KIND: [&str; 2] = ["apiVersion", "kind"];

/// Members that hold quantities, which the API server writes in its own way.
const AMOUNTS: [&str; 6] = ["requests", "limits", "sizeLimit", "averageValue", "value", "divisor"];

/// The path at which the object differs first from the desired one; none where it does not.
pub fn difference(kind: ChildKind, wanted: &Value, live: &Value) -> Option<String> {
    let (Value::Object(wanted), Value::Object(live)) = (wanted, live) else { return Some(String::new()) };
    let said: Map<String, Value> =
        wanted.iter().filter(|(name, _)| !KIND.contains(&name.as_str())).map(own).collect();
    Walk { kind }.object("", false, &said, live)
}

fn own((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

#[derive(Clone, Copy)]
struct Walk {
    kind: ChildKind,
}

impl Walk {
    fn value(self, path: &str, amount: bool, wanted: &Value, live: &Value) -> Option<String> {
        match (wanted, live) {
            (Value::Object(wanted), Value::Object(live)) => self.object(path, amount, wanted, live),
            (Value::Array(wanted), Value::Array(live)) => self.list(path, amount, wanted, live),
            _ if wanted == live || (amount && same_amount(wanted, live)) => None,
            _ => Some(path.to_owned()),
        }
    }

    fn object(
        self,
        path: &str,
        amount: bool,
        wanted: &Map<String, Value>,
        live: &Map<String, Value>,
    ) -> Option<String> {
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for (name, value) in wanted {
            let amount = amount || AMOUNTS.contains(&name.as_str());
            let differs = match live.get(name) {
                Some(live) => self.value(&below(name), amount, value, live),
                // The API server omits empty members.
                None => (!is_omitted(name, value)).then(|| below(name)),
            };
            if differs.is_some() {
                return differs;
            }
        }
        // A NetworkPolicy is the operator's as a whole: a member that somebody added admits more peers.
        let added = |name: &&String| !wanted.contains_key(*name) && name.as_str() != "protocol";
        let strict = self.kind == ChildKind::NetworkPolicy && path.starts_with("spec");
        strict.then(|| live.keys().find(added)).flatten().map(|name| below(name))
    }

    fn list(self, path: &str, amount: bool, wanted: &[Value], live: &[Value]) -> Option<String> {
        let Some(key) = self.key(path) else {
            if wanted.len() != live.len() {
                return Some(path.to_owned());
            }
            let mut pairs = wanted.iter().zip(live).enumerate();
            return pairs
                .find_map(|(at, (wanted, live))| self.value(&format!("{path}[{at}]"), amount, wanted, live));
        };
        wanted.iter().find_map(|wanted| {
            let name = &wanted[key];
            let path = format!("{path}[{}]", name.as_str().map_or_else(|| name.to_string(), str::to_owned));
            match live.iter().find(|live| live[key] == *name) {
                Some(live) => self.value(&path, amount, wanted, live),
                None => Some(path),
            }
        })
    }

    /// The member by which Kubernetes merges the list at `path`; none where it replaces the list as a whole.
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

/// Whether the API server omits the member because it is empty or the default. It keeps a member whose absence means something else, such
/// as `automountServiceAccountToken: false`.
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
