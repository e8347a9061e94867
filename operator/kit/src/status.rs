//! Writes a status where it differs in more than times.

use kube::{
    Api,
    api::{ApiResource, Patch, PatchParams},
};
use serde_json::{Map, Value, json};

use crate::{
    cache::raw::RawObject,
    context::{ApiCall, Context},
    error::{Error, Result},
    operator::Operator,
    resource::Resource,
};

/// Makes the status of `resource` the desired one, with one patch if it differs in more than times. Returns whether the resource still
/// exists.
///
/// # Errors
/// The API server does not accept the status.
pub async fn write<O: Operator, R: Resource<O>>(
    ctx: &Context<O>,
    resource: &R,
    desired: &R::Status,
) -> Result<bool> {
    let mut before = json!(resource.status());
    let Some(patch) = difference(&mut before, json!(desired), O::writes_condition) else {
        return Ok(true);
    };
    match send(ctx, resource, patch).await {
        // It was deleted in the meantime: its children go with it.
        Err(error) if error.code() == Some(404) => Ok(false),
        Err(error) => Err(error),
        Ok(written) => {
            ctx.take_answer(written);
            Ok(true)
        }
    }
}

async fn send<O: Operator, R: Resource<O>>(ctx: &Context<O>, resource: &R, mut patch: Value) -> Result<R> {
    let meta = resource.meta();
    // By now another resource may have the same name.
    patch["metadata"] = json!({ "uid": meta.uid });
    let name = meta.name.as_deref().unwrap_or_default();
    let namespace = meta.namespace.as_deref().unwrap_or_default();
    let kind = ApiResource::erase::<R>(&());
    let api: Api<RawObject> = Api::namespaced_with(ctx.client.clone(), namespace, &kind);
    let manager = O::NAMES.status_manager();
    let params = PatchParams { field_manager: Some(manager), ..PatchParams::default() };
    let call = ApiCall { verb: "report the status of", kind: R::KIND.as_str(), name };
    let raw = ctx.call(call, api.patch_status(name, &params, &Patch::Merge(&patch))).await?;
    raw.typed().map_err(|source| Error::Unreadable { kind: R::KIND.as_str(), name: name.into(), source })
}

/// The merge patch that turns `before` into `desired`; none where they differ in times only. Conditions whose type the operator does not
/// write stay as they are.
fn difference(before: &mut Value, mut desired: Value, writes: fn(&str) -> bool) -> Option<Value> {
    let is_own = |condition: &&Value| writes(condition["type"].as_str().unwrap_or_default());
    let foreign = before["conditions"].as_array().into_iter().flatten().filter(|found| !is_own(found));
    let foreign: Vec<Value> = foreign.cloned().collect();
    if let Some(conditions) = desired["conditions"].as_array_mut() {
        conditions.extend(foreign);
    }
    if timeless(before) == timeless(&desired) {
        return None;
    }
    let (Some(before), Value::Object(desired)) = (before.as_object_mut().map(std::mem::take), &desired)
    else {
        return Some(json!({ "status": desired }));
    };
    let gone =
        before.keys().filter(|name| !desired.contains_key(*name)).map(|name| (name.clone(), Value::Null));
    let changed = desired.iter().filter(|(name, value)| before.get(*name) != Some(value));
    let patch: Map<String, Value> =
        gone.chain(changed.map(|(name, value)| (name.clone(), value.clone()))).collect();
    Some(json!({ "status": patch }))
}

/// A status without the times in it, its conditions in the order of their types.
fn timeless(status: &Value) -> Value {
    match status {
        Value::Object(members) => {
            let kept =
                members.iter().filter(|(name, _)| !matches!(name.as_str(), "lastTransitionTime" | "since"));
            let kept = kept.map(|(name, value)| {
                let mut value = timeless(value);
                if let Some(list) = value.as_array_mut().filter(|_| name == "conditions") {
                    list.sort_by(|one, other| one["type"].as_str().cmp(&other["type"].as_str()));
                }
                (name.clone(), value)
            });
            Value::Object(kept.collect())
        }
        Value::Array(members) => members.iter().map(timeless).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(type_: &str, status: &str, time: &str) -> Value {
        json!({"type": type_, "status": status, "reason": "R", "message": "", "lastTransitionTime": time})
    }

    #[test]
    fn a_status_is_written_only_where_more_than_time_differs() {
        let status = |ready: &str, time: &str, revision: Value| {
            let mut status =
                json!({"conditions": [condition("Ready", ready, time)], "why": "", "revision": revision});
            if status["revision"].is_null() {
                status.as_object_mut().unwrap().remove("revision");
            }
            status
        };
        let before = || status("True", "1", "a".into());
        #[rustfmt::skip]
        let cases = [
            ("nothing",                   before(), before(),                            None),
            ("nothing but a time",        before(), status("True", "2", "a".into()),     None),
            ("the first",                 Value::Null, status("True", "1", "a".into()),  Some(json!({"status": status("True", "1", "a".into())}))),
            ("a member that went",        before(), status("True", "1", Value::Null),    Some(json!({"status": {"revision": null}}))),
            ("a condition",               before(), status("False", "2", "a".into()),    Some(json!({"status": {"conditions": [condition("Ready", "False", "2")]}}))),
        ];
        for (why, mut before, desired, expected) in cases {
            assert_eq!(difference(&mut before, desired, |type_| type_ == "Ready"), expected, "{why}");
        }
    }

    #[test]
    fn conditions_of_others_stay_and_cause_no_write() {
        let mut before =
            json!({"conditions": [condition("AnotherTeams", "True", "1"), condition("Ready", "True", "1")]});
        let desired = json!({"conditions": [condition("Ready", "True", "1")]});
        assert_eq!(difference(&mut before.clone(), desired, |type_| type_ == "Ready"), None);
        let desired = json!({"conditions": [condition("Ready", "False", "2")]});
        let patch = difference(&mut before, desired, |type_| type_ == "Ready").unwrap();
        assert_eq!(patch["status"]["conditions"][1]["type"], "AnotherTeams");
    }
}
