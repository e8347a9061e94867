//! The CustomResourceDefinitions to install: the output of the derive macros, cleaned up.
//!
//! Install these and never `RankingModel::crd()`: that one allows `null` fields, and the API server warns about the formats
//! of its numbers.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt as _;
use serde_json::json;
use serde_yaml::{Number, Value};

use crate::{PageLayout, RankingModel};

/// Makes the definition of one kind. This takes several milliseconds, so a process that needs all makes them side by side.
pub type Make = fn() -> CustomResourceDefinition;

/// What makes the definition of each kind, sorted by name.
pub const MAKE_EACH: [Make; 2] = [|| tidy(PageLayout::crd()), || tidy(RankingModel::crd())];

/// The definition of every kind, sorted by name.
pub fn definitions() -> Vec<CustomResourceDefinition> {
    MAKE_EACH.iter().map(|make| make()).collect()
}

/// File name `<plural>.yaml` and text for every kind, as committed in `manifests/`.
///
/// # Errors
/// Only if the serialiser has a bug.
pub fn manifests() -> Result<Vec<(String, String)>, serde_yaml::Error> {
    definitions().iter().map(|crd| Ok((format!("{}.yaml", crd.spec.names.plural), yaml(crd)?))).collect()
}

/// First line of every generated manifest. A person wrote any file without it.
pub const HEADER: &str = "# Generated from crds/src by `make generate`: edit the types, not this file.\n";

fn yaml(crd: &CustomResourceDefinition) -> Result<String, serde_yaml::Error> {
    let mut value = serde_yaml::to_value(crd)?;
    whole_numbers(&mut value);
    Ok(format!("{HEADER}{}", serde_yaml::to_string(&value)?))
}

/// The Kubernetes API types store bounds as floats: write `1000.0` as `1000`.
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

/// `observedGeneration` of a resource that the operator has not seen yet.
///
/// Argo CD, Flux and Helm wait with kstatus. It treats a resource without a status as current, but waits for this one.
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

/// - Removes `nullable`, so that the API server drops a `null` before it applies defaults and rules.
/// - Uses only formats that the API server knows.
/// - Joins each paragraph of a description to one line, because `kubectl explain` wraps lines itself.
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
