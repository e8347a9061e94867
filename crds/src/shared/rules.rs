//! CEL rules that several fields share, so that a mistake has the same message everywhere.
//!
//! Formats are CEL rules and not `pattern`s, because the message of a failed `pattern` shows only the pattern.

use kube::core::Rule;
use schemars::{Schema, SchemaGenerator, json_schema};

/// A name with the format of a DNS label, so that children, labels and metrics can use it unchanged.
pub(crate) fn name(field: &str) -> Rule {
    Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message(
        format!(
            "{field} is not a valid name: use lower-case letters, digits and '-'; start and end with a letter or digit"
        )
        .as_str(),
    )
}

/// A field that cannot change.
pub(crate) fn fixed(field: &str, mend: &str) -> Rule {
    Rule::new("self == oldSelf").message(format!("{field} is fixed for life: {mend}").as_str())
}

/// A duration from `least` to `most`. The format comes first, so that `duration()` never gets text that it cannot parse.
pub(crate) fn duration(field: &str, least: &str, most: &str, example: &str) -> Rule {
    Rule::new(format!(
        "self.matches('^[0-9]+([.][0-9]+)?(us|ms|s|m)$') \
         && duration(self) >= duration('{least}') && duration(self) <= duration('{most}')"
    ))
    .message(
        format!("{field} is not a duration from {least} to {most}: write a number and a unit (us, ms, s, m), such as {example}")
            .as_str(),
    )
}

/// The name of an object of another kind, which may contain dots.
pub(crate) fn object_name(field: &str) -> Rule {
    Rule::new("self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')").message(
        format!("{field} is not a valid object name: use lower-case letters, digits, '-' and '.'; start and end with a letter or digit")
            .as_str(),
    )
}

/// The name of the resource itself. Children add a suffix to it, and the name of a Service starts with a letter.
pub(crate) fn resource_name(kind: &str) -> Rule {
    Rule::new(format!("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= {}", crate::names::LONGEST))
        .message(
            format!(
                "the name of a {kind} is the prefix of its children's names: use at most {} lower-case letters, digits and '-'; start with a letter",
                crate::names::LONGEST
            )
            .as_str(),
        )
}

/// A map of label keys to label values. The API server's cost estimate knows no bound for keys, so it refuses a bad key only
/// on the child that uses it.
pub(crate) fn label_values(field: &str) -> Rule {
    Rule::new("self.all(key, self[key].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$'))").message(
        format!("{field} has a value that is not a valid label value: use at most 63 letters, digits, '-', '_' and '.'; start and end with a letter or digit")
            .as_str(),
    )
}

/// Keys that Marquee or Kubernetes sets itself.
pub(crate) fn foreign_keys(field: &str) -> Rule {
    Rule::new("self.all(key, !key.startsWith('marquee.dev/') && !key.startsWith('app.kubernetes.io/'))")
        .message(
        format!(
            "{field} sets a key of marquee.dev/ or app.kubernetes.io/, which only Marquee may set: remove it"
        )
        .as_str(),
    )
}

/// A map of texts with at most 63 characters.
pub(crate) fn labels_schema(_: &mut SchemaGenerator) -> Schema {
    texts(63)
}

/// A map of texts with at most 4,096 characters.
pub(crate) fn annotations_schema(_: &mut SchemaGenerator) -> Schema {
    texts(4096)
}

fn texts(longest: u32) -> Schema {
    let text = json_schema!({ "type": "string", "maxLength": longest });
    json_schema!({ "type": "object", "maxProperties": 16, "additionalProperties": text })
}
