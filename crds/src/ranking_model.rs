//! One ranking model, served.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shared::{
    ArtifactRef, Autoscaling, Duration, Placement, Replicas, Resources, RevisionStatus, TrafficTarget,
    conditions_schema, rules,
};

/// Which artifact is served for which surface and objective, and how.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(group = "marquee.dev", version = "v1alpha1", kind = "RankingModel", namespaced, cel)]
#[kube(status = "RankingModelStatus", shortname = "rm", category = "marquee", derive = "PartialEq")]
#[kube(
    doc = "One ranking model, served. Change `spec.artifact` to serve another training of it: it takes over once its pods are ready."
)]
#[kube(scale(
    spec_replicas_path = ".spec.serving.replicas.min",
    status_replicas_path = ".status.replicas",
    label_selector_path = ".status.selector"
))]
#[kube(validation = rules::resource_name("RankingModel"))]
#[kube(printcolumn(name = "Objective", type_ = "string", json_path = ".spec.objective"))]
#[kube(printcolumn(
    name = "Ready",
    type_ = "string",
    json_path = r#".status.conditions[?(@.type=="Ready")].status"#
))]
#[kube(printcolumn(name = "Pods", type_ = "string", json_path = ".status.pods"))]
#[kube(printcolumn(name = "Revision", type_ = "string", json_path = ".status.revision"))]
#[kube(printcolumn(name = "Latest", type_ = "string", json_path = ".status.latestRevision"))]
#[kube(printcolumn(name = "Why", type_ = "string", json_path = ".status.why"))]
#[kube(printcolumn(name = "Surface", type_ = "string", json_path = ".spec.surface", priority = 1))]
#[kube(printcolumn(name = "Artifact", type_ = "string", json_path = ".spec.artifact.uri", priority = 1))]
#[kube(printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"))]
#[serde(rename_all = "camelCase")]
pub struct RankingModelSpec {
    /// The surface that this model ranks for, e.g. `home`. Only the PageLayout of this surface may name its objective. Fixed
    /// for life.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("surface"))]
    #[x_kube(validation = rules::fixed("surface", "create another model for the other surface"))]
    pub surface: String,
    /// The name by which layouts and callers ask for this model's ranking, e.g. `top-picks`. No two models answer to one
    /// objective: where two claim it, the older one answers.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("objective"))]
    pub objective: String,
    /// Where the trained weights are stored. The artifact names its architecture.
    pub artifact: ArtifactRef,
    /// How requests are answered.
    #[serde(default)]
    pub serving: Serving,
    /// Requests and limits of each pod.
    #[serde(default)]
    pub resources: Resources,
    /// Where the pods run, and what they carry.
    #[serde(flatten)]
    pub placement: Placement,
    /// Longest time that a new revision may take until it serves, from 1s to 60m. After that `Progressing` is false and says
    /// why; the earlier revision continues to serve, and the new one takes over if it becomes ready later.
    #[serde(default = "default_progress_deadline")]
    #[x_kube(validation = rules::duration("progressDeadline", "1s", "60m", "10m"))]
    pub progress_deadline: Duration,
    /// How many earlier revisions keep their configuration, for a roll-back: set `artifact` and `serving` to what they were.
    #[serde(default = "default_history")]
    #[schemars(range(min = 0, max = 20))]
    pub revision_history_limit: i32,
}

pub(crate) fn default_progress_deadline() -> Duration {
    Duration::from_millis(600_000)
}

pub(crate) fn default_history() -> i32 {
    3
}

/// How requests are answered.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct Serving {
    /// How requests that arrive together share one forward pass.
    pub batching: Batching,
    /// Most titles that one top-k request may ask for. A request for more is refused.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_top_k: u32,
    /// Number of pods.
    pub replicas: Replicas,
    /// What the autoscaler aims at.
    pub autoscaling: Autoscaling,
}

impl Default for Serving {
    fn default() -> Self {
        Self {
            batching: Batching::default(),
            max_top_k: 500,
            replicas: Replicas::default(),
            autoscaling: Autoscaling::default(),
        }
    }
}

/// How requests that arrive together share one forward pass.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.maxBatch > 1 || self.maxDelay.matches('^0+([.]0+)?[a-z]+$')")
    .message("maxBatch is 1, so that no request waits for company: leave maxDelay out, or raise maxBatch"))]
pub struct Batching {
    /// Most requests in one forward pass; 1 turns batching off.
    #[serde(default = "default_max_batch")]
    #[schemars(range(min = 1, max = 1024))]
    pub max_batch: u32,
    /// Longest time that a request waits for others while the model is idle, at most 100ms. With 0ms no request waits, and
    /// a batch holds only requests that arrived during the forward pass before.
    #[serde(default = "default_max_delay")]
    #[x_kube(validation = rules::duration("maxDelay", "0ms", "100ms", "2ms"))]
    pub max_delay: Duration,
}

fn default_max_batch() -> u32 {
    32
}

fn default_max_delay() -> Duration {
    Duration::from_millis(0)
}

impl Default for Batching {
    fn default() -> Self {
        Self { max_batch: default_max_batch(), max_delay: default_max_delay() }
    }
}

/// What is served, what is starting, and what keeps it from serving.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct RankingModelStatus {
    /// The generation of the spec that this status describes; -1 until the operator has seen the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = 999_999_999_999_999_i64))]
    pub observed_generation: Option<i64>,
    /// Conditions, one of each type.
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
    /// Number of pods, all revisions together.
    #[schemars(range(min = 0, max = 100_000))]
    pub replicas: i32,
    /// Number of ready pods.
    #[schemars(range(min = 0, max = 100_000))]
    pub ready_replicas: i32,
    /// Ready pods and wanted pods of the revisions that answer, for people: `2/3`.
    #[schemars(length(max = 32))]
    pub pods: String,
    /// Selects the pods; what `kubectl scale` and autoscalers read.
    #[schemars(length(max = 1024))]
    pub selector: String,
    /// The revision that answers; of several, the one with the largest share. Absent until one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub revision: Option<String>,
    /// The revision that the spec asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub latest_revision: Option<String>,
    /// One word that says why the resource is not ready or not up to date; empty when all is well.
    #[schemars(length(max = 64))]
    pub why: String,
    /// Which revisions answer, with which share of viewers, and where. Pages follow it.
    #[schemars(length(max = 8))]
    pub traffic: Vec<TrafficTarget>,
    /// Existing revisions: those that answer, one that is starting, and those kept for a roll-back.
    #[schemars(length(max = 32))]
    pub revisions: Vec<RevisionStatus>,
}
