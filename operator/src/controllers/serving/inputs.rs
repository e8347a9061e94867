//! The inputs of the status of a workload with its own pods, after its children are applied.

use marquee_crds::revision_name::RevisionName;

use super::{
    Plan,
    decide::{self, ServingDecision},
};
use crate::{
    child::{AppliedChild, ChildKind},
    observed::{AutoscalerFacts, ChildFacts, Observed},
    resources::{self, Component, Workload},
    rollout::{self, Finding, Needs, Revision, Target},
    served::PreviousStatus,
};

/// The inputs of the status and the conditions of a workload with its own pods.
pub struct StatusInputs<'a> {
    /// The spec, in the terms of Kubernetes.
    pub workload: &'a Workload<'a>,
    /// The decision.
    pub serving: &'a ServingDecision,
    /// The objects that existed before the apply.
    pub observed: &'a Observed,
    /// The applied children.
    pub applied: &'a [AppliedChild],
    /// The previous status.
    pub previous: PreviousStatus<'a>,
    /// The targets that answer: the decided targets if their Services are applied, otherwise the previous targets.
    pub targets: &'a [Target],
    /// The targets that answer with their own pods.
    pub answering: Vec<(&'a Target, Revision)>,
    /// What keeps the desired revision from being ready.
    pub finding: Option<Finding>,
    /// What keeps missing pods of the answering revisions from being ready.
    pub finding_of_answering: Option<Finding>,
    /// The problems that an autoscaler reports, if it has had time to measure the pods.
    pub autoscaler: AutoscalerFacts,
}

impl<'a> StatusInputs<'a> {
    /// Compares what `plan` decided with the children that are `applied`.
    pub fn new<D>(
        plan: &'a Plan<'a, D>,
        serving: &'a ServingDecision,
        observed: &'a Observed,
        applied: &'a [AppliedChild],
        previous: PreviousStatus<'a>,
    ) -> Self {
        let Plan { workload, now, .. } = plan;
        let revisions = &serving.revisions;
        let targets = answering_targets(workload, serving, applied);
        let own = targets.iter().filter(|target| target.host.is_none());
        let answering: Vec<(&Target, Revision)> = own
            .map(|target| (target, revisions.get(&target.revision).cloned().unwrap_or_default()))
            .collect();

        let (secrets, claims) = (resources::secrets(workload), resources::claim_names(workload));
        let memory = workload.resources.limits.get("memory").map(|limit| limit.0.as_str());
        let needs = Needs { secrets: &secrets, claims: &claims, memory };
        let diagnose =
            |name: &RevisionName| rollout::diagnose(name, revisions.get(name), observed, needs, *now);
        let measured = answering
            .iter()
            .filter(|(target, _)| decide::unmeasured_for(target, revisions, *now).is_none())
            .map(|(_, revision)| &revision.autoscaler)
            .find(|facts| **facts != AutoscalerFacts::default());
        Self {
            workload,
            serving,
            observed,
            applied,
            previous,
            targets,
            finding: serving.blocked.clone().or_else(|| diagnose(&serving.desired_revision)),
            finding_of_answering: answering.iter().find_map(|(target, _)| diagnose(&target.revision)),
            autoscaler: measured.cloned().unwrap_or_default(),
            answering,
        }
    }

    /// Whether the child exists after the apply, though perhaps not as planned.
    pub fn exists(&self, kind: ChildKind, name: &str) -> bool {
        let is_it = |child: &ChildFacts| child.kind == kind && child.name == name;
        is_applied(self.applied, kind, name)
            || self.observed.children.iter().filter(|child| !child.deleting).any(is_it)
    }

    /// Whether the pods of a page answer for the model.
    pub fn is_hosted(&self) -> bool {
        self.targets.iter().any(|target| target.host.is_some())
    }

    /// Number of ready pods of the desired revision.
    pub fn n_ready(&self) -> i32 {
        self.serving.revisions.get(&self.serving.desired_revision).map_or(0, |revision| revision.ready)
    }

    /// Whether the planned autoscaler exists. It belongs to the desired revision, or to the answering one if the desired revision is blocked.
    pub fn has_autoscaler(&self) -> bool {
        let scaled = match (&self.serving.blocked, self.answering.first()) {
            (None, _) => Some(&self.serving.desired_revision),
            (Some(_), target) => target.map(|(target, _)| &target.revision),
        };
        let kinds = [ChildKind::HorizontalPodAutoscaler, ChildKind::ScaledObject];
        scaled.is_none_or(|revision| {
            let name = self.workload.revision_name(revision);
            kinds.iter().any(|kind| self.exists(*kind, &name))
        })
    }
}

fn answering_targets<'a>(
    workload: &Workload<'_>,
    serving: &'a ServingDecision,
    applied: &[AppliedChild],
) -> &'a [Target] {
    let leads_to = |target: &Target| {
        let service = match workload.component {
            Component::Ranker => workload.revision_name(&target.revision),
            Component::Page => workload.name(),
        };
        target.host.is_some() || is_applied(applied, ChildKind::Service, &service)
    };
    let decided = &serving.rollout.targets;
    if decided.iter().all(leads_to) { decided } else { &serving.previous_targets }
}

fn is_applied(applied: &[AppliedChild], kind: ChildKind, name: &str) -> bool {
    applied.iter().any(|child| child.kind == kind && child.name == name)
}
