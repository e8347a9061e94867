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
    conditions::{self, ConditionDraft, ConditionType, Reason},
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
    transition::{self, TransitionEvent as Happening, of_conditions},
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

/// Writes the status where it differs, then tells what happened. Returns the resource as it is after that, where it was written and is
/// still there.
///
/// # Errors
/// The API server did not take the status. Events that it does not take are no error.
pub async fn status<K: Reported>(
    ctx: &Context,
    resource: &K,
    (mut wanted, mut happenings): (K::Status, Vec<Happening>),
    applied: &Applied,
) -> Result<Option<K>> {
    if let Some(error) = applied.error.as_ref().filter(|error| error.reason() != Reason::ApiUnavailable) {
        let generation = resource.meta().generation.unwrap_or_default();
        let refusal = Refusal { reason: error.reason(), message: error.told(), generation, now: ctx.now() };
        refusal.tell::<K>(&mut wanted, resource.status(), &mut happenings);
    }
    let (mut before, wanted) = (json!(resource.status()), json!(wanted));
    let written = match difference(&mut before, wanted) {
        None => None,
        Some(patch) => match write(ctx, resource, patch).await {
            // It was deleted meanwhile: its children go with it, and nobody wants to hear of it any more.
            Err(error) if error.code() == Some(404) => return Ok(None),
            written => Some(written?),
        },
    };
    let regarding = resource.object_ref(&());
    for happening in happenings.iter().chain(&mended(&applied.drift)) {
        ctx.events.tell(&regarding, happening).await;
    }
    Ok(written)
}

async fn write<K: Reported>(ctx: &Context, resource: &K, mut patch: Value) -> Result<K> {
    let meta = resource.meta();
    // Another resource of the same name may stand there by now.
    patch["metadata"] = json!({ "uid": meta.uid });
    let name = meta.name.as_deref().unwrap_or_default();
    let resource = kube::api::ApiResource::erase::<K>(&());
    let namespace = meta.namespace.as_deref().unwrap_or_default();
    let api: Api<crate::world::live::Live> = Api::namespaced_with(ctx.client.clone(), namespace, &resource);
    let params =
        PatchParams { field_manager: Some(format!("{}/status", labels::OPERATOR)), ..PatchParams::default() };
    let asked = Ask { verb: "report the status of", kind: K::KIND.as_str(), name };
    let live = ctx.ask(asked, api.patch_status(name, &params, &Patch::Merge(&patch))).await?;
    live.typed().map_err(|source| crate::error::Error::Unreadable {
        kind: K::KIND.as_str(),
        name: name.into(),
        source,
    })
}

/// A child could not be written.
struct Refusal {
    reason: Reason,
    message: String,
    generation: i64,
    now: Timestamp,
}

impl Refusal {
    /// Has the status say so, until it can be written; an event tells it once.
    fn tell<K: Reported>(
        &self,
        status: &mut K::Status,
        before: Option<&K::Status>,
        all: &mut Vec<Happening>,
    ) {
        const SAID: [ConditionType; 3] =
            [ConditionType::Degraded, ConditionType::Reconciling, ConditionType::Stalled];
        let mut before = before.cloned().unwrap_or_default();
        let before = &*K::parts(&mut before).0;
        let verdict = |kind| ConditionDraft {
            kind,
            status: Some(true),
            reason: self.reason,
            message: self.message.clone(),
        };
        let verdicts = [ConditionType::Degraded, ConditionType::Stalled].map(verdict);
        // What was decided knew nothing of the refusal.
        all.retain(|happening| happening.action != transition::action(ConditionType::Degraded));
        all.extend(of_conditions(before, &verdicts[..1]));
        let (conditions, why) = K::parts(status);
        conditions.retain(|condition| SAID.iter().all(|said| said.as_str() != condition.type_));
        conditions.extend(conditions::stamp(&verdicts, self.generation, before, &Time(self.now)));
        *why = self.reason.as_str().to_owned();
    }
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
    fn a_refused_child_is_told_in_the_status_and_once_as_an_event() {
        let refusal = Refusal {
            reason: Reason::Forbidden,
            message: "cannot create Service m: no".into(),
            generation: 3,
            now: Timestamp::UNIX_EPOCH,
        };
        let well = Happening {
            warning: false,
            reason: Reason::AsExpected,
            action: transition::action(ConditionType::Degraded),
            note: String::new(),
        };
        let told = |before: Option<&RankingModelStatus>| {
            let (mut status, mut all) = (RankingModelStatus::default(), vec![well.clone()]);
            refusal.tell::<RankingModel>(&mut status, before, &mut all);
            (status, all)
        };
        let (status, all) = told(None);
        let types: Vec<&str> = status.conditions.iter().map(|condition| condition.type_.as_str()).collect();
        assert_eq!((status.why.as_str(), types), ("Forbidden", vec!["Degraded", "Stalled"]));
        assert_eq!(status.conditions[0].observed_generation, Some(3));
        assert_eq!(all.iter().map(|one| one.reason).collect::<Vec<_>>(), [Reason::Forbidden]);
        let (again, all) = told(Some(&status));
        assert_eq!((again.conditions, all), (status.conditions, vec![]), "said already");
    }
}
