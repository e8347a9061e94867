//! Checks a value against a schema, finds all errors and fills in defaults.

use std::ops::RangeInclusive;

use marquee_crds::spelling;
use serde_json::{Map, Value as Json};

use super::{Schema, Type};
use crate::{
    error::{Fault, clip},
    position::Position,
    yaml::{Entry, Node, Value, number},
};

/// An error, its field and its position.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) at: Position,
    pub(crate) field: String,
    pub(crate) fault: Fault,
}

/// The value of `entry` as an API server would store it, and its errors. `path` is the path of the entry.
pub(crate) fn check(entry: &Entry, path: &str, schema: &Schema) -> (Json, Vec<Finding>) {
    let mut check = Check { root: schema, root_path: path.to_owned(), findings: Vec::new() };
    let value = check.value(&entry.node, schema, &Place { path: path.to_owned(), at: entry.at });
    (value, check.findings)
}

struct Check<'a> {
    root: &'a Schema,
    root_path: String,
    findings: Vec<Finding>,
}

/// A field and the position of its name; in a list, the position of the item.
struct Place {
    path: String,
    at: Position,
}

impl Place {
    /// The same field, where its value stands.
    fn moved_to(&self, at: Position) -> Self {
        Self { path: self.path.clone(), at }
    }
}

/// All numbers from `least` to `most`, where there are such bounds.
fn within(least: Option<usize>, most: Option<usize>) -> RangeInclusive<usize> {
    least.unwrap_or(0)..=most.unwrap_or(usize::MAX)
}

impl Check<'_> {
    fn find(&mut self, at: Position, path: &str, fault: Fault) {
        self.findings.push(Finding { at, field: path.to_owned(), fault });
    }

    fn value(&mut self, node: &Node, schema: &Schema, place: &Place) -> Json {
        if schema.int_or_string {
            return self.quantity(node, schema, place);
        }
        match (schema.kind, &node.value) {
            (Type::Object, Value::Object(entries)) if schema.additional_properties.is_some() => {
                self.map(entries, schema, place)
            }
            (Type::Object, Value::Object(entries)) => self.object(entries, schema, place),
            (Type::Array, Value::List(nodes)) => self.list(nodes, schema, place),
            (Type::String, Value::Text(text)) => self.text(text, schema, &place.moved_to(node.at)),
            (Type::Integer | Type::Number, Value::Number { value, written }) => {
                let whole =
                    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0);
                if schema.kind == Type::Integer && !whole {
                    self.find(node.at, &place.path, wrong_type(node, schema.kind));
                    return Json::Null;
                }
                self.number(value, written, schema, &place.moved_to(node.at))
            }
            (Type::Boolean, Value::Bool { value, .. }) => Json::Bool(*value),
            _ => {
                let at =
                    if matches!(node.value, Value::Object(_) | Value::List(_)) { place.at } else { node.at };
                self.find(at, &place.path, wrong_type(node, schema.kind));
                Json::Null
            }
        }
    }

    /// A number or text. The rule for its format belongs to the map around it.
    fn quantity(&mut self, node: &Node, schema: &Schema, place: &Place) -> Json {
        match &node.value {
            Value::Text(text) => self.text(text, schema, &place.moved_to(node.at)),
            Value::Number { value, .. } if value.is_i64() || value.is_u64() => Json::Number(value.clone()),
            _ => {
                self.find(
                    node.at,
                    &place.path,
                    Fault::WrongType {
                        found: describe(node),
                        expected: "a whole number or text",
                        mend: ": write a whole number, or a quoted text with a unit, such as \"500m\"".into(),
                    },
                );
                Json::Null
            }
        }
    }

    /// A map: the user chooses the keys.
    fn map(&mut self, entries: &[Entry], schema: &Schema, place: &Place) -> Json {
        let what = "the number of keys";
        self.bounds(what, entries.len(), &within(None, schema.max_properties), place);
        let Some(values) = &schema.additional_properties else { return Json::Null };
        let mut map = Map::new();
        for entry in entries.iter().take(schema.max_properties.unwrap_or(usize::MAX)) {
            let path = format!("{}.{}", place.path, entry.name);
            let value = self.value(&entry.node, values, &Place { path, at: entry.at });
            map.insert(entry.name.clone(), value);
        }
        Json::Object(map)
    }

    fn object(&mut self, entries: &[Entry], schema: &Schema, place: &Place) -> Json {
        let mut object = Map::new();
        let mut meant = Vec::new();
        for entry in entries {
            let Some(property) = schema.properties.get(&entry.name) else {
                meant.extend(spelling::nearest(&entry.name, schema.properties.keys().map(String::as_str)));
                let hint = self.hint(&entry.name, schema);
                self.find(entry.at, &place.path, Fault::UnknownField { name: clip(&entry.name), hint });
                continue;
            };
            if entry.node.is_null() {
                continue;
            }
            let path = format!("{}.{}", place.path, entry.name);
            let value = self.value(&entry.node, property, &Place { path, at: entry.at });
            object.insert(entry.name.clone(), value);
        }
        for (name, property) in &schema.properties {
            if object.contains_key(name) {
                continue;
            }
            if let Some(default) = &property.default {
                object.insert(name.clone(), default.clone());
            } else if schema.required.contains(name) && !meant.contains(&name.as_str()) {
                let explanation = format!(" ({})", property.gist());
                self.find(place.at, &place.path, Fault::Missing { name: name.clone(), explanation });
            }
        }
        Json::Object(object)
    }

    /// A similar field of the same object, or the object that has a field of this name, or the known fields.
    fn hint(&self, name: &str, schema: &Schema) -> String {
        let known = || schema.properties.keys().map(String::as_str);
        if spelling::nearest(name, known()).is_none()
            && let Some(home) = self.root.owner_of(name, &self.root_path)
        {
            return format!(": move it to {home}");
        }
        match schema.properties.is_empty() {
            true => "; it has no fields: write {}".into(),
            false => spelling::hint(name, known()),
        }
    }

    fn list(&mut self, nodes: &[Node], schema: &Schema, place: &Place) -> Json {
        let what = "the number of items";
        self.bounds(what, nodes.len(), &within(schema.min_items, schema.max_items), place);
        let Some(items) = &schema.items else { return Json::Array(Vec::new()) };
        // Items beyond the maximum are refused already, so do not check them.
        let nodes = nodes.iter().take(schema.max_items.unwrap_or(usize::MAX)).enumerate();
        Json::Array(
            nodes
                .map(|(index, node)| {
                    self.value(node, items, &Place { path: format!("{}[{index}]", place.path), at: node.at })
                })
                .collect(),
        )
    }

    fn text(&mut self, text: &str, schema: &Schema, place: &Place) -> Json {
        if !schema.values.is_empty() && !schema.values.iter().any(|value| value == text) {
            let hint = spelling::question(text, schema.values.iter().map(String::as_str)).unwrap_or_default();
            self.find(
                place.at,
                &place.path,
                Fault::NotAllowed { found: clip(text), allowed: schema.values.join(", "), hint },
            );
        }
        self.bounds("the length", text.chars().count(), &within(schema.min_length, schema.max_length), place);
        Json::String(text.to_owned())
    }

    fn bounds(&mut self, what: &'static str, found: usize, allowed: &RangeInclusive<usize>, place: &Place) {
        let bound = match (found < *allowed.start(), found > *allowed.end()) {
            (true, _) => format!("at least {}", allowed.start()),
            (_, true) => format!("at most {}", allowed.end()),
            _ => return,
        };
        self.find(place.at, &place.path, Fault::OutOfBounds { what, found: found.to_string(), bound });
    }

    fn number(&mut self, value: &serde_json::Number, written: &str, schema: &Schema, place: &Place) -> Json {
        let size = value.as_f64().unwrap_or_default();
        let bound = match (
            schema.minimum.filter(|least| size < *least),
            schema.maximum.filter(|most| size > *most),
        ) {
            (Some(least), _) => Some(format!("at least {least}")),
            (_, Some(most)) => Some(format!("at most {most}")),
            _ => None,
        };
        if let Some(bound) = bound {
            self.find(
                place.at,
                &place.path,
                Fault::OutOfBounds { what: "the number", found: clip(written), bound },
            );
            return Json::Null;
        }
        // 32.0 counts as a whole number.
        match schema.kind {
            Type::Integer if value.is_f64() => Json::from(size as i64),
            _ => Json::Number(value.clone()),
        }
    }
}

/// The error that `node` has the wrong type, and how to fix it.
pub(crate) fn wrong_type(node: &Node, expected: Type) -> Fault {
    let found = describe(node);
    let mend = match (expected, &node.value) {
        (Type::String, Value::Bool { written, .. }) if !matches!(written.as_str(), "true" | "false") => {
            format!(", because YAML reads {written} as a boolean: quote it")
        }
        (Type::String, Value::Bool { .. } | Value::Number { .. }) => ": quote it".into(),
        (Type::Integer | Type::Number, Value::Text(text)) if number(text).is_some() => {
            ": remove the quotes".into()
        }
        (Type::Array, _) => ": write each item on its own line after `- `".into(),
        (Type::Object, Value::List(_)) => ": remove the `- `".into(),
        (Type::Object, _) => ": write its fields below it and indent them".into(),
        _ => String::new(),
    };
    let expected = match expected {
        Type::Object => "an object",
        Type::Array => "a list",
        Type::String => "text",
        Type::Integer => "a whole number",
        Type::Number => "a number",
        Type::Boolean => "true or false",
    };
    Fault::WrongType { found, expected, mend }
}

/// Describes the value in words.
pub(crate) fn describe(node: &Node) -> String {
    match &node.value {
        Value::Null => "empty".into(),
        Value::Bool { value, .. } => format!("the boolean {value}"),
        Value::Number { written, .. } => format!("the number {}", clip(written)),
        Value::Text(text) => format!("the text {:?}", clip(text)),
        Value::List(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}
