//! Compares the status that the operator decided with the status that a watch reports. Pure.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;

/// The operator's latest decision about the status of a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecidedStatus {
    /// Nothing yet.
    #[default]
    Nothing,
    /// The status with this fingerprint.
    Status(u64),
    /// A status for an outdated version of the resource. The newer version needs another decision.
    Outdated,
}

impl DecidedStatus {
    /// Whether a newer version has another status than the operator decided. `fingerprint` returns the fingerprint of its status.
    pub fn is_not(self, fingerprint: impl FnOnce() -> u64) -> bool {
        match self {
            Self::Nothing => false,
            Self::Status(decided) => decided != fingerprint(),
            Self::Outdated => true,
        }
    }
}

/// A number that ignores times, and conditions whose types `writes` does not accept. Statuses that differ only in these have the same number.
pub fn fingerprint(status: &Value, writes: fn(&str) -> bool) -> u64 {
    let mut own = timeless(status);
    if let Some(conditions) = own.get_mut("conditions").and_then(Value::as_array_mut) {
        conditions.retain(|condition| is_own(condition, writes));
    }
    let mut hasher = DefaultHasher::new();
    own.to_string().hash(&mut hasher);
    hasher.finish()
}

/// Whether the operator writes conditions of this type.
pub fn is_own(condition: &Value, writes: fn(&str) -> bool) -> bool {
    writes(condition["type"].as_str().unwrap_or_default())
}

/// A status without times and with its conditions sorted by type.
pub fn timeless(status: &Value) -> Value {
    match status {
        Value::Object(members) => {
            let kept =
                members.iter().filter(|(name, _)| !matches!(name.as_str(), "lastTransitionTime" | "since"));
            let kept = kept.map(|(name, value)| {
                let mut value = timeless(value);
                if let Some(list) = value.as_array_mut().filter(|_| name == "conditions") {
                    list.sort_by(|one, other| one["type"].as_str().cmp(&other["type"].as_str()));
                }
                (name.clone(), value)
            });
            Value::Object(kept.collect())
        }
        Value::Array(members) => members.iter().map(timeless).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn condition(type_: &str, status: &str, time: &str) -> Value {
        json!({"type": type_, "status": status, "reason": "R", "message": "", "lastTransitionTime": time})
    }

    #[test]
    fn a_fingerprint_is_that_of_what_the_operator_decides() {
        let number = |status: Value| fingerprint(&status, |type_| type_ == "Ready");
        let decided = number(json!({"conditions": [condition("Ready", "True", "1")]}));
        #[rustfmt::skip]
        let cases = [
            ("another time",                 true,  json!({"conditions": [condition("Ready", "True", "2")]})),
            ("a condition of another team",  true,  json!({"conditions": [condition("AnotherTeams", "True", "1"), condition("Ready", "True", "1")]})),
            ("another answer",               false, json!({"conditions": [condition("Ready", "False", "1")]})),
            ("a member that nobody decided", false, json!({"conditions": [condition("Ready", "True", "1")], "pods": "1/1"})),
            ("no status",                    false, Value::Null),
        ];
        for (why, is_same, status) in cases {
            assert_eq!(number(status) == decided, is_same, "{why}");
        }
    }
}
