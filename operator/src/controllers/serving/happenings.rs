//! What to tell of revisions: transitions, each once, found by comparing with the status before.

use marquee_crds::conditions::Reason;

use super::{Told, main_target};
use crate::{plan::Happening, rollout::Revisions};

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
