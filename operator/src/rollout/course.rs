//! The course that revisions take: 0 → 100 in one step, when enough pods of the new one are ready.

use std::{cmp::Reverse, time::Duration};

use k8s_openapi::jiff::Timestamp;

use super::Revisions;

/// What the spec asks for.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    /// The revision; none when it cannot be built, so that no pods of it are made.
    pub revision: Option<&'a str>,
    /// Fewest pods.
    pub min: i32,
    /// Most pods.
    pub most: i32,
    /// Longest that it may take until it serves.
    pub deadline: Duration,
    /// How long the pods of a revision that traffic has left stay.
    pub drain: Duration,
    /// Whether what else the revision needs is there, so that it may take over.
    pub may_take_over: bool,
}

/// What answered until now, as the status says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// The revision.
    pub revision: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether others answer for it: a model in the pods of a page.
    pub elsewhere: bool,
}

/// Where revisions stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// What the spec asks for answers, or did so before its pods were lost.
    Settled,
    /// It answers, and what answered before drains.
    Draining {
        /// Until then.
        until: Timestamp,
    },
    /// Pods of it are starting.
    Starting {
        /// Whether they had their time.
        late: bool,
        /// Whether they are ready, and wait for what else they need.
        held: bool,
    },
    /// It cannot be built.
    Blocked,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// What answers now.
    pub answering: Option<Before>,
    /// Fewest pods that the spec's revision is asked for.
    pub pods: i32,
    /// Other revisions that keep their pods as they are.
    pub kept: Vec<String>,
    /// Where it stands.
    pub phase: Phase,
    /// When to look again although nothing changed.
    pub look_again: Option<Duration>,
}

/// What follows from `wish`, the `revisions` that there are and what answered `before`, as of `now`.
///
/// Whatever is ready answers while what should answer is not: traffic never goes to a revision without a ready pod while another
/// has one.
pub fn course(wish: &Wish<'_>, revisions: &Revisions, before: Option<Before>, now: Timestamp) -> Course {
    let known = |before: &Before| {
        before.elsewhere
            || revisions.contains_key(&before.revision)
            || Some(before.revision.as_str()) == wish.revision
    };
    // Where the status was lost, the oldest revision that answers is what answered.
    let oldest = || {
        let ready = revisions.iter().filter(|(_, revision)| revision.ready > 0);
        let (name, _) =
            ready.min_by_key(|(name, revision)| (revision.created.is_none(), revision.created, *name))?;
        Some(Before { revision: name.clone(), since: now, elsewhere: false })
    };
    let before = before.filter(known).or_else(oldest);
    let size = size(wish, revisions, before.as_ref());
    let answering = answering(wish, revisions, before, size, now);

    let mut pods = size;
    let mut kept = Vec::new();
    let mut drained_at = None;
    for (name, revision) in revisions {
        if Some(name.as_str()) == wish.revision {
            continue;
        }
        let Some(at) = &answering else { continue };
        if *name == at.revision && !at.elsewhere {
            kept.push(name.clone());
            continue;
        }
        // What was made after traffic settled never answered: it was being tried, and goes at once.
        let answered = revision.created.is_some_and(|created| created <= at.since);
        let until = later(at.since, wish.drain);
        if answered && now < until {
            kept.push(name.clone());
            drained_at = Some(until);
        }
    }
    let settled =
        answering.as_ref().filter(|at| !at.elsewhere && Some(at.revision.as_str()) == wish.revision);
    if let (Some(at), Some(_)) = (settled, drained_at) {
        // The load has just come, and no autoscaler has measured it yet.
        let has = revisions.get(&at.revision).map_or(0, |revision| revision.wanted);
        pods = has.clamp(wish.min, wish.most.max(wish.min));
    }
    let (phase, deadline) = match (wish.revision, settled) {
        (None, _) => (Phase::Blocked, None),
        (Some(_), Some(_)) => (drained_at.map_or(Phase::Settled, |until| Phase::Draining { until }), None),
        (Some(name), None) => {
            let created = revisions.get(name).and_then(|revision| revision.created).unwrap_or(now);
            let deadline = later(created, wish.deadline);
            let ready = revisions.get(name).map_or(0, |revision| revision.ready);
            let held = ready >= size && !wish.may_take_over;
            (Phase::Starting { late: deadline <= now, held }, Some(deadline))
        }
    };
    let look_again = [drained_at, deadline].into_iter().flatten().filter(|at| *at > now).min();
    let look_again =
        look_again.map(|at| Duration::from_secs(at.as_second().abs_diff(now.as_second()).max(1)));
    Course { answering, pods, kept, phase, look_again }
}

/// How many pods of the new revision are enough: as many as what answers has now, within what the spec allows.
fn size(wish: &Wish<'_>, revisions: &Revisions, before: Option<&Before>) -> i32 {
    let least = wish.min.max(1);
    let other = before.filter(|before| !before.elsewhere && Some(before.revision.as_str()) != wish.revision);
    let now = other.and_then(|before| revisions.get(&before.revision)).map_or(0, |revision| revision.wanted);
    now.min(wish.most).max(least)
}

fn answering(
    wish: &Wish<'_>,
    revisions: &Revisions,
    before: Option<Before>,
    size: i32,
    now: Timestamp,
) -> Option<Before> {
    let ready = |name: &str| revisions.get(name).map_or(0, |revision| revision.ready);
    let before = before?;
    let is_wanted = !before.elsewhere && Some(before.revision.as_str()) == wish.revision;
    let answers = before.elsewhere || ready(&before.revision) > 0;
    let wanted = wish.revision.unwrap_or_default();
    let next = if is_wanted {
        if answers { None } else { fullest(revisions) }
    } else if (wish.may_take_over && ready(wanted) >= size) || (!answers && ready(wanted) > 0) {
        Some(wanted)
    } else if answers {
        None
    } else {
        fullest(revisions)
    };
    Some(match next {
        Some(name) => Before { revision: name.to_owned(), since: now, elsewhere: false },
        None => before,
    })
}

/// The revision with most ready pods, the older of two; none when none has any.
fn fullest(revisions: &Revisions) -> Option<&str> {
    let ready = revisions.iter().filter(|(_, revision)| revision.ready > 0);
    let fullest = ready.max_by_key(|(name, revision)| (revision.ready, Reverse((revision.created, *name))));
    fullest.map(|(name, _)| name.as_str())
}

/// `at` and `more`; the end of time where that is later.
fn later(at: Timestamp, more: Duration) -> Timestamp {
    at.checked_add(more).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
