//! Events about revisions and traffic: each transition once, found by comparison with the previous status.

use marquee_crds::{conditions::Reason, revision_name::RevisionName};

use super::conditions::list_of;
use crate::{
    rollout::{Revisions, Target},
    served::PreviousStatus,
    transition::TransitionEvent,
};

fn event(reason: Reason, action: &'static str, note: String) -> TransitionEvent {
    TransitionEvent { warning: false, reason, action, note }
}

/// The spec of a `kind` asks for a revision that did not exist.
pub fn created(
    kind: &str,
    desired: &RevisionName,
    previous: &PreviousStatus<'_>,
    revisions: &Revisions,
) -> Option<TransitionEvent> {
    let is_new = previous.latest_revision != Some(desired.as_str()) && !revisions.contains_key(desired);
    let note = format!("the {kind} asks for revision {desired} now");
    is_new.then(|| event(Reason::RevisionCreated, "CreateRevision", note))
}

/// Viewers moved to other revisions, or the shares of revisions changed.
pub fn traffic_moved(previous: &PreviousStatus<'_>, targets: &[Target]) -> Option<TransitionEvent> {
    let before: Vec<(&str, i32)> =
        previous.targets().map(|target| (target.revision.as_str(), target.weight)).collect();
    let now: Vec<(&str, i32)> =
        targets.iter().map(|target| (target.revision.as_str(), target.weight)).collect();
    if now.is_empty() || before == now {
        return None;
    }
    let note = match (shares(&now), shares(&before)) {
        (now, before) if before.is_empty() => format!("traffic goes to revision {now}"),
        (now, before) => format!("traffic moved to revision {now}, from revision {before}"),
    };
    Some(event(Reason::TrafficMoved, "MoveTraffic", note))
}

/// `a`, or `a (75 %) and b (25 %)`.
fn shares(targets: &[(&str, i32)]) -> String {
    match targets {
        [(revision, _)] => (*revision).to_owned(),
        several => {
            let all: Vec<String> =
                several.iter().map(|(name, weight)| format!("{name} ({weight} %)")).collect();
            list_of(&all)
        }
    }
}

/// One event for each revision that had pods and keeps none.
pub fn retired(previous: &PreviousStatus<'_>, is_live: impl Fn(&str) -> bool) -> Vec<TransitionEvent> {
    let gone = previous.with_pods().filter(|past| !is_live(&past.name));
    let note = |past: &marquee_crds::shared::RevisionStatus| {
        let name = &past.name;
        let pods = match past.replicas {
            1 => "the operator deletes its pod".to_owned(),
            n => format!("the operator deletes its {n} pods"),
        };
        event(
            Reason::RevisionRetired,
            "RetireRevision",
            format!("revision {name} is no longer needed: {pods}"),
        )
    };
    gone.map(note).collect()
}
