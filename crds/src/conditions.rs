//! Condition types and reasons, and how a list of conditions is kept.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use serde::{Deserialize, Serialize};

/// What a condition is about. `Degraded`, `Reconciling` and `Stalled` are bad when true; all others are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// Whether requests are answered now, by what answers.
    Ready,
    /// Whether something is under way; false with `ProgressDeadlineExceeded` when it is stuck.
    Progressing,
    /// Whether the artifact that the spec names was fetched, checked and loaded.
    ArtifactResolved,
    /// Whether what is served is less than what the spec asks for.
    Degraded,
    /// Whether the number of pods follows the load as the spec asks.
    Autoscaling,
    /// Of a PageLayout: whether a model answers to every objective that a row names.
    ModelsResolved,
    /// Of a PageLayout with `gateway`: whether routes from outside exist.
    RoutesApplied,
    /// There only while it is true: what the spec asks for is on its way. For kstatus, by which Argo CD, Flux and Helm wait.
    Reconciling,
    /// There only while it is true: what the spec asks for does not come about by itself. For kstatus.
    Stalled,
}

impl ConditionType {
    /// Every type, in the order of this file.
    pub const ALL: [Self; 9] = [
        Self::Ready,
        Self::Progressing,
        Self::ArtifactResolved,
        Self::Degraded,
        Self::Autoscaling,
        Self::ModelsResolved,
        Self::RoutesApplied,
        Self::Reconciling,
        Self::Stalled,
    ];

    /// As it stands in the status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Progressing => "Progressing",
            Self::ArtifactResolved => "ArtifactResolved",
            Self::Degraded => "Degraded",
            Self::Autoscaling => "Autoscaling",
            Self::ModelsResolved => "ModelsResolved",
            Self::RoutesApplied => "RoutesApplied",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
        }
    }

    /// The status that is bad.
    pub fn bad_status(self) -> &'static str {
        match self {
            Self::Degraded | Self::Reconciling | Self::Stalled => "True",
            _ => "False",
        }
    }
}

/// Declares [`Reason`] with the list of all of them.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Why: one word that condition, event, metric and termination message share. Few values, ever.
        #[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason, in the order of this file.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As it stands in the status.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

reasons! {
    // All is well.
    /// Every pod that is wanted is ready.
    AllPodsReady,
    /// Some are ready: requests are answered.
    FewerPodsThanWanted,
    /// None is ready.
    NoPodReady,
    /// The model answers in the pods of a page.
    Colocated,
    /// What the spec asks for is what serves.
    UpToDate,
    /// The artifact was loaded and checked.
    ArtifactLoaded,
    /// Nothing is amiss.
    AsExpected,

    // Something is under way.
    /// Pods of the revision that the spec asks for are starting.
    RevisionStarting,
    /// They fetch or check the artifact.
    ArtifactLoading,
    /// Traffic has moved, and the revision before is draining.
    RevisionDraining,
    /// The API server was told, and nothing has answered yet.
    Reconciling,

    // The spec clashes with another, or names what is not there.
    /// An older model answers to the objective.
    DuplicateObjective,
    /// An older layout has the surface.
    DuplicateLayout,
    /// A row asks for an objective that no model of its surface answers to.
    ObjectiveNotFound,
    /// A model that a row asks for is not ready.
    ModelNotReady,
    /// Every row has its model.
    AllModelsServed,
    /// Two models of one pod mount different volumes at one folder.
    VolumeConflict,
    /// A `file://` artifact in a cluster, without a volume.
    VolumeMissing,

    // A pod cannot start.
    /// The image cannot be pulled.
    ImageNotPulled,
    /// A Secret that the pod needs is not there, or lacks a key.
    SecretNotFound,
    /// A PersistentVolumeClaim is not there, or is not bound.
    ClaimNotFound,
    /// No node has room for the pod, or none that it may use.
    Unschedulable,
    /// The namespace's quota or a policy refuses the pod.
    PodRefused,
    /// The pod ended for a reason that it did not tell.
    PodCrashed,
    /// It did not become ready in time.
    ProgressDeadlineExceeded,

    // A pod cannot serve: what the runtime says in its termination message.
    /// The pod's configuration cannot be read.
    ConfigInvalid,
    /// Nothing lies at the uri.
    ArtifactNotFound,
    /// The store lets this pod not read it.
    AccessDenied,
    /// The store does not answer.
    StoreUnreachable,
    /// A file is not the one whose digest was asked for.
    ChecksumMismatch,
    /// The artifact breaks its own description: a shape, a size, a missing tensor.
    ArtifactInvalid,
    /// It is written for a runtime that this one is not.
    ArtifactUnsupported,
    /// A weight is NaN or infinite.
    NotFinite,
    /// The model does not reproduce its golden outputs.
    GoldenMismatch,
    /// The pod used more memory than it may.
    OutOfMemory,
    /// The disk (the artifact cache) is full.
    DiskFull,
    /// The CPU lacks instructions that the image needs.
    CpuUnsupported,

    // Autoscaling.
    /// An autoscaler follows the load.
    AutoscalerApplied,
    /// As many pods as the spec says, always.
    FixedReplicas,
    /// The target of requests in flight is not in use: neither KEDA nor a custom metrics API is there.
    MetricsApiNotInstalled,
    /// The autoscaler cannot read its metric.
    MetricsUnavailable,

    // Routes.
    /// The routes exist.
    RoutesApplied,
    /// Gateway API is not installed: there are no routes.
    GatewayApiNotInstalled,
    /// The Gateway refuses a route.
    RouteNotAccepted,

    // The operator itself.
    /// The API server refuses or does not answer.
    ApiUnavailable,
    /// The API server forbids it: a role lacks a verb.
    Forbidden,
    /// The API server calls a child invalid.
    ChildRefused,

    // Events.
    /// A revision came to be.
    RevisionCreated,
    /// Traffic moved to a revision.
    TrafficMoved,
    /// A revision drained and went.
    RevisionRetired,
    /// What was changed by hand was put back.
    DriftMended,
}

impl Reason {
    /// Whether things are on their way, and nobody need act.
    pub fn is_progress(self) -> bool {
        matches!(
            self,
            Self::RevisionStarting | Self::ArtifactLoading | Self::RevisionDraining | Self::Reconciling
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Longest message of a condition, in bytes.
const LONGEST_MESSAGE: usize = 32_768;

/// A condition as it is decided: when it came to be is found out by [`stamp`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionDraft {
    /// About what.
    pub kind: ConditionType,
    /// `Some(true)` is `True`; none is `Unknown`.
    pub status: Option<bool>,
    /// Why.
    pub reason: Reason,
    /// With the numbers, and the mend if the user can.
    pub message: String,
}

impl ConditionDraft {
    /// `True`, `False` or `Unknown`.
    pub fn status_text(&self) -> &'static str {
        match self.status {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        }
    }
}

/// The conditions of `drafts`, sorted by type. `lastTransitionTime` moves only where the status does, so that deciding the same
/// twice writes nothing.
pub fn stamp(
    drafts: &[ConditionDraft],
    generation: i64,
    previous: &[Condition],
    now: &Time,
) -> Vec<Condition> {
    let mut sorted: Vec<&ConditionDraft> = drafts.iter().collect();
    sorted.sort_by_key(|draft| draft.kind);
    let stamped = sorted.into_iter().map(|draft| {
        let (type_, status) = (draft.kind.as_str(), draft.status_text());
        let unchanged = previous.iter().find(|before| before.type_ == type_ && before.status == status);
        Condition {
            type_: type_.into(),
            status: status.into(),
            reason: draft.reason.as_str().into(),
            message: clip(&draft.message),
            observed_generation: Some(generation),
            last_transition_time: unchanged
                .map_or_else(|| now.clone(), |before| before.last_transition_time.clone()),
        }
    });
    stamped.collect()
}

fn clip(message: &str) -> String {
    let keep = (0..=LONGEST_MESSAGE.min(message.len())).rev().find(|&at| message.is_char_boundary(at));
    message[..keep.unwrap_or(0)].to_owned()
}

/// The condition of this type, if the list has it.
pub fn find(conditions: &[Condition], kind: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.type_ == kind.as_str())
}

/// Whether the list says that this is true.
pub fn is_true(conditions: &[Condition], kind: ConditionType) -> bool {
    find(conditions, kind).is_some_and(|condition| condition.status == "True")
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    fn draft(status: Option<bool>, reason: Reason) -> ConditionDraft {
        ConditionDraft { kind: ConditionType::Ready, status, reason, message: String::new() }
    }

    #[test]
    fn the_time_of_a_condition_moves_only_with_its_status() {
        let at = |second| Time(Timestamp::from_second(second).unwrap());
        let first = stamp(&[draft(Some(false), Reason::NoPodReady)], 1, &[], &at(10));
        #[rustfmt::skip]
        let cases = [
            ("another reason",  Some(false), Reason::OutOfMemory,  10),
            ("another status",  Some(true),  Reason::AllPodsReady, 20),
            ("unknown is one",  None,        Reason::Reconciling,  20),
        ];
        for (why, status, reason, second) in cases {
            let next = stamp(&[draft(status, reason)], 2, &first, &at(20));
            assert_eq!(next[0].last_transition_time, at(second), "{why}");
            assert_eq!(next[0].observed_generation, Some(2), "{why}");
        }
    }

    #[test]
    fn a_reason_is_written_and_read_by_its_name() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{reason}\""));
        }
    }
}
