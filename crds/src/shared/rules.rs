//! CEL rules that several fields share, so that one mistake has one message.
//!
//! Formats are CEL rules and not `pattern`s, because the message of a failed pattern is the pattern.

use kube::core::Rule;

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
