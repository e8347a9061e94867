//! Whether an object is still what was applied: every field that the operator names has the value that it named. Pure.
//!
//! What the operator does not name is somebody else's: replicas that an autoscaler sets, a mesh's annotations, containers that were
//! injected, defaults.

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

/// Members that hold amounts, which the API server writes in its own way.
const AMOUNTS: [&str; 6] = ["requests", "limits", "sizeLimit", "averageValue", "value", "divisor"];

/// Where the object differs first from what is wanted, as a path; none where it does not.
pub fn difference(kind: ChildKind, wanted: &Value, live: &Value) -> Option<String> {
    Walk { kind }.value("", false, wanted, live)
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
                // The API server leaves out what says nothing.
                None => (!says_nothing(name, value)).then(|| below(name)),
            };
            if differs.is_some() {
                return differs;
            }
        }
        // Who may talk to pods is all ours: a member that somebody added opens a door.
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

    /// The member by which the list at `path` is merged; none where it is one value.
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

/// Whether the API server drops the member because it is what stands for nothing. Where absence means something else, such as for
/// `automountServiceAccountToken: false`, it does not.
fn says_nothing(name: &str, value: &Value) -> bool {
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
