//! Which revisions of a workload answer, and which children it needs.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use marquee_crds::revision_name::RevisionName;

use super::Plan;
use crate::{
    child::{Child, ChildKind},
    observed::{AutoscalerFacts, Observed},
    resources::{self, Workload},
    rollout::{self, Desired, Finding, Revisions, RolloutDecision, Target, diagnosis, main_target},
};

/// Autoscalers have no metrics of new pods. The Kubernetes autoscaler ignores new pods for half a minute, and then acts every 15 s.
const MEASURED_AFTER: Duration = Duration::from_secs(60);

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
    let blocked = resources::problem(&workload);
    let revisions = rollout::revisions(observed);
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
    let look_again = [rollout.look_again, diagnosis_due, unmeasured].into_iter().flatten().min();

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
    Plan { workload, decision: serving, children, look_again, now }
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
