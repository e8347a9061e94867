use std::collections::BTreeSet;

use serde_json::Value;

use super::OPEN_API;
use crate::transport::http::ROUTES;

fn document() -> Value {
    serde_json::from_str(OPEN_API).unwrap()
}

#[test]
fn the_document_has_every_route_and_no_other() {
    let document = document();
    let mut described = BTreeSet::new();
    for (path, verbs) in document["paths"].as_object().unwrap() {
        described.extend(verbs.as_object().unwrap().keys().map(|verb| (verb.to_uppercase(), path.clone())));
    }
    let routed: BTreeSet<_> =
        ROUTES.iter().map(|(verb, path)| ((*verb).to_owned(), (*path).to_owned())).collect();
    assert_eq!(described, routed);
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(document: &Value, value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                }
                members.values().for_each(|member| walk(document, member));
            }
            Value::Array(values) => values.iter().for_each(|value| walk(document, value)),
            _ => {}
        }
    }
    let document = document();
    walk(&document, &document);
}

#[test]
fn every_schema_is_used() {
    let document = document();
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(OPEN_API.contains(&format!("\"#/components/schemas/{name}\"")), "{name} is used nowhere");
    }
}
