//! The part of a status that both kinds share. It describes the applied children: a plan that the API server refused changes no traffic.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use marquee_crds::{
    conditions::{self, ConditionType},
    pod_config::ResourceRef,
    revision_name::RevisionName,
    shared::{RevisionStatus, TrafficTarget},
};
use marquee_operator_kit::Claim;

use super::{conditions as drafts, inputs::StatusInputs, summary, transitions};
use crate::{
    child::ChildKind,
    resources::{self, Workload},
    rollout::{Revision, Revisions, Target, main_target},
    served::{PreviousStatus, ServedStatus, StatusDraft},
    transition::{TransitionEvent, of_conditions},
};

/// Maximum length of the artifact text in a status, in bytes.
const LONGEST_ARTIFACT: usize = 1024;
/// Maximum number of revisions in a status.
const MOST_REVISIONS: usize = 32;
/// Maximum number of pods in a status.
const MOST_PODS: i32 = 100_000;

/// The status that `draft` gives a resource, with stamped conditions, and all events of the transition. Members that only one kind has are
/// empty.
pub fn stamped<S: ServedStatus>(
    mut draft: StatusDraft,
    generation: Option<i64>,
    previous: PreviousStatus<'_>,
    now: Timestamp,
) -> (S, Vec<TransitionEvent>) {
    let generation = generation.unwrap_or_default().max(0);
    let drafted = std::mem::take(&mut draft.conditions);
    let findings = std::mem::take(&mut draft.findings);
    let mut events = std::mem::take(&mut draft.events);
    // Another revision is on its way from now on, and not since the one before it was.
    let is_same = draft.latest_revision.as_ref().map(RevisionName::as_str) == previous.latest_revision;
    let is_kept = |condition: &&Condition| is_same || condition.type_ != ConditionType::Reconciling.as_str();
    let known: Vec<Condition> = previous.conditions.iter().filter(is_kept).cloned().collect();
    events.extend(of_conditions(previous.conditions, &drafted));
    let mut status = S::from_draft(draft, generation);
    *status.why_mut() = summary::why(&drafted);
    let all = summary::with_waits(summary::say_once(drafted, &findings));
    *status.conditions_mut() = conditions::stamp(&all, generation, &known, &Time(now));
    (status, events)
}

impl StatusInputs<'_> {
    /// The status, with the conditions and events that both kinds have.
    pub fn status(&self) -> StatusDraft {
        let Self { workload, serving, previous, targets, .. } = self;
        let desired = serving.blocked.is_none().then_some(&serving.desired_revision);
        let kind = workload.component.kind();
        let mut events: Vec<TransitionEvent> = Vec::new();
        events
            .extend(desired.and_then(|name| transitions::created(kind, name, previous, &serving.revisions)));
        events.extend(transitions::traffic_moved(previous, targets));
        events.extend(transitions::retired(previous, |name| serving.live().any(|live| live == name)));
        StatusDraft {
            replicas: n_pods(&serving.revisions, |revision| revision.replicas),
            ready_replicas: n_pods(&serving.revisions, |revision| revision.ready),
            pods: self.pods(),
            selector: resources::selector_text(workload),
            revision: main_target(targets).map(|target| target.revision.clone()),
            latest_revision: Some(serving.desired_revision.clone()),
            traffic: traffic(workload, targets),
            revisions: self.revisions(),
            conditions: drafts::drafts(self),
            findings: self.finding.iter().chain(&self.finding_of_answering).cloned().collect(),
            events,
        }
    }

    /// Ready and wanted pods of all targets, or of the desired revision if no target has its own pods.
    fn pods(&self) -> String {
        let names: Vec<&RevisionName> = if self.answering.is_empty() {
            vec![&self.serving.desired_revision]
        } else {
            self.answering.iter().map(|(target, _)| &target.revision).collect()
        };
        let (mut ready, mut wanted) = (0_i32, 0_i32);
        for name in names {
            let (more_ready, more_wanted) = match self.serving.revisions.get(name) {
                Some(revision) => (revision.ready, revision.wanted),
                None => (0, self.serving.rollout.pods),
            };
            ready = ready.saturating_add(more_ready);
            wanted = wanted.saturating_add(more_wanted);
        }
        format!("{ready}/{wanted}")
    }

    fn revisions(&self) -> Vec<RevisionStatus> {
        let live = self.serving.live().map(|name| (name, ChildKind::Deployment));
        let history = self.serving.history.iter().map(|name| (name, ChildKind::ConfigMap));
        let existing =
            live.chain(history).filter(|(name, kind)| self.exists(*kind, &self.workload.revision_name(name)));
        existing.take(MOST_REVISIONS).map(|(name, kind)| self.revision(name, kind)).collect()
    }

    fn revision(&self, name: &RevisionName, kind: ChildKind) -> RevisionStatus {
        let is_live = kind == ChildKind::Deployment;
        let pods = self.serving.revisions.get(name).filter(|_| is_live);
        RevisionStatus {
            name: name.to_string(),
            artifact: self.artifact(name),
            replicas: pods.map_or(0, |revision| revision.replicas).min(MOST_PODS),
            ready_replicas: pods.map_or(0, |revision| revision.ready).min(MOST_PODS),
        }
    }

    /// Where the weights of a revision are stored.
    fn artifact(&self, revision: &RevisionName) -> Option<String> {
        let is_config = |child: &&crate::observed::ChildFacts| {
            child.kind == ChildKind::ConfigMap && child.revision.as_ref() == Some(revision)
        };
        let text = if *revision == self.serving.desired_revision {
            self.workload.artifact_text()
        } else {
            self.observed.children.iter().find(is_config)?.artifact.clone()?
        };
        // If there is no room for all uris, only the first is kept.
        let is_short = text.len() <= LONGEST_ARTIFACT;
        let text = if is_short { text } else { text.split(' ').next().unwrap_or_default().to_owned() };
        Some(text).filter(|text| !text.is_empty() && text.len() <= LONGEST_ARTIFACT)
    }
}

/// The targets as a status holds them.
pub fn traffic(workload: &Workload<'_>, targets: &[Target]) -> Vec<TrafficTarget> {
    let target = |target: &Target| TrafficTarget {
        endpoint: target.host.clone().unwrap_or_else(|| workload.endpoint(&target.revision)),
        revision: target.revision.to_string(),
        weight: target.weight,
        since: Time(target.since),
    };
    targets.iter().map(target).collect()
}

/// A number of pods, summed over all revisions.
pub fn n_pods(revisions: &Revisions, count: fn(&Revision) -> i32) -> i32 {
    revisions.values().map(count).fold(0, i32::saturating_add).clamp(0, MOST_PODS)
}

/// The status of a resource that has no pods.
pub fn without_pods(workload: &Workload<'_>, conditions: Vec<conditions::ConditionDraft>) -> StatusDraft {
    let selector = resources::selector_text(workload);
    StatusDraft { pods: "0/0".into(), selector, conditions, ..StatusDraft::default() }
}

/// The status of a resource whose claim to `value` the `older` resource holds. Conditions that only one kind has are in `more`.
pub fn refused(
    workload: &Workload<'_>,
    older: &ResourceRef,
    (claim, value): (Claim, &str),
    reason: conditions::Reason,
    more: &[conditions::ConditionType],
) -> StatusDraft {
    use conditions::ConditionType as C;
    let (kind, claim) = (workload.component.kind(), claim.0);
    let message = format!(
        "the older {kind} {older} has the {claim} {value:?}, so this one has no pods: they start once {older} is being deleted; to serve \
         both, give one of them another {claim}"
    );
    let decided = [
        (C::Ready, Some(false)),
        (C::Progressing, Some(false)),
        (C::ArtifactResolved, None),
        (C::Degraded, Some(true)),
        (C::Autoscaling, None),
    ];
    let all = decided.into_iter().chain(more.iter().map(|kind| (*kind, None)));
    let draft = |(kind, status)| match kind {
        C::Ready => drafts::draft(kind, status, reason, &*message),
        _ => drafts::draft(kind, status, reason, format!("{reason}: see Ready")),
    };
    without_pods(workload, all.map(draft).collect())
}
