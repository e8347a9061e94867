//! The schemas of the kinds: the same definitions and rules as in an API server.

mod check;

use std::{collections::BTreeMap, sync::OnceLock, thread};

use kube::core::cel::{CompiledSchema, Validator, compile_schema};
use marquee_crds::definitions::{MAKE_EACH, Make};
use serde::Deserialize;
use serde_json::Value;

pub(crate) use check::{Finding, check, describe, wrong_type};

/// Schema and rules of one kind.
pub(crate) struct KindSchema {
    pub(crate) name: String,
    /// Schema of the whole resource.
    pub(crate) schema: Schema,
    /// The CEL rules of the schema.
    rules: CompiledSchema,
}

/// A structural schema with the keywords that our definitions use. A test fails on any other keyword, so that this code
/// never ignores one.
#[derive(Deserialize, Debug, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Schema {
    pub(crate) description: String,
    title: Option<String>,
    /// The width of a number; the bounds are stricter.
    format: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Type,
    pub(crate) properties: BTreeMap<String, Schema>,
    required: Vec<String>,
    default: Option<Value>,
    items: Option<Box<Schema>>,
    #[serde(rename = "enum")]
    values: Vec<String>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    min_items: Option<usize>,
    max_items: Option<usize>,
    /// Schema of the values of a map.
    pub(crate) additional_properties: Option<Box<Schema>>,
    max_properties: Option<usize>,
    /// The value is a quantity: a whole number or text. Then `type` is absent.
    #[serde(rename = "x-kubernetes-int-or-string")]
    int_or_string: bool,
    /// How server-side apply merges lists; not used here.
    #[serde(rename = "x-kubernetes-list-type")]
    list_type: Option<String>,
    #[serde(rename = "x-kubernetes-list-map-keys")]
    list_map_keys: Vec<String>,
    /// Compiled in [`KindSchema::rules`].
    #[serde(rename = "x-kubernetes-validations")]
    rules: Vec<Value>,
}

/// The type of a value.
#[derive(Deserialize, Debug, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Type {
    #[default]
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

impl Schema {
    /// The first sentence of the description, for messages.
    fn gist(&self) -> &str {
        let mut ends = self.description.match_indices(". ").map(|(end, _)| end);
        let end = ends.find(|end| !self.description[..*end].ends_with("e.g"));
        self.description[..end.unwrap_or(self.description.len())].trim_end_matches('.')
    }

    /// Path of the object below `path` that has a field `name`.
    fn owner_of(&self, name: &str, path: &str) -> Option<String> {
        if self.properties.contains_key(name) {
            return Some(path.to_owned());
        }
        let item = self.items.iter().find_map(|items| items.owner_of(name, &format!("{path}[]")));
        item.or_else(|| {
            self.properties.iter().find_map(|(step, schema)| schema.owner_of(name, &format!("{path}.{step}")))
        })
    }
}

/// The kinds, sorted by name.
///
/// # Errors
/// If a definition uses a keyword that [`Schema`] does not know. That is a bug, and a test finds it.
pub(crate) fn kinds() -> Result<&'static [KindSchema], &'static str> {
    static KINDS: OnceLock<Result<Vec<KindSchema>, String>> = OnceLock::new();
    KINDS.get_or_init(load_kinds).as_deref().map_err(String::as_str)
}

/// Side by side, because a process waits for them at its start.
fn load_kinds() -> Result<Vec<KindSchema>, String> {
    thread::scope(|scope| {
        let start = |make: Make| (make, thread::Builder::new().spawn_scoped(scope, move || load_kind(make)));
        let started = MAKE_EACH.map(start).into_iter();
        // A thread that cannot be had is done without.
        let loaded = started.map(|(make, thread)| match thread.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(kind)) => kind,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => load_kind(make),
        });
        loaded.collect()
    })
}

fn load_kind(make: Make) -> Result<KindSchema, String> {
    let crd = make();
    let name = crd.spec.names.kind;
    let version = crd.spec.versions.into_iter().next();
    let schema = version.and_then(|version| version.schema).and_then(|schema| schema.open_api_v3_schema);
    let value = serde_json::to_value(&schema).map_err(|error| format!("{name}: {error}"))?;
    let rules = compile_schema(&value);
    let schema = serde_json::from_value(value).map_err(|error| format!("{name}: {error}"))?;
    Ok(KindSchema { name, schema, rules })
}

/// A broken rule: the field and the message.
pub(crate) struct Refusal {
    pub(crate) field: String,
    pub(crate) message: String,
}

impl KindSchema {
    /// The CEL rules that `object` breaks. With `old`, also checks the rules on changes.
    pub(crate) fn broken_rules(&self, object: &Value, old: Option<&Value>) -> Vec<Refusal> {
        match Validator::new().validate_compiled(&self.rules, object, old) {
            Ok(()) => Vec::new(),
            Err(errors) => errors
                .into_iter()
                .map(|error| Refusal { field: error.field_path, message: error.message })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Schema, kinds};

    #[test]
    fn an_unknown_keyword_is_refused_and_no_definition_has_one() {
        let refused = serde_json::from_value::<Schema>(serde_json::json!({"type": "string", "pattern": "a"}));
        assert!(refused.unwrap_err().to_string().starts_with("unknown field `pattern`"));
        let names: Vec<&str> = kinds().unwrap().iter().map(|kind| kind.name.as_str()).collect();
        assert_eq!(names, ["PageLayout", "RankingModel"]);
    }

    #[test]
    fn every_rule_compiles() {
        for kind in kinds().unwrap() {
            for refusal in kind.broken_rules(&serde_json::json!({"spec": {}}), None) {
                assert!(!refusal.message.contains("compile"), "{}: {}", kind.name, refusal.message);
            }
        }
    }
}
