//! CEL rules that several fields share, so that one mistake has one message.
//!
//! Formats are CEL rules and not `pattern`s, because the message of a failed pattern is the pattern.

use kube::core::Rule;
use schemars::{Schema, SchemaGenerator, json_schema};

/// A name: what a DNS label may be, so that children, labels and metrics can carry it as it is.
pub(crate) fn name(field: &str) -> Rule {
    Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message(
        format!(
            "{field} is no name: use lower-case letters, digits and '-', first and last a letter or digit"
        )
        .as_str(),
    )
}

/// A field that keeps its value for life.
pub(crate) fn fixed(field: &str, mend: &str) -> Rule {
    Rule::new("self == oldSelf").message(format!("{field} is fixed for life: {mend}").as_str())
}

/// A duration from `least` to `most`. The format comes first, so that `duration()` never sees what it cannot read.
pub(crate) fn duration(field: &str, least: &str, most: &str, example: &str) -> Rule {
    Rule::new(format!(
        "self.matches('^[0-9]+([.][0-9]+)?(us|ms|s|m)$') \
         && duration(self) >= duration('{least}') && duration(self) <= duration('{most}')"
    ))
    .message(
        format!("{field} is no duration from {least} to {most}: write a number and a unit (us, ms, s, m), such as {example}")
            .as_str(),
    )
}

/// The name of an object of another kind, which may hold dots.
pub(crate) fn object_name(field: &str) -> Rule {
    Rule::new("self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')").message(
        format!("{field} is no name of an object: use lower-case letters, digits, '-' and '.', first and last a letter or digit")
            .as_str(),
    )
}

/// The name of the resource itself: children carry it with a suffix, and a Service's name begins with a letter.
pub(crate) fn resource_name(kind: &str) -> Rule {
    Rule::new(format!("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= {}", crate::names::LONGEST))
        .message(
            format!(
                "the name of a {kind} begins its children's names: at most {} lower-case letters, digits and '-', first a letter",
                crate::names::LONGEST
            )
            .as_str(),
        )
}

/// A map of label keys to label values. Keys have no bound that the API server's cost estimate would know of: a bad one is
/// refused with the child that carries it.
pub(crate) fn label_values(field: &str) -> Rule {
    Rule::new("self.all(key, self[key].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$'))").message(
        format!("{field} holds a value that is no label's: at most 63 letters, digits, '-', '_' and '.', first and last a letter or digit")
            .as_str(),
    )
}

/// Keys that Marquee or Kubernetes sets itself.
pub(crate) fn foreign_keys(field: &str) -> Rule {
    Rule::new("self.all(key, !key.startsWith('marquee.dev/') && !key.startsWith('app.kubernetes.io/'))").message(
        format!("{field} sets a key of marquee.dev/ or app.kubernetes.io/, which Marquee sets itself: leave it out").as_str(),
    )
}

/// A map of texts of at most 63 letters.
pub(crate) fn labels_schema(_: &mut SchemaGenerator) -> Schema {
    texts(63)
}

/// A map of texts of at most 4,096 letters.
pub(crate) fn annotations_schema(_: &mut SchemaGenerator) -> Schema {
    texts(4096)
}

fn texts(longest: u32) -> Schema {
    let text = json_schema!({ "type": "string", "maxLength": longest });
    json_schema!({ "type": "object", "maxProperties": 16, "additionalProperties": text })
}
