//! Which revisions answer and which keep their pods. All viewers move to the desired revision in one step, once enough of its pods are
//! ready.

use std::{cmp::Reverse, time::Duration};

use k8s_openapi::jiff::Timestamp;
use marquee_crds::{revision_name::RevisionName, shared::TrafficTarget};

use super::Revisions;

/// All viewers, in percent.
const ALL_VIEWERS: i32 = 100;
/// Maximum number of targets in a status.
const MAX_TARGETS: usize = 8;

/// What the spec asks for.
#[derive(Clone, Debug)]
pub struct Desired<'a> {
    /// The revision; `None` if the operator cannot build it, so that it gets no pods.
    pub revision: Option<&'a RevisionName>,
    /// Fewest pods.
    pub min: i32,
    /// Most pods.
    pub most: i32,
    /// Longest time that the revision may take until it answers.
    pub deadline: Duration,
    /// How long a revision keeps its pods after its viewers have moved away.
    pub drain: Duration,
    /// Whether everything else that the revision needs exists, so that it may take over.
    pub may_take_over: bool,
}

/// A revision that answers requests, and its share of the viewers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The revision.
    pub revision: RevisionName,
    /// Its share of the viewers, in percent.
    pub weight: i32,
    /// Since when it has this share.
    pub since: Timestamp,
    /// `host:port` of the page whose pods run the revision; `None` if the revision has its own pods.
    pub host: Option<String>,
}

impl Target {
    /// All viewers, answered by the revision's own pods.
    pub fn all_viewers(revision: RevisionName, since: Timestamp) -> Self {
        Self { revision, weight: ALL_VIEWERS, since, host: None }
    }

    /// The target that a status names, whose revision runs in the pods of the page at `host`, if any.
    pub fn from_status(target: &TrafficTarget, host: Option<String>) -> Self {
        Self { revision: target.revision.as_str().into(), weight: target.weight, since: target.since.0, host }
    }

    /// Whether the pods of `revision` itself answer.
    fn is_own(&self, revision: Option<&RevisionName>) -> bool {
        self.host.is_none() && Some(&self.revision) == revision
    }
}

/// How far the desired revision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It answers all viewers, or answered them before it lost its pods.
    Settled,
    /// It answers all viewers, and earlier revisions drain.
    Draining {
        /// When the operator deletes their pods.
        until: Timestamp,
    },
    /// Its pods are starting.
    Starting {
        /// Whether the deadline has passed.
        late: bool,
        /// Whether enough pods are ready, and the revision waits for something else that it needs.
        held: bool,
    },
    /// It cannot be built.
    Blocked,
}

/// Which revisions answer, and which keep their pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutDecision {
    /// The revisions that answer now. Their weights sum to 100; empty where no revision can answer.
    pub targets: Vec<Target>,
    /// Fewest pods of the desired revision.
    pub pods: i32,
    /// Other revisions that keep their pods unchanged: every other target, and revisions that drain.
    pub kept: Vec<RevisionName>,
    /// How far the desired revision is.
    pub phase: Phase,
    /// When to decide again although nothing changed.
    pub look_again: Option<Duration>,
}

impl RolloutDecision {
    /// Whether the desired revision answers all viewers.
    pub fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Settled | Phase::Draining { .. })
    }
}

/// The target with the largest share; the first one if shares are equal. A Service that can select only one revision selects this target.
pub fn main_target(targets: &[Target]) -> Option<&Target> {
    targets.iter().rev().max_by_key(|target| target.weight)
}

/// Decides from what the spec asks for, the `revisions` that exist and the `previous` targets, as of `now`.
///
/// A revision without a ready pod gets no viewers while another revision has one.
pub fn decide(
    desired: &Desired<'_>,
    revisions: &Revisions,
    previous: &[Target],
    now: Timestamp,
) -> RolloutDecision {
    let previous = able_targets(desired, revisions, previous, now);
    let enough = enough_pods(desired, revisions, &previous);
    let targets = next_targets(desired, revisions, previous, enough, now);
    let is_settled = targets.len() == 1 && targets[0].is_own(desired.revision);

    let (kept, drained_at) = kept(desired, revisions, &targets, now);
    let mut pods = enough;
    if let (true, Some(name), Some(_)) = (is_settled, desired.revision, drained_at) {
        // The viewers have just moved here, and no autoscaler has measured the load yet.
        let wanted = revisions.get(name).map_or(0, |revision| revision.wanted);
        pods = wanted.clamp(desired.min, desired.most.max(desired.min));
    }
    let (phase, deadline) = match desired.revision {
        None => (Phase::Blocked, None),
        Some(_) if is_settled => (drained_at.map_or(Phase::Settled, |until| Phase::Draining { until }), None),
        Some(name) => {
            let revision = revisions.get(name);
            let created = revision.and_then(|revision| revision.created).unwrap_or(now);
            let deadline = later(created, desired.deadline);
            let held = n_ready(revisions, name) >= enough && !desired.may_take_over;
            (Phase::Starting { late: deadline <= now, held }, Some(deadline))
        }
    };
    let look_again = [drained_at, deadline].into_iter().flatten().filter(|at| *at > now).min();
    let look_again =
        look_again.map(|at| Duration::from_secs(at.as_second().abs_diff(now.as_second()).max(1)));
    RolloutDecision { targets, pods, kept, phase, look_again }
}

/// The previous targets that still exist, with weights that sum to 100. Targets with a ready pod take over the viewers of those without one.
/// If no target has a ready pod, all stay. If the status was lost, the oldest ready revision gets all viewers.
fn able_targets(
    desired: &Desired<'_>,
    revisions: &Revisions,
    previous: &[Target],
    now: Timestamp,
) -> Vec<Target> {
    let exists = |target: &Target| {
        target.host.is_some() || revisions.contains_key(&target.revision) || target.is_own(desired.revision)
    };
    let mut targets: Vec<Target> = Vec::new();
    for target in previous.iter().filter(|target| target.weight > 0 && exists(target)) {
        if targets.len() < MAX_TARGETS && !targets.iter().any(|known| known.revision == target.revision) {
            targets.push(target.clone());
        }
    }
    if targets.is_empty() {
        let ready = revisions.iter().filter(|(_, revision)| revision.ready > 0);
        let oldest =
            ready.min_by_key(|(name, revision)| (revision.created.is_none(), revision.created, *name));
        return oldest.map(|(name, _)| Target::all_viewers(name.clone(), now)).into_iter().collect();
    }
    let can_answer = |target: &Target| target.host.is_some() || n_ready(revisions, &target.revision) > 0;
    if targets.iter().any(can_answer) {
        targets.retain(can_answer);
    }
    share_all_viewers(targets, now)
}

/// The targets with their weights in the same proportions, summing to 100. A target whose share would be below one percent is removed.
fn share_all_viewers(mut targets: Vec<Target>, now: Timestamp) -> Vec<Target> {
    let sum: i64 = targets.iter().map(|target| i64::from(target.weight)).sum();
    if sum == i64::from(ALL_VIEWERS) || sum == 0 {
        return targets;
    }
    let share = |target: &Target| i64::from(target.weight) * i64::from(ALL_VIEWERS) / sum;
    let mut shares: Vec<i32> =
        targets.iter().map(|target| i32::try_from(share(target)).unwrap_or(ALL_VIEWERS)).collect();
    let rest = ALL_VIEWERS - shares.iter().sum::<i32>();
    if let Some(largest) = shares.iter_mut().rev().max() {
        *largest += rest;
    }
    for (target, share) in targets.iter_mut().zip(shares).filter(|(target, share)| target.weight != *share) {
        (target.weight, target.since) = (share, now);
    }
    targets.retain(|target| target.weight > 0);
    targets
}

/// How many pods the desired revision needs before it may take over: as many as answer all viewers now, within what the spec allows.
fn enough_pods(desired: &Desired<'_>, revisions: &Revisions, previous: &[Target]) -> i32 {
    let others = previous.iter().filter(|target| target.host.is_none() && !target.is_own(desired.revision));
    let (mut pods, mut weight) = (0, 0);
    for target in others {
        pods += revisions.get(&target.revision).map_or(0, |revision| i64::from(revision.wanted));
        weight += i64::from(target.weight);
    }
    // The others serve `weight` percent of the viewers. All viewers need proportionally more pods.
    let all = (pods * i64::from(ALL_VIEWERS) + weight - 1).checked_div(weight).unwrap_or(0);
    i32::try_from(all).unwrap_or(i32::MAX).min(desired.most).max(desired.min.max(1))
}

fn next_targets(
    desired: &Desired<'_>,
    revisions: &Revisions,
    previous: Vec<Target>,
    enough: i32,
    now: Timestamp,
) -> Vec<Target> {
    let can_answer = |target: &Target| target.host.is_some() || n_ready(revisions, &target.revision) > 0;
    let one_answers = previous.iter().any(can_answer);
    let takes_over = |name: &&RevisionName| {
        let ready = n_ready(revisions, name);
        (desired.may_take_over && ready >= enough) || (!one_answers && ready > 0)
    };
    let is_settled = previous.len() == 1 && previous[0].is_own(desired.revision);
    match desired.revision.filter(takes_over) {
        _ if previous.is_empty() || (is_settled && one_answers) => previous,
        Some(name) => vec![Target::all_viewers(name.clone(), now)],
        None if one_answers => previous,
        None => match fullest(revisions) {
            Some(name) => vec![Target::all_viewers(name.clone(), now)],
            None => previous,
        },
    }
}

/// The other revisions that keep their pods, and the time at which all of them have drained.
fn kept(
    desired: &Desired<'_>,
    revisions: &Revisions,
    targets: &[Target],
    now: Timestamp,
) -> (Vec<RevisionName>, Option<Timestamp>) {
    let Some(moved_at) = targets.iter().map(|target| target.since).max() else { return (Vec::new(), None) };
    let drained_at = later(moved_at, desired.drain);
    let mut kept = Vec::new();
    let mut drains = false;
    for (name, revision) in revisions.iter().filter(|(name, _)| Some(*name) != desired.revision) {
        if targets.iter().any(|target| target.is_own(Some(name))) {
            kept.push(name.clone());
            continue;
        }
        // A revision that was created after viewers last moved has never answered, so its pods are deleted at once.
        let has_answered = revision.created.is_some_and(|created| created <= moved_at);
        if has_answered && now < drained_at {
            kept.push(name.clone());
            drains = true;
        }
    }
    (kept, drains.then_some(drained_at))
}

/// The revision with the most ready pods, and of two such revisions the older; `None` if no pod is ready.
fn fullest(revisions: &Revisions) -> Option<&RevisionName> {
    let ready = revisions.iter().filter(|(_, revision)| revision.ready > 0);
    let fullest = ready.max_by_key(|(name, revision)| (revision.ready, Reverse((revision.created, *name))));
    fullest.map(|(name, _)| name)
}

fn n_ready(revisions: &Revisions, name: &RevisionName) -> i32 {
    revisions.get(name).map_or(0, |revision| revision.ready)
}

/// `at` plus `more`, at most the latest time that can be represented.
fn later(at: Timestamp, more: Duration) -> Timestamp {
    at.checked_add(more).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
