//! Every CEL rule has a row that it accepts and a row that it rejects, and its message says the mend.
//!
//! The same rows are put to a real API server by `admit_rules` of the tests' crate.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod rules;

use std::collections::BTreeSet;

use kube::core::cel::Validator;
use marquee_crds::{PageLayout, RankingModel};
use rules::{KINDS, fixed, rows, schema, smallest, with};
use serde_json::{Value, json};

fn messages(kind: &str, object: &Value, old: Option<&Value>) -> Vec<String> {
    match Validator::new().validate(&schema(kind), object, old) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.message).collect(),
    }
}

#[test]
fn a_rule_accepts_what_is_right_and_rejects_what_is_wrong() {
    for kind in KINDS {
        for row in rows(kind) {
            let object = with(smallest(kind), &row.pointer, &row.value);
            let expected: Vec<String> = row.refused.into_iter().map(str::to_owned).collect();
            assert_eq!(messages(kind, &object, None), expected, "{kind}: {} ({})", row.why, row.pointer);
        }
    }
}

/// The same through the types: what a rule accepts, they read, and `validate_cel` agrees.
#[test]
fn the_types_read_what_the_rules_accept() {
    let accepts = |kind: &str, object: Value| {
        if kind == "RankingModel" {
            serde_json::from_value::<RankingModel>(object).is_ok_and(|model| model.validate_cel().is_ok())
        } else {
            serde_json::from_value::<PageLayout>(object).is_ok_and(|layout| layout.validate_cel().is_ok())
        }
    };
    for kind in KINDS {
        for row in rows(kind) {
            let object = with(smallest(kind), &row.pointer, &row.value);
            assert_eq!(accepts(kind, object), row.refused.is_none(), "{kind}: {} ({})", row.why, row.pointer);
        }
    }
}

#[test]
fn a_surface_is_fixed_for_life_and_the_rest_is_not() {
    for (kind, free, other) in
        [("RankingModel", "/spec/objective", json!("other")), ("PageLayout", "/spec/deadline", json!("50ms"))]
    {
        let old = smallest(kind);
        let none: [String; 0] = [];
        assert_eq!(
            messages(kind, &with(old.clone(), free, &other), Some(&old)),
            none,
            "{kind}: {free} may change"
        );
        let (pointer, value, message) = fixed(kind);
        assert_eq!(messages(kind, &with(old.clone(), pointer, &value), Some(&old)), [message], "{kind}");
    }
}

#[test]
fn no_rule_is_without_a_row_that_it_rejects() {
    for kind in KINDS {
        let mut rules = BTreeSet::new();
        collect(&schema(kind), &mut rules);
        let rejected = rows(kind).into_iter().filter_map(|row| row.refused).chain([fixed(kind).2]);
        assert_eq!(rules, rejected.map(str::to_owned).collect(), "{kind}");
    }
}

fn collect(schema: &Value, messages: &mut BTreeSet<String>) {
    for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
        messages.insert(rule["message"].as_str().expect("every rule has a message").to_owned());
    }
    let properties = schema["properties"].as_object().into_iter().flatten().map(|(_, property)| property);
    let inner = ["items", "additionalProperties"].into_iter().map(|inner| &schema[inner]);
    properties.chain(inner.filter(|inner| inner.is_object())).for_each(|inner| collect(inner, messages));
}
