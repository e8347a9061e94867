//! The schemas of the kinds, as an API server has them: the same definitions, the same rules.

mod check;

use std::{collections::BTreeMap, sync::OnceLock};

use kube::core::cel::{CompiledSchema, Validator, compile_schema};
use serde::Deserialize;
use serde_json::Value;

pub(crate) use check::{Finding, check, describe, wrong_type};

/// A kind that is served.
pub(crate) struct Kind {
    pub(crate) name: String,
    /// Of the whole resource.
    pub(crate) schema: Schema,
    /// The CEL rules of the schema.
    rules: CompiledSchema,
}

/// A structural schema: the keywords that our definitions use. Another keyword fails the tests, so that none is passed
/// over in silence.
#[derive(Deserialize, Debug, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Schema {
    pub(crate) description: String,
    title: Option<String>,
    /// Says how wide a number is; the bounds say more.
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
    /// Of the values of a map.
    pub(crate) additional_properties: Option<Box<Schema>>,
    max_properties: Option<usize>,
    /// A whole number or a text: a quantity. `type` is absent then.
    #[serde(rename = "x-kubernetes-int-or-string")]
    int_or_string: bool,
    /// Says how lists are merged, which is for those who apply.
    #[serde(rename = "x-kubernetes-list-type")]
    list_type: Option<String>,
    #[serde(rename = "x-kubernetes-list-map-keys")]
    list_map_keys: Vec<String>,
    /// Kept by [`Kind::rules`].
    #[serde(rename = "x-kubernetes-validations")]
    rules: Vec<Value>,
}

/// What a value must be.
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
    /// First sentence of the description, for messages.
    fn gist(&self) -> &str {
        let mut ends = self.description.match_indices(". ").map(|(end, _)| end);
        let end = ends.find(|end| !self.description[..*end].ends_with("e.g"));
        self.description[..end.unwrap_or(self.description.len())].trim_end_matches('.')
    }

    /// Path of the object, below `path`, that has a field `name`.
    fn home_of(&self, name: &str, path: &str) -> Option<String> {
        if self.properties.contains_key(name) {
            return Some(path.to_owned());
        }
        let item = self.items.iter().find_map(|items| items.home_of(name, &format!("{path}[]")));
        item.or_else(|| {
            self.properties.iter().find_map(|(step, schema)| schema.home_of(name, &format!("{path}.{step}")))
        })
    }
}

/// The kinds, in the order of their names.
///
/// # Errors
/// When a definition holds a keyword that is not known here: a defect, which a test finds.
pub(crate) fn kinds() -> Result<&'static [Kind], &'static str> {
    static KINDS: OnceLock<Result<Vec<Kind>, String>> = OnceLock::new();
    KINDS.get_or_init(load_kinds).as_deref().map_err(String::as_str)
}

fn load_kinds() -> Result<Vec<Kind>, String> {
    let mut kinds = Vec::new();
    for crd in marquee_crds::definitions::definitions() {
        let name = crd.spec.names.kind;
        let version = crd.spec.versions.into_iter().next();
        let schema = version.and_then(|version| version.schema).and_then(|schema| schema.open_api_v3_schema);
        let value = serde_json::to_value(&schema).map_err(|error| format!("{name}: {error}"))?;
        let rules = compile_schema(&value);
        let schema = serde_json::from_value(value).map_err(|error| format!("{name}: {error}"))?;
        kinds.push(Kind { name, schema, rules });
    }
    Ok(kinds)
}

/// A rule that said no: the field and the message.
pub(crate) struct Refusal {
    pub(crate) field: String,
    pub(crate) message: String,
}

impl Kind {
    /// Which CEL rules `object` breaks; with `old`, the rules of a change as well.
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
    use super::kinds;

    #[test]
    fn every_keyword_of_the_definitions_is_honoured() {
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
