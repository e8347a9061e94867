//! What to tell: transitions, each once, found by comparing with the status before.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use marquee_crds::conditions::{ConditionType, Reason, Verdict, find};

use super::{Told, main_target};
use crate::{
    plan::Happening,
    rollout::{Revisions, diagnosis::is_progress},
};

/// What became of revisions.
pub struct Turn<'a> {
    /// What the status says.
    pub before: Told<'a>,
    /// Kind of the parent.
    pub kind: &'static str,
    /// The revision that the spec asks for, if it can be built.
    pub wanted: Option<&'a str>,
    /// What answers now, in pods of its own.
    pub traffic_to: Option<&'a str>,
    /// Whether a revision keeps its pods.
    pub is_live: &'a dyn Fn(&str) -> bool,
    /// Revisions that there are.
    pub revisions: &'a Revisions,
}

/// What to tell of revisions.
pub fn of_revisions(turn: &Turn<'_>) -> Vec<Happening> {
    let say = |reason, action, note| Happening { warning: false, reason, action, note };
    let mut all = Vec::new();
    let target = main_target(turn.before.traffic).map(|target| target.revision.as_str());
    if let Some(wanted) = turn.wanted
        && turn.before.latest != Some(wanted)
        && !turn.revisions.contains_key(wanted)
    {
        let note = format!("revision {wanted} is what the {} asks for now", turn.kind);
        all.push(say(Reason::RevisionCreated, "CreateRevision", note));
    }
    if let Some(to) = turn.traffic_to
        && target != Some(to)
    {
        let from = target.map(|from| format!(", from revision {from}")).unwrap_or_default();
        all.push(say(Reason::TrafficMoved, "MoveTraffic", format!("revision {to} answers{from}")));
    }
    for past in turn.before.revisions {
        if past.replicas > 0 && !(turn.is_live)(&past.name) {
            let note =
                format!("revision {} is not needed any more: its {} pods go", past.name, past.replicas);
            all.push(say(Reason::RevisionRetired, "RetireRevision", note));
        }
    }
    all
}

/// What to tell of conditions: each that turned good or bad, and each that is bad for another reason than before. One reason is told once,
/// though several conditions give it.
pub fn of_conditions(before: &[Condition], verdicts: &[Verdict]) -> Vec<Happening> {
    let mut all: Vec<Happening> = Vec::new();
    for verdict in verdicts {
        let is_bad = is_bad(verdict);
        let past = find(before, verdict.kind);
        let (was_told, was_bad) = past.map_or((false, false), |past| {
            let same = past.status == verdict.status_text() && past.reason == verdict.reason.as_str();
            (same, past.status == bad_status(verdict.kind))
        });
        let is_news = if is_bad { !was_told } else { was_bad && verdict.status.is_some() };
        // A progress that stands in the way of readiness is told by the revision that was created.
        if !is_news || is_progress(verdict.reason) || all.iter().any(|told| told.reason == verdict.reason) {
            continue;
        }
        let action = action(verdict.kind);
        all.push(Happening {
            warning: is_bad,
            reason: verdict.reason,
            action,
            note: verdict.message.clone(),
        });
    }
    all
}

fn bad_status(kind: ConditionType) -> &'static str {
    if kind == ConditionType::Degraded { "True" } else { "False" }
}

fn is_bad(verdict: &Verdict) -> bool {
    verdict.status_text() == bad_status(verdict.kind)
}

fn action(kind: ConditionType) -> &'static str {
    match kind {
        ConditionType::Ready => "CheckReadiness",
        ConditionType::Progressing => "FollowProgress",
        ConditionType::ArtifactResolved => "ResolveArtifact",
        ConditionType::Degraded => "CheckHealth",
        ConditionType::Autoscaling => "Autoscale",
        ConditionType::ModelsResolved => "ResolveModels",
        ConditionType::RoutesApplied => "ApplyRoutes",
    }
}
