//! Tells what became of a resource: its status where that differs in more than time, and an event for each transition.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use kube::{
    Api, Resource,
    api::{Patch, PatchParams},
};
use marquee_crds::{
    PageLayout, RankingModel,
    conditions::{self, ConditionType, Reason, Verdict},
    labels,
    page_layout::PageLayoutStatus,
    ranking_model::RankingModelStatus,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{
    apply::{Applied, Drift},
    context::{Ask, Context},
    error::Result,
    plan::{Happening, Plan},
    world::Kind,
};

/// A resource with a status of ours.
pub trait Reported:
    Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + 'static
{
    /// Its status.
    type Status: Serialize + Clone + Default;
    /// Which of the kinds it is.
    const KIND: Kind;
    /// Its status, if it has one.
    fn status(&self) -> Option<&Self::Status>;
    /// The conditions of a status, and its one word for why all is not well.
    fn parts(status: &mut Self::Status) -> (&mut Vec<Condition>, &mut String);
}

impl Reported for RankingModel {
    type Status = RankingModelStatus;
    const KIND: Kind = Kind::RankingModel;
    fn status(&self) -> Option<&RankingModelStatus> {
        self.status.as_ref()
    }
    fn parts(status: &mut RankingModelStatus) -> (&mut Vec<Condition>, &mut String) {
        (&mut status.conditions, &mut status.why)
    }
}

impl Reported for PageLayout {
    type Status = PageLayoutStatus;
    const KIND: Kind = Kind::PageLayout;
    fn status(&self) -> Option<&PageLayoutStatus> {
        self.status.as_ref()
    }
    fn parts(status: &mut PageLayoutStatus) -> (&mut Vec<Condition>, &mut String) {
        (&mut status.conditions, &mut status.why)
    }
}

/// Writes the status where it differs, then tells what happened. Returns the resource as it is after that, where it was written.
///
/// # Errors
/// The API server did not take the status. Events that it does not take are no error.
pub async fn status<K: Reported>(
    ctx: &Context,
    resource: &K,
    plan: &Plan<K::Status>,
    applied: &Applied,
) -> Result<Option<K>> {
    let mut wanted = plan.status.clone();
    if let Some(error) = applied.error.as_ref().filter(|error| error.reason() != Reason::ApiUnavailable) {
        let generation = resource.meta().generation.unwrap_or_default();
        refused::<K>(&mut wanted, error.reason(), &error.told(), (generation, resource.status(), ctx.now()));
    }
    let (mut before, wanted) = (json!(resource.status()), json!(wanted));
    let written = match difference(&mut before, wanted) {
        None => None,
        Some(patch) => Some(write(ctx, resource, &patch).await?),
    };
    let regarding = resource.object_ref(&());
    for happening in plan.happenings.iter().chain(&mended(&applied.drift)) {
        ctx.events.tell(&regarding, happening).await;
    }
    Ok(written)
}

async fn write<K: Reported>(ctx: &Context, resource: &K, patch: &Value) -> Result<K> {
    let meta = resource.meta();
    let name = meta.name.as_deref().unwrap_or_default();
    let resource = kube::api::ApiResource::erase::<K>(&());
    let namespace = meta.namespace.as_deref().unwrap_or_default();
    let api: Api<crate::world::live::Live> = Api::namespaced_with(ctx.client.clone(), namespace, &resource);
    let params =
        PatchParams { field_manager: Some(format!("{}/status", labels::OPERATOR)), ..PatchParams::default() };
    let asked = Ask { verb: "report the status of", kind: K::KIND.as_str(), name };
    let live = ctx.ask(asked, api.patch_status(name, &params, &Patch::Merge(patch))).await?;
    live.typed().map_err(|source| crate::error::Error::Unreadable {
        kind: K::KIND.as_str(),
        name: name.into(),
        source,
    })
}

/// The status says that a child could not be written, and why, until it can.
fn refused<K: Reported>(
    status: &mut K::Status,
    reason: Reason,
    message: &str,
    (generation, before, now): (i64, Option<&K::Status>, Timestamp),
) {
    let mut before = before.cloned().unwrap_or_default();
    let verdict =
        Verdict { kind: ConditionType::Degraded, status: Some(true), reason, message: message.to_owned() };
    let degraded = conditions::stamp(&[verdict], generation, K::parts(&mut before).0, &Time(now));
    let (conditions, why) = K::parts(status);
    conditions.retain(|condition| condition.type_ != ConditionType::Degraded.as_str());
    conditions.extend(degraded);
    *why = reason.as_str().to_owned();
}

/// The merge patch that makes `before` what is wanted; none where they differ in nothing but times. Conditions of types that are not
/// ours stay as they are.
fn difference(before: &mut Value, mut wanted: Value) -> Option<Value> {
    let ours = |condition: &Value| {
        let type_ = condition["type"].as_str().unwrap_or_default();
        ConditionType::ALL.iter().any(|ours| ours.as_str() == type_)
    };
    let foreign = before["conditions"].as_array().into_iter().flatten().filter(|condition| !ours(condition));
    let foreign: Vec<Value> = foreign.cloned().collect();
    if let Some(conditions) = wanted["conditions"].as_array_mut() {
        conditions.extend(foreign);
    }
    if timeless(before) == timeless(&wanted) {
        return None;
    }
    let (Some(before), Value::Object(wanted)) = (before.as_object_mut().map(std::mem::take), &wanted) else {
        return Some(json!({ "status": wanted }));
    };
    let gone =
        before.keys().filter(|name| !wanted.contains_key(*name)).map(|name| (name.clone(), Value::Null));
    let changed = wanted.iter().filter(|(name, value)| before.get(*name) != Some(value));
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

fn mended(drift: &[Drift]) -> Vec<Happening> {
    let happening = |drift: &Drift| {
        let (kind, name) = (drift.kind.kind(), &drift.name);
        let what = match &drift.field {
            Some(field) => format!("{field} of {kind} {name} was changed by hand, and was put back"),
            None => format!("{kind} {name} lacked the label by which it is found, and was put back"),
        };
        Happening { warning: true, reason: Reason::DriftMended, action: "MendDrift", note: what }
    };
    drift.iter().map(happening).collect()
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
        for (why, mut before, wanted, expected) in cases {
            assert_eq!(difference(&mut before, wanted), expected, "{why}");
        }
    }

    #[test]
    fn conditions_of_others_stay_and_cause_no_write() {
        let mut before =
            json!({"conditions": [condition("AnotherTeams", "True", "1"), condition("Ready", "True", "1")]});
        let wanted = json!({"conditions": [condition("Ready", "True", "1")]});
        assert_eq!(difference(&mut before.clone(), wanted), None);
        let wanted = json!({"conditions": [condition("Ready", "False", "2")]});
        let patch = difference(&mut before, wanted).unwrap();
        assert_eq!(patch["status"]["conditions"][1]["type"], "AnotherTeams");
    }

    #[test]
    fn a_refused_child_is_told_in_the_status() {
        let mut status = RankingModelStatus::default();
        let now = (3, None, Timestamp::UNIX_EPOCH);
        refused::<RankingModel>(&mut status, Reason::Forbidden, "cannot create Service m: no", now);
        assert_eq!((status.why.as_str(), status.conditions[0].type_.as_str()), ("Forbidden", "Degraded"));
        assert_eq!(status.conditions[0].observed_generation, Some(3));
    }
}
