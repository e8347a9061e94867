//! Transition events: what changed since the previous status and deserves a Kubernetes Event.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use marquee_crds::conditions::{ConditionDraft, ConditionType, Reason, find};

/// A change that people should know about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitionEvent {
    /// Whether it is a warning.
    pub warning: bool,
    /// One word.
    pub reason: Reason,
    /// What was done or found, in UpperCamelCase verbs, e.g. `MoveTraffic`.
    pub action: &'static str,
    /// One sentence.
    pub note: String,
}

/// An event for each condition that became good or bad, and for each that is bad for a new reason. Several conditions with the same reason
/// give one event.
pub fn of_conditions(previous: &[Condition], drafts: &[ConditionDraft]) -> Vec<TransitionEvent> {
    let mut events: Vec<TransitionEvent> = Vec::new();
    for draft in drafts {
        let is_bad = draft.status_text() == draft.kind.bad_status();
        let (is_same, was_bad) = find(previous, draft.kind).map_or((false, false), |known| {
            let is_same = known.status == draft.status_text() && known.reason == draft.reason.as_str();
            (is_same, known.status == draft.kind.bad_status())
        });
        let is_news = if is_bad { !is_same } else { was_bad && draft.status.is_some() };
        // The event `RevisionCreated` has announced what is only in progress.
        let is_known = draft.reason.is_progress() || events.iter().any(|event| event.reason == draft.reason);
        if is_news && !is_known {
            events.push(TransitionEvent {
                warning: is_bad,
                reason: draft.reason,
                action: action(draft.kind),
                note: draft.message.clone(),
            });
        }
    }
    events
}

/// What the operator does when it finds a condition of this type.
pub fn action(kind: ConditionType) -> &'static str {
    match kind {
        ConditionType::Ready => "CheckReadiness",
        ConditionType::Progressing => "FollowProgress",
        ConditionType::ArtifactResolved => "ResolveArtifact",
        ConditionType::Degraded => "CheckHealth",
        ConditionType::Autoscaling => "Autoscale",
        ConditionType::ModelsResolved => "ResolveModels",
        ConditionType::RoutesApplied => "ApplyRoutes",
        ConditionType::RolledOut => "RollOut",
        ConditionType::Reconciling | ConditionType::Stalled => "Reconcile",
    }
}
