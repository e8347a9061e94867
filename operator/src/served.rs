//! The common part of the statuses of all kinds with pods, so that only the folder of a kind names the kind.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::core::object::HasStatus;
use marquee_crds::{
    conditions::ConditionDraft,
    page_layout::PageLayoutStatus,
    ranking_model::RankingModelStatus,
    revision_name::RevisionName,
    shared::{RevisionStatus, TrafficTarget},
};
use marquee_operator_kit::ResourceStatus;

use crate::{context::Marquee, rollout::Finding, transition::TransitionEvent};

/// The status of a kind whose revisions serve. Each such kind has a line at the end of this file.
pub trait ServedStatus: ResourceStatus<Marquee> {
    /// The members that a later reconcile compares with.
    fn as_previous(&self) -> PreviousStatus<'_>;
    /// Its conditions.
    fn conditions_mut(&mut self) -> &mut Vec<Condition>;
    /// The reason of its worst condition.
    fn why_mut(&mut self) -> &mut String;
    /// A status with the members of `draft` for the `generation` of a spec. Its conditions, and the members that only this kind has, are empty.
    fn from_draft(draft: StatusDraft, generation: i64) -> Self;
}

/// The status before this reconcile.
#[derive(Clone, Copy, Debug, Default)]
pub struct PreviousStatus<'a> {
    /// Conditions.
    pub conditions: &'a [Condition],
    /// The revision that the spec asked for.
    pub latest_revision: Option<&'a str>,
    /// The revisions that answered.
    pub traffic: &'a [TrafficTarget],
    /// The revisions that existed.
    pub revisions: &'a [RevisionStatus],
}

impl<'a> PreviousStatus<'a> {
    /// The targets that had viewers.
    pub fn targets(&self) -> impl Iterator<Item = &'a TrafficTarget> + use<'a> {
        self.traffic.iter().filter(|target| target.weight > 0)
    }

    /// The revisions that had pods.
    pub fn with_pods(&self) -> impl Iterator<Item = &'a RevisionStatus> + use<'a> {
        self.revisions.iter().filter(|revision| revision.replicas > 0)
    }
}

impl<'a, R: HasStatus<Status: ServedStatus>> From<&'a R> for PreviousStatus<'a> {
    fn from(resource: &'a R) -> Self {
        resource.status().map(ServedStatus::as_previous).unwrap_or_default()
    }
}

/// A status before its conditions are stamped. The fields are those of the API.
#[derive(Clone, Debug, Default)]
pub struct StatusDraft {
    /// Every pod.
    pub replicas: i32,
    /// Ready pods.
    pub ready_replicas: i32,
    /// Ready and wanted pods of the answering revisions.
    pub pods: String,
    /// Selects the pods.
    pub selector: String,
    /// The answering revision; if several answer, the one with the largest share.
    pub revision: Option<RevisionName>,
    /// The revision that the spec asks for.
    pub latest_revision: Option<RevisionName>,
    /// Every revision that answers.
    pub traffic: Vec<TrafficTarget>,
    /// Every revision that exists.
    pub revisions: Vec<RevisionStatus>,
    /// Conditions.
    pub conditions: Vec<ConditionDraft>,
    /// What is wrong: each message is in one of the conditions only.
    pub findings: Vec<Finding>,
    /// What happened to revisions and traffic.
    pub events: Vec<TransitionEvent>,
}

/// Implements [`ServedStatus`] for statuses whose common members have the same names.
macro_rules! served_statuses {
    ($($status:ty),+ $(,)?) => {$(
        impl ResourceStatus<Marquee> for $status {
            fn conditions(&self) -> &[Condition] {
                &self.conditions
            }

            fn n_revisions(&self) -> usize {
                self.as_previous().with_pods().count()
            }
        }

        impl ServedStatus for $status {
            fn as_previous(&self) -> PreviousStatus<'_> {
                PreviousStatus {
                    conditions: &self.conditions,
                    latest_revision: self.latest_revision.as_deref(),
                    traffic: &self.traffic,
                    revisions: &self.revisions,
                }
            }

            fn conditions_mut(&mut self) -> &mut Vec<Condition> {
                &mut self.conditions
            }

            fn why_mut(&mut self) -> &mut String {
                &mut self.why
            }

            fn from_draft(draft: StatusDraft, generation: i64) -> Self {
                Self {
                    observed_generation: Some(generation),
                    replicas: draft.replicas,
                    ready_replicas: draft.ready_replicas,
                    pods: draft.pods,
                    selector: draft.selector,
                    revision: draft.revision.map(Into::into),
                    latest_revision: draft.latest_revision.map(Into::into),
                    traffic: draft.traffic,
                    revisions: draft.revisions,
                    ..Self::default()
                }
            }
        }
    )+};
}

served_statuses!(RankingModelStatus, PageLayoutStatus);
