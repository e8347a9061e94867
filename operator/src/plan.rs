//! What a decision comes to: children as they should be, a status, and what to tell.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use marquee_crds::conditions::{ConditionType, Reason, Verdict, find};

use crate::child::Child;

/// What should be, for one parent; `S` is its status.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<S> {
    /// Every child that should exist. Whatever else the operator made for this parent is pruned.
    pub children: Vec<Child>,
    /// The status, stamped: the same observations give the same status, times included.
    pub status: S,
    /// What changed since the status before, each worth an event.
    pub happenings: Vec<Happening>,
    /// When to look again although nothing changed, e.g. at a deadline.
    pub look_again: Option<Duration>,
}

/// A transition that people should hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Whether it is a warning.
    pub warning: bool,
    /// One word.
    pub reason: Reason,
    /// What was done or found, in UpperCamelCase verbs, e.g. `MoveTraffic`.
    pub action: &'static str,
    /// One sentence.
    pub note: String,
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
            (same, past.status == verdict.kind.bad_status())
        });
        let is_news = if is_bad { !was_told } else { was_bad && verdict.status.is_some() };
        // A progress that stands in the way of readiness is told by the revision that was created.
        if !is_news || verdict.reason.is_progress() || all.iter().any(|told| told.reason == verdict.reason) {
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

fn is_bad(verdict: &Verdict) -> bool {
    verdict.status_text() == verdict.kind.bad_status()
}

/// What is done when a condition of this type is found.
pub fn action(kind: ConditionType) -> &'static str {
    match kind {
        ConditionType::Ready => "CheckReadiness",
        ConditionType::Progressing => "FollowProgress",
        ConditionType::ArtifactResolved => "ResolveArtifact",
        ConditionType::Degraded => "CheckHealth",
        ConditionType::Autoscaling => "Autoscale",
        ConditionType::ModelsResolved => "ResolveModels",
        ConditionType::RoutesApplied => "ApplyRoutes",
        ConditionType::Reconciling | ConditionType::Stalled => "Reconcile",
    }
}
