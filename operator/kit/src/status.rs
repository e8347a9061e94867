//! Writes a status if it differs in more than times. Never overwrites a newer status.
//!
//! An answer may be lost while its write is still on its way, so a write can arrive long after the operator has decided something else. Two
//! rules keep such a write from staying:
//!
//! 1. A patch names the version of the resource from which it was computed. The API server refuses it once that version has been replaced,
//!    and the resource is reconciled again when its newer version is known. That is no failure: nothing is logged, no wait grows. The cache
//!    takes the answer to each of our writes at once, so the next patch names the version that the last one returned, even while the watch
//!    is behind.
//! 2. The cache remembers the status that was decided last. If the watch shows another one (a write that was late but in time for its
//!    version, or an edit by hand), the resource is reconciled. The watch's copy of our own write shows what was decided, so it starts
//!    nothing, even where it comes before the answer.

use std::time::Duration;

use kube::{
    Api,
    api::{ApiResource, Patch, PatchParams},
};
use serde_json::{Map, Value, json};
use tracing::debug;

use crate::{
    cache::{
        raw::RawObject,
        status::{fingerprint, is_own, timeless},
    },
    context::{ApiCall, Context},
    error::{Error, Result},
    operator::Operator,
    resource::Resource,
};

/// How long the operator waits for the watch to report a newer version after a conflict. Then it tries the write again.
const NEWER_WITHIN: Duration = Duration::from_millis(500);

/// The result of a status write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The resource has the desired status.
    UpToDate,
    /// The resource was deleted in the meantime: its children go with it.
    Gone,
    /// The resource changed after it was read. It is reconciled again as soon as the newer version is known.
    Conflict,
}

impl Written {
    /// When to reconcile again. `planned` is the time that the reconcile itself asked for.
    pub fn look_again(self, planned: Option<Duration>) -> Option<Duration> {
        match self {
            Self::UpToDate | Self::Gone => planned,
            Self::Conflict => Some(planned.map_or(NEWER_WITHIN, |planned| planned.min(NEWER_WITHIN))),
        }
    }
}

/// Brings the status of `resource` to `desired`, with one patch if they differ in more than times.
///
/// # Errors
/// The API server does not accept the status.
pub async fn write<O: Operator, R: Resource<O>>(
    ctx: &Context<O>,
    resource: &R,
    desired: &R::Status,
) -> Result<Written> {
    let mut before = json!(resource.status());
    let desired = json!(desired);
    ctx.remember_status(resource, fingerprint(&desired, O::writes_condition));
    let Some(patch) = difference(&mut before, desired, O::writes_condition) else {
        return Ok(Written::UpToDate);
    };
    match send(ctx, resource, patch).await {
        Err(error) if error.code() == Some(404) => Ok(Written::Gone),
        Err(error) if error.code() == Some(409) => {
            debug!(kind = %R::KIND, name = resource.meta().name, "the resource changed: its status is decided again");
            ctx.await_newer(resource);
            Ok(Written::Conflict)
        }
        Err(error) => Err(error),
        Ok(written) => {
            ctx.take_answer(written);
            Ok(Written::UpToDate)
        }
    }
}

async fn send<O: Operator, R: Resource<O>>(ctx: &Context<O>, resource: &R, mut patch: Value) -> Result<R> {
    let meta = resource.meta();
    // By now another resource may have the same name, or this one another version.
    patch["metadata"] = json!({ "uid": meta.uid, "resourceVersion": meta.resource_version });
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

/// The merge patch that turns `before` into `desired`; `None` if they differ only in times. Conditions whose type the operator does not write
/// stay unchanged.
fn difference(before: &mut Value, mut desired: Value, writes: fn(&str) -> bool) -> Option<Value> {
    let foreign =
        before["conditions"].as_array().into_iter().flatten().filter(|found| !is_own(found, writes));
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
