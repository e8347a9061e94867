//! Condition types, reasons, and how drafts become the conditions of a status.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use serde::{Deserialize, Serialize};

/// The types of conditions. `Degraded`, `Reconciling` and `Stalled` are bad when true, all others are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// Whether requests are answered now.
    Ready,
    /// Whether the desired revision answers or is on its way; false with `ProgressDeadlineExceeded` when it is stuck.
    Progressing,
    /// Whether the artifact that the spec names was fetched, checked and loaded.
    ArtifactResolved,
    /// Whether less is served than the spec asks for.
    Degraded,
    /// Whether the number of pods follows the load as the spec asks.
    Autoscaling,
    /// For a PageLayout: whether models fill the rows, and not the fallback: as the page's pods report it.
    ModelsResolved,
    /// For a PageLayout with `gateway`: whether Gateways accept its routes.
    RoutesApplied,
    /// Whether what the spec asks for answers all requests now: false from a change until it does. People wait for it with `kubectl wait`.
    RolledOut,
    /// Exists only while true: the desired revision is on its way. For kstatus, with which Argo CD, Flux and Helm wait.
    Reconciling,
    /// Exists only while true: the desired revision is stuck. For kstatus.
    Stalled,
}

impl ConditionType {
    /// Every type, in the order of this file.
    pub const ALL: [Self; 10] = [
        Self::Ready,
        Self::Progressing,
        Self::ArtifactResolved,
        Self::Degraded,
        Self::Autoscaling,
        Self::ModelsResolved,
        Self::RoutesApplied,
        Self::RolledOut,
        Self::Reconciling,
        Self::Stalled,
    ];

    /// The word in a status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Progressing => "Progressing",
            Self::ArtifactResolved => "ArtifactResolved",
            Self::Degraded => "Degraded",
            Self::Autoscaling => "Autoscaling",
            Self::ModelsResolved => "ModelsResolved",
            Self::RoutesApplied => "RoutesApplied",
            Self::RolledOut => "RolledOut",
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
        /// One word that condition, event, metric and termination message share. The set stays small.
        #[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason, in the order of this file.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word in a status.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

reasons! {
    // No problem.
    /// Every pod that is wanted is ready.
    AllPodsReady,
    /// Some pods are ready: requests are answered.
    FewerPodsThanWanted,
    /// No pod is ready.
    NoPodReady,
    /// The model answers in the pods of a page.
    Colocated,
    /// The desired revision answers.
    UpToDate,
    /// The artifact was loaded and checked.
    ArtifactLoaded,
    /// No problem is known.
    AsExpected,

    // In progress.
    /// The desired revision waits until fewer others are starting.
    RevisionWaiting,
    /// Pods of the desired revision are starting.
    RevisionStarting,
    /// Pods fetch or check the artifact.
    ArtifactLoading,
    /// Viewers have moved, and earlier revisions drain.
    RevisionDraining,
    /// A child is not applied yet, or its controller has not answered yet.
    Reconciling,

    // The spec conflicts with another, or names something that does not exist.
    /// An older model has the objective.
    DuplicateObjective,
    /// An older layout has the surface.
    DuplicateLayout,
    /// A row names an objective that no model of its surface has.
    ObjectiveNotFound,
    /// A model of a row is not ready.
    ModelNotReady,
    /// Every row has its model.
    AllModelsServed,
    /// A row can show nothing: the catalogue has no title of its genre, or of its model.
    RowsNotShown,
    /// Two models of one pod mount different volumes at one folder.
    VolumeConflict,
    /// An artifact in a cluster is `file://` and has no volume.
    VolumeMissing,

    // A pod cannot start.
    /// The image cannot be pulled.
    ImageNotPulled,
    /// A Secret that the pod needs does not exist, or lacks a key.
    SecretNotFound,
    /// A PersistentVolumeClaim does not exist, or is not bound.
    ClaimNotFound,
    /// No node that the pod may use has room for it.
    Unschedulable,
    /// The namespace's quota or a policy refuses the pod.
    PodRefused,
    /// The pod ended and gave no reason.
    PodCrashed,
    /// The revision did not become ready in time.
    ProgressDeadlineExceeded,

    // A pod cannot serve: reasons in the runtime's termination message.
    /// The pod's configuration cannot be read.
    ConfigInvalid,
    /// The uri holds no artifact.
    ArtifactNotFound,
    /// The store does not allow this pod to read it.
    AccessDenied,
    /// The store does not answer.
    StoreUnreachable,
    /// The settings of the store do not fit it, such as an address, a region, an authority or a key of its Secret.
    StoreMisconfigured,
    /// The digest of a file is not the expected one.
    ChecksumMismatch,
    /// The artifact contradicts its own manifest: a shape, a size, a missing tensor.
    ArtifactInvalid,
    /// The artifact needs another version of the runtime.
    ArtifactUnsupported,
    /// A weight is NaN or infinite.
    NotFinite,
    /// The model does not reproduce its golden outputs.
    GoldenMismatch,
    /// The pod exceeded its memory limit.
    OutOfMemory,
    /// The disk (the artifact cache) is full.
    DiskFull,
    /// The CPU lacks instructions that the image needs.
    CpuUnsupported,

    // Autoscaling.
    /// An autoscaler follows the load.
    AutoscalerApplied,
    /// The number of pods is fixed.
    FixedReplicas,
    /// The target of requests in flight is not in use: the cluster has neither KEDA nor a custom metrics API.
    MetricsApiNotInstalled,
    /// The autoscaler cannot read its metric.
    MetricsUnavailable,

    // Routes.
    /// Gateways accept the routes.
    RoutesApplied,
    /// Gateway API is not installed.
    GatewayApiNotInstalled,
    /// The Gateway refuses a route.
    RouteNotAccepted,

    // The operator itself.
    /// The API server forbids a request: a role lacks a verb.
    Forbidden,
    /// The API server refuses a child as invalid.
    ChildRefused,

    // Events.
    /// The spec asks for a new revision.
    RevisionCreated,
    /// Viewers moved to other revisions, or in other shares.
    TrafficMoved,
    /// The pods of a revision are deleted.
    RevisionRetired,
    /// A child was changed by hand, and the operator restored it.
    DriftMended,
}

impl Reason {
    /// Whether it is only in progress, and nobody needs to act.
    pub fn is_progress(self) -> bool {
        matches!(
            self,
            Self::RevisionWaiting
                | Self::RevisionStarting
                | Self::ArtifactLoading
                | Self::RevisionDraining
                | Self::Reconciling
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

/// A condition before [`stamp`] gives it its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionDraft {
    /// Its type.
    pub kind: ConditionType,
    /// `Some(true)` is `True`, `None` is `Unknown`.
    pub status: Option<bool>,
    /// One word.
    pub reason: Reason,
    /// Contains the numbers, and says what the user can do.
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

/// The conditions of `drafts`, sorted by type. `lastTransitionTime` changes only with the status, so that a second reconcile
/// writes nothing.
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
