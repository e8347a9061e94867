//! The CustomResourceDefinitions as they are installed: what the derives give, made tidy.
//!
//! Install these, never `RankingModel::crd()`: that one lets a field be `null`, and its numbers have formats that the
//! API server warns of.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt as _;
use serde_json::json;
use serde_yaml::{Number, Value};

use crate::{PageLayout, RankingModel};

/// The definition of every kind, in the order of their names.
pub fn definitions() -> Vec<CustomResourceDefinition> {
    [PageLayout::crd(), RankingModel::crd()].into_iter().map(tidy).collect()
}

/// `<plural>.yaml` and its text, for every kind: what stands in `manifests/`.
///
/// # Errors
/// None but a defect of the serialiser.
pub fn manifests() -> Result<Vec<(String, String)>, serde_yaml::Error> {
    definitions().iter().map(|crd| Ok((format!("{}.yaml", crd.spec.names.plural), yaml(crd)?))).collect()
}

/// First line of every generated manifest; a file without it was written by someone else.
pub const HEADER: &str = "# Generated from crds/src by `make generate`: edit the types, not this file.\n";

fn yaml(crd: &CustomResourceDefinition) -> Result<String, serde_yaml::Error> {
    let mut value = serde_yaml::to_value(crd)?;
    whole_numbers(&mut value);
    Ok(format!("{HEADER}{}", serde_yaml::to_string(&value)?))
}

/// Bounds are floats in the Kubernetes API types: `1000.0` becomes `1000`.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9e15) {
                *number = Number::from(whole as i64);
            }
        }
        Value::Sequence(members) => members.iter_mut().for_each(whole_numbers),
        Value::Mapping(members) => members.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// The generation that a resource has observed whom the operator has not seen yet. kstatus, by which Argo CD, Flux and Helm wait, takes
/// a resource without a status for one that needs none, and calls it current; this one it waits for.
const NOT_OBSERVED: i64 = -1;

fn tidy(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut crd.spec.versions {
        if let Some(schema) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) {
            tidy_schema(schema);
            let status = schema.properties.as_mut().and_then(|properties| properties.get_mut("status"));
            if let Some(status) = status {
                status.default = Some(JSON(json!({ "observedGeneration": NOT_OBSERVED })));
            }
        }
    }
    crd
}

/// - `null` counts as absent: without `nullable` the API server drops it before it applies defaults and rules.
/// - Formats are those that the API server knows.
/// - A paragraph of a description is one line, which `kubectl explain` wraps.
fn tidy_schema(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    if schema.type_.as_deref() == Some("integer") {
        let small = schema.maximum.is_some_and(|most| most <= f64::from(i32::MAX));
        schema.format = Some(if small { "int32" } else { "int64" }.into());
    }
    if let Some(description) = &mut schema.description {
        *description =
            description.split("\n\n").map(|text| text.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
    }
    schema.properties.iter_mut().flat_map(|properties| properties.values_mut()).for_each(tidy_schema);
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        tidy_schema(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        tidy_schema(values);
    }
}

#[cfg(test)]
mod tests;
