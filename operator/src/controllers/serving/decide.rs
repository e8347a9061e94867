//! Which revisions of a workload answer, and which children it needs.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use marquee_crds::{conditions::Reason, revision_name::RevisionName};

use super::Plan;
use crate::{
    child::{Child, ChildKind},
    observed::{AutoscalerFacts, Observed},
    resources::{self, Workload},
    rollout::{self, Desired, Finding, Revisions, RolloutDecision, Target, diagnosis, main_target},
};

/// Autoscalers have no metrics of new pods. The Kubernetes autoscaler ignores new pods for half a minute, and then acts every 15 s.
const MEASURED_AFTER: Duration = Duration::from_secs(60);

/// A resource that waits is reconciled when it can have a permit; and after this time in any case.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How pods of its own serve a resource.
#[derive(Clone, Debug)]
pub struct ServingDecision {
    /// The revision that the spec asks for.
    pub desired_revision: RevisionName,
    /// Why the operator cannot create its pods.
    pub blocked: Option<Finding>,
    /// What else the desired revision waits for before it may take over, as a clause.
    pub waits_for: Option<String>,
    /// Which revisions answer, and which keep their pods.
    pub rollout: RolloutDecision,
    /// The revisions that answered until now.
    pub previous_targets: Vec<Target>,
    /// The revisions that exist.
    pub revisions: Revisions,
    /// Earlier revisions whose configuration is kept for a roll-back, the youngest first.
    pub history: Vec<RevisionName>,
}

impl ServingDecision {
    /// The revisions with pods: the desired one, unless it is blocked, and those that keep theirs.
    pub fn live(&self) -> impl Iterator<Item = &RevisionName> {
        let desired = self.blocked.is_none().then_some(&self.desired_revision);
        desired.into_iter().chain(&self.rollout.kept)
    }
}

/// Decides how its own pods serve `workload`. Until now `previous_targets` answered its viewers. The desired revision takes over only if
/// `waits_for` is `None`.
pub fn decide<'a>(
    workload: Workload<'a>,
    observed: &Observed,
    previous_targets: Vec<Target>,
    waits_for: Option<String>,
    now: Timestamp,
) -> Plan<'a, ServingDecision> {
    let desired_revision = resources::revision(&workload);
    let revisions = rollout::revisions(observed);
    let problem = resources::problem(&workload);
    let needs_permit =
        problem.is_none() && needs_permit(&desired_revision, &revisions, &previous_targets, observed);
    let others = observed.n_starting;
    let waits = needs_permit && others >= workload.settings.max_starting;
    let blocked = problem.or_else(|| waits.then(|| waiting(&desired_revision, others)));
    let desired = Desired {
        revision: blocked.is_none().then_some(&desired_revision),
        min: workload.replicas.min.max(1),
        most: workload.replicas.most(),
        deadline: workload.progress_deadline.0,
        drain: workload.settings.drain,
        may_take_over: waits_for.is_none(),
    };
    let rollout = rollout::decide(&desired, &revisions, &previous_targets, now);
    let diagnosis_due = diagnosis::due_after(observed, &desired_revision, now).map(Duration::from_secs);
    let unmeasured =
        rollout.targets.iter().filter_map(|target| unmeasured_for(target, &revisions, now)).min();
    let turn = waits.then_some(ASKED_AGAIN_AFTER);
    let look_again = [rollout.look_again, diagnosis_due, unmeasured, turn].into_iter().flatten().min();

    let mut serving = ServingDecision {
        desired_revision,
        blocked,
        waits_for,
        rollout,
        previous_targets,
        revisions,
        history: Vec::new(),
    };
    let live: Vec<&RevisionName> = serving.live().collect();
    let history = rollout::history(observed, &live, workload.history);
    let children = children(&workload, &serving, observed, &history);
    serving.history = history.iter().filter_map(|child| child.revision.clone()).collect();
    Plan { workload, decision: serving, children, needs_permit, look_again, now }
}

/// Whether the desired revision needs a permit to start. It needs none if it has started, if none of the resource's own pods answers, and if
/// it is a roll-back, so that its configuration exists.
fn needs_permit(
    desired: &RevisionName,
    revisions: &Revisions,
    previous_targets: &[Target],
    observed: &Observed,
) -> bool {
    let answers = |target: &Target| {
        target.host.is_none() && revisions.get(&target.revision).is_some_and(|revision| revision.ready > 0)
    };
    let is_config = |child: &crate::observed::ChildFacts| {
        child.kind == ChildKind::ConfigMap && !child.deleting && child.revision.as_ref() == Some(desired)
    };
    !revisions.contains_key(desired)
        && previous_targets.iter().all(|target| target.host.is_none())
        && previous_targets.iter().any(answers)
        && !observed.children.iter().any(is_config)
}

fn waiting(desired: &RevisionName, others: usize) -> Finding {
    let others = if others == 1 { "1 other is".to_owned() } else { format!("{others} others are") };
    let message = format!(
        "revision {desired} waits for its turn: {others} starting, and the operator's --max-starting allows no more at once"
    );
    Finding { reason: Reason::RevisionWaiting, message }
}

/// Every child, in the order of application. A Service that can select only one revision selects the main target.
fn children(
    workload: &Workload<'_>,
    serving: &ServingDecision,
    observed: &Observed,
    history: &[&crate::observed::ChildFacts],
) -> Vec<Child> {
    let ServingDecision { desired_revision, rollout, .. } = serving;
    let main = main_target(&rollout.targets).filter(|target| target.host.is_none());
    let main = main.map_or(desired_revision, |target| &target.revision);
    let mut children = resources::once(workload, main, fetches(workload, observed, rollout));
    if serving.blocked.is_none() {
        children.extend(resources::of_revision(workload, desired_revision, rollout.pods, observed));
    }
    children.extend(rollout.kept.iter().flat_map(|kept| resources::kept(workload, kept, observed)));
    children.extend(history.iter().map(|child| Child::kept(ChildKind::ConfigMap, child.name.clone())));
    children.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    children
}

/// The remaining time in which the autoscaler of this target need not have metrics of its pods. `None` if it has them, or if the time is
/// over.
pub fn unmeasured_for(target: &Target, revisions: &Revisions, now: Timestamp) -> Option<Duration> {
    let is_blind = revisions.get(&target.revision)?.autoscaler != AutoscalerFacts::default();
    let age = u64::try_from(now.duration_since(target.since).as_secs()).unwrap_or(0);
    let left = MEASURED_AFTER.saturating_sub(Duration::from_secs(age));
    (is_blind && !left.is_zero()).then_some(left)
}

/// Whether any pod that exists or will exist fetches artifacts from a store.
fn fetches(workload: &Workload<'_>, observed: &Observed, rollout: &RolloutDecision) -> bool {
    let is_kept = |revision: &RevisionName| rollout.kept.contains(revision);
    let of_kept = observed.children.iter().filter(|child| child.revision.as_ref().is_some_and(is_kept));
    let mut kept_uris = of_kept.filter_map(|child| child.artifact.as_deref());
    workload.artifacts().iter().any(|(_, artifact)| !artifact.is_local())
        || kept_uris.any(|uris| uris.split(' ').any(|uri| !uri.starts_with("file://")))
}
