//! Checks `metadata`: names, labels and annotations, by the rules of Kubernetes.

use serde_json::{Map, Value as Json, json};

use crate::{
    error::{Fault, clip},
    schema::{Finding, Type, wrong_type},
    yaml::{Entry, Node, Value},
};

/// Fields that a cluster sets and a folder does not use.
pub(crate) const CLUSTER_FIELDS: [&str; 10] = [
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];
const KNOWN_FIELDS: [&str; 5] = ["name", "namespace", "labels", "annotations", "creationTimestamp"];

/// Maximum bytes that Kubernetes accepts in the annotations of a resource.
const MAX_ANNOTATIONS: usize = 256 * 1024;

/// The valid part of a resource's metadata, and the errors in the rest.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    /// The value for the typed resource.
    pub(crate) json: Map<String, Json>,
    pub(crate) findings: Vec<Finding>,
}

impl Metadata {
    /// Reads the metadata of the resource `root`.
    pub(crate) fn read(root: &Node) -> Self {
        let mut read = Self::default();
        let Some(entry) = root.entry("metadata") else {
            read.missing(root.at, "metadata", " (at least the name of the resource)");
            return read;
        };
        let Value::Object(fields) = &entry.node.value else {
            read.find(entry, "metadata", wrong_type(&entry.node, Type::Object));
            return read;
        };
        for field in fields.iter().filter(|field| !field.node.is_null()) {
            read.field(field);
        }
        if entry.node.entry("name").is_none() {
            read.missing(entry.at, "metadata", " (the name of the resource in its namespace)");
        }
        read
    }

    fn find(&mut self, entry: &Entry, field: &str, fault: Fault) {
        self.findings.push(Finding { at: entry.at, field: field.to_owned(), fault });
    }

    fn missing(&mut self, at: crate::position::Position, field: &str, explanation: &str) {
        let name = "metadata.name".to_owned();
        self.findings.push(Finding {
            at,
            field: field.to_owned(),
            fault: Fault::Missing { name, explanation: explanation.into() },
        });
    }

    fn field(&mut self, field: &Entry) {
        let path = format!("metadata.{}", field.name);
        match field.name.as_str() {
            "name" => self.name = self.named(field, &path, &SUBDOMAIN),
            "namespace" if field.node.text() == Some("") => {}
            "namespace" => self.namespace = self.named(field, &path, &LABEL),
            "labels" | "annotations" => self.map(field, &path),
            "creationTimestamp" => self.timestamp(field, &path),
            name if CLUSTER_FIELDS.contains(&name) => {}
            name => {
                let hint = marquee_crds::spelling::hint(name, KNOWN_FIELDS);
                self.find(field, "metadata", Fault::UnknownField { name: clip(name), hint });
            }
        }
    }

    fn named(&mut self, field: &Entry, path: &str, rule: &NameRule) -> Option<String> {
        let Some(text) = field.node.text() else {
            self.find(field, path, wrong_type(&field.node, Type::String));
            return None;
        };
        if !(rule.fits)(text) {
            let NameRule { what, mend, .. } = *rule;
            self.find(field, path, Fault::BadName { found: clip(text), what, mend });
            return None;
        }
        self.json.insert(field.name.clone(), json!(text));
        Some(text.to_owned())
    }

    fn timestamp(&mut self, field: &Entry, path: &str) {
        let text = field.node.text();
        let meta = serde_json::from_value::<kube::core::ObjectMeta>(json!({ "creationTimestamp": text }));
        match (text, meta) {
            (Some(text), Ok(_)) => drop(self.json.insert(field.name.clone(), json!(text))),
            (Some(text), Err(_)) => {
                let (what, mend) = ("time", "write it as 2026-01-31T12:00:00Z, or remove it");
                self.find(field, path, Fault::BadName { found: clip(text), what, mend });
            }
            (None, _) => self.find(field, path, wrong_type(&field.node, Type::String)),
        }
    }

    /// Reads labels or annotations, which map text to text.
    fn map(&mut self, field: &Entry, path: &str) {
        let Value::Object(entries) = &field.node.value else {
            return self.find(field, path, wrong_type(&field.node, Type::Object));
        };
        let labels = field.name == "labels";
        let mut map = Map::new();
        for entry in entries.iter().filter(|entry| !entry.node.is_null()) {
            let Some(text) = entry.node.text() else {
                self.find(
                    entry,
                    &format!("{path}.{}", clip(&entry.name)),
                    wrong_type(&entry.node, Type::String),
                );
                continue;
            };
            if !is_key(&entry.name, labels) {
                let (what, mend) = KEY;
                self.find(entry, path, Fault::BadName { found: clip(&entry.name), what, mend });
            }
            if labels && !is_value(text) {
                let (what, mend) = VALUE;
                let path = format!("{path}.{}", clip(&entry.name));
                self.find(entry, &path, Fault::BadName { found: clip(text), what, mend });
            }
            map.insert(entry.name.clone(), json!(text));
        }
        let bytes: usize = map.iter().map(|(key, text)| key.len() + text.as_str().map_or(0, str::len)).sum();
        if !labels && bytes > MAX_ANNOTATIONS {
            self.find(field, path, Fault::AnnotationsTooLarge { found: bytes });
        }
        self.json.insert(field.name.clone(), Json::Object(map));
    }
}

/// What a name must be.
struct NameRule {
    fits: fn(&str) -> bool,
    what: &'static str,
    mend: &'static str,
}

const SUBDOMAIN: NameRule = NameRule {
    fits: is_subdomain,
    what: "resource name",
    mend: "use at most 253 lower-case letters, digits, '-' and '.'; start and end each part with a letter or digit",
};
const LABEL: NameRule = NameRule {
    fits: is_label,
    what: "namespace",
    mend: "use at most 63 lower-case letters, digits and '-'; start and end with a letter or digit",
};
const KEY: (&str, &str) = (
    "key",
    "use at most 63 letters, digits, '-', '_' and '.'; start and end with a letter or digit; a domain and '/' may come first",
);
const VALUE: (&str, &str) =
    ("label value", "use at most 63 letters, digits, '-', '_' and '.'; start and end with a letter or digit");

/// DNS-1123 label.
fn is_label(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (1..=63).contains(&text.len()) && plain && !text.starts_with('-') && !text.ends_with('-')
}

/// DNS-1123 subdomain; its parts may be longer than a label.
fn is_subdomain(text: &str) -> bool {
    let part = |part: &str| {
        let plain =
            part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        !part.is_empty() && plain && !part.starts_with('-') && !part.ends_with('-')
    };
    (1..=253).contains(&text.len()) && text.split('.').all(part)
}

/// `name` or `domain/name`. In annotation keys the domain may have capital letters.
fn is_key(text: &str, label: bool) -> bool {
    let (domain, name) = match text.split_once('/') {
        Some((domain, name)) => (Some(domain), name),
        None => (None, text),
    };
    let domain_fits =
        |domain: &str| is_subdomain(domain) || (!label && is_subdomain(&domain.to_ascii_lowercase()));
    domain.is_none_or(domain_fits) && !name.is_empty() && is_value(name)
}

fn is_value(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let ends = |c: char| c.is_ascii_alphanumeric();
    text.is_empty() || (text.len() <= 63 && plain && text.starts_with(ends) && text.ends_with(ends))
}

#[cfg(test)]
mod tests {
    use super::{is_key, is_label, is_subdomain, is_value};

    #[test]
    fn names_are_those_that_kubernetes_takes() {
        let long = "a".repeat(64);
        assert!(is_subdomain("home") && is_subdomain("home.v1-2") && is_subdomain(&long));
        assert!(
            !["", "Home", "-a", "a-", "a..b", "a_b", ".a", "é", &"a".repeat(254)]
                .into_iter()
                .any(is_subdomain)
        );
        assert!(is_label("kids-4k") && !is_label("a.b") && !is_label(&long) && !is_label(""));
        assert!(
            is_value("") && is_value("A_b.c-9") && !is_value("-a") && !is_value("a b") && !is_value(&long)
        );
        assert!(
            is_key("app", true)
                && is_key("app.kubernetes.io/name", true)
                && is_key("Example.com/name", false)
        );
        assert!(!["", "/a", "a/", "a/b/c", "Example.com/name"].into_iter().any(|key| is_key(key, true)));
    }
}
