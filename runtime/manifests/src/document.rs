//! Turns a document into resources: finds the kind, reads the metadata, checks the spec against schema and rules.

use marquee_crds::{GROUP, VERSION, pod_config::ResourceRef, spelling};
use serde_json::{Value as Json, json};

use crate::{
    error::{Fault, clip},
    metadata::{CLUSTER_FIELDS, Metadata},
    note::Note,
    schema::{Finding, KindSchema, Refusal, Type, check, describe, wrong_type},
    yaml::{Node, Value},
};

/// A resource, before or after its check against the schema and the rules.
pub(crate) struct Resource {
    pub(crate) kind: &'static KindSchema,
    pub(crate) reference: ResourceRef,
    pub(crate) node: Node,
    /// The resource as an API server would store it, with defaults.
    pub(crate) object: Json,
}

impl Resource {
    /// Kind, namespace and name.
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.kind.name, self.reference)
    }

    /// The rules that this resource, or its change from `old`, breaks.
    pub(crate) fn broken_rules(&self, old: Option<&Json>) -> Vec<Finding> {
        let finding = |Refusal { field, message }| {
            // A rule on the whole resource is about its name.
            let field = if field.is_empty() { "metadata.name".to_owned() } else { field };
            let found = found(self.node.at_path(&field));
            Finding { at: self.node.locate(&field), fault: Fault::Rule { message, found }, field }
        };
        self.kind.broken_rules(&self.object, old).into_iter().map(finding).collect()
    }
}

/// The content of a document: resources, and the errors of each.
#[derive(Default)]
pub(crate) struct Document {
    pub(crate) resources: Vec<Resource>,
    pub(crate) findings: Vec<(Option<String>, Finding)>,
    pub(crate) notes: Vec<Note>,
}

impl Document {
    /// Reads `node`: a resource of one of `kinds`, or a `List` of them.
    pub(crate) fn read(node: Node, kinds: &'static [KindSchema]) -> Self {
        let mut document = Self::default();
        if let Some(items) = list_items(&node) {
            for item in items {
                document.resource(item.clone(), kinds);
            }
        } else {
            document.resource(node, kinds);
        }
        document
    }

    fn find(&mut self, resource: Option<&str>, finding: Finding) {
        self.findings.push((resource.map(str::to_owned), finding));
    }

    fn resource(&mut self, node: Node, kinds: &'static [KindSchema]) {
        let kind = match kind_of(&node, kinds) {
            Ok(kind) => kind,
            Err(findings) => return findings.into_iter().for_each(|finding| self.find(None, finding)),
        };
        let mut metadata = Metadata::read(&node);
        let reference = ResourceRef {
            namespace: metadata.namespace.take().unwrap_or_else(|| "default".into()),
            name: metadata.name.take().unwrap_or_default(),
        };
        let written = node.at_path("metadata.name").and_then(Node::text);
        let label = match (reference.name.as_str(), written) {
            ("", None) => format!("{} without a name", kind.name),
            ("", Some(bad)) => format!("{} {:?}", kind.name, clip(bad)),
            _ => format!("{} {reference}", kind.name),
        };
        metadata.json.insert("namespace".into(), json!(reference.namespace));
        self.note(&node, &label);

        let mut findings = metadata.findings;
        findings.extend(unknown_fields(&node));
        let (spec, spec_findings) = spec(&node, kind);
        findings.extend(spec_findings);
        let object = json!({
            "apiVersion": format!("{GROUP}/{VERSION}"), "kind": kind.name, "metadata": metadata.json, "spec": spec,
        });
        let resource = Resource { kind, reference, node, object };
        // Do not report one error twice: a rule may look at a field that already has an error.
        let mut broken = resource.broken_rules(None);
        broken.retain(|broken| {
            let no_name = |known: &Finding| known.field == "metadata" && broken.field == "metadata.name";
            !findings.iter().any(|known| no_name(known) || is_around(&broken.field, &known.field))
        });
        findings.extend(broken);
        if findings.is_empty() {
            self.resources.push(resource);
        }
        findings.into_iter().for_each(|finding| self.find(Some(&label), finding));
    }

    fn note(&mut self, node: &Node, label: &str) {
        let resource = label.to_owned();
        if node.entry("status").is_some() {
            self.notes.push(Note::StatusIgnored { resource: resource.clone() });
        }
        let metadata = node.entry("metadata").map(|entry| entry.node.entries()).unwrap_or_default();
        let named = metadata.iter().map(|entry| entry.name.as_str());
        let mut fields: Vec<String> =
            named.filter(|name| CLUSTER_FIELDS.contains(name)).map(str::to_owned).collect();
        if !fields.is_empty() {
            fields.sort();
            self.notes.push(Note::MetadataIgnored { resource, fields });
        }
    }
}

/// The items of a `List`, which `kubectl get -o yaml` writes for several resources.
fn list_items(node: &Node) -> Option<&[Node]> {
    let is = |field: &str, text: &str| node.entry(field).and_then(|entry| entry.node.text()) == Some(text);
    match node.entry("items").map(|items| &items.node.value) {
        Some(Value::List(items)) if is("apiVersion", "v1") && is("kind", "List") => Some(items),
        _ => None,
    }
}

/// Looks up the kind by `apiVersion` and `kind`.
fn kind_of(node: &Node, kinds: &'static [KindSchema]) -> Result<&'static KindSchema, Vec<Finding>> {
    let Value::Object(_) = node.value else {
        let fault = Fault::NotAResource { found: describe(node) };
        return Err(vec![Finding { at: node.at, field: String::new(), fault }]);
    };
    let (version, name) = match (header(node, "apiVersion"), header(node, "kind")) {
        (Ok(version), Ok(name)) => (version, name),
        (version, name) => return Err([version.err(), name.err()].into_iter().flatten().collect()),
    };
    let expected = format!("{GROUP}/{VERSION}");
    let wrong =
        |field: &str, fault| Err(vec![Finding { at: node.locate(field), field: field.into(), fault }]);
    let known = kinds.iter().find(|kind| kind.name == name);
    match known {
        Some(kind) if version == expected => Ok(kind),
        // We know the kind, so only the version is wrong.
        Some(_) => wrong("apiVersion", Fault::UnknownVersion { found: clip(version), expected }),
        None => {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
            let hint = spelling::question(name, names.iter().copied()).unwrap_or_else(|| {
                format!(
                    "; known are {} of {expected}: keep resources for other programs in another folder",
                    names.join(" and ")
                )
            });
            wrong("kind", Fault::UnknownKind { found: clip(name), version: clip(version), hint })
        }
    }
}

fn header<'a>(node: &'a Node, field: &str) -> Result<&'a str, Finding> {
    let Some(entry) = node.entry(field) else {
        let explanation = match field {
            "apiVersion" => format!(" ({GROUP}/{VERSION})"),
            _ => " (RankingModel or PageLayout)".into(),
        };
        let fault = Fault::Missing { name: field.to_owned(), explanation };
        return Err(Finding { at: node.at, field: String::new(), fault });
    };
    let wrong = || Finding {
        at: entry.node.at,
        field: field.to_owned(),
        fault: wrong_type(&entry.node, Type::String),
    };
    entry.node.text().ok_or_else(wrong)
}

const FIELDS: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

fn unknown_fields(node: &Node) -> Vec<Finding> {
    let unknown = node.entries().iter().filter(|entry| !FIELDS.contains(&entry.name.as_str()));
    unknown
        .map(|entry| {
            let hint = spelling::hint(&entry.name, FIELDS);
            let fault = Fault::UnknownField { name: clip(&entry.name), hint };
            Finding { at: entry.at, field: String::new(), fault }
        })
        .collect()
}

fn spec(node: &Node, kind: &KindSchema) -> (Json, Vec<Finding>) {
    match (node.entry("spec"), kind.schema.properties.get("spec")) {
        (Some(entry), Some(schema)) => check(entry, "spec", schema),
        (_, schema) => {
            let what = schema.map(|schema| schema.description.trim_end_matches('.')).unwrap_or_default();
            let fault = Fault::Missing { name: "spec".into(), explanation: format!(" ({what})") };
            (Json::Null, vec![Finding { at: node.at, field: String::new(), fault }])
        }
    }
}

/// Whether `field` equals or contains `inner`.
fn is_around(field: &str, inner: &str) -> bool {
    inner.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The value that breaks a rule, in parentheses.
fn found(node: Option<&Node>) -> String {
    match node.map(|node| (node, &node.value)) {
        Some((_, Value::Text(text))) => format!(" (found {:?})", clip(text)),
        Some((node, Value::Object(entries))) => {
            let empty = entries.iter().filter(|entry| entry.node.is_null());
            let names: Vec<&str> = empty.map(|entry| entry.name.as_str()).collect();
            match names.as_slice() {
                [] => String::new(),
                _ if node.entries().is_empty() => String::new(),
                names => format!(" ({} is empty, which counts as absent)", names.join(", ")),
            }
        }
        _ => String::new(),
    }
}
