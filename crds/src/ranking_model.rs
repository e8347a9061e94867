//! One ranking model, served.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shared::{
    ArtifactRef, Autoscaling, BodySize, Duration, Placement, Replicas, Resources, RevisionStatus,
    TrafficTarget, conditions_schema, rules,
};

/// Surface, objective, artifact and serving options of a model.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(group = "marquee.dev", version = "v1alpha1", kind = "RankingModel", namespaced, cel)]
#[kube(status = "RankingModelStatus", shortname = "rm", category = "marquee", derive = "PartialEq")]
#[kube(
    doc = "One ranking model. Change `spec.artifact` to serve a newly trained version: it takes over once its pods are ready."
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
    /// The surface that this model ranks for, e.g. `home`. Only the PageLayout of this surface may name its objective. It cannot change.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("surface"))]
    #[x_kube(validation = rules::fixed("surface", "create another model for the other surface"))]
    pub surface: String,
    /// The name that layouts and callers use for this model's ranking, e.g. `top-picks`. If two models claim the same
    /// objective, the older one serves it.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("objective"))]
    pub objective: String,
    /// Location of the trained weights. The artifact names its architecture.
    pub artifact: ArtifactRef,
    /// Serving options.
    #[serde(default)]
    pub serving: Serving,
    /// CPU, memory and devices of each pod.
    #[serde(default)]
    pub resources: Resources,
    /// Where the pods run, and what they carry.
    #[serde(flatten)]
    pub placement: Placement,
    /// Time limit for a new revision to serve, from 1s to 60m. After it, `Progressing` is false and gives the cause; the
    /// previous revision keeps serving, and the new one takes over if it becomes ready later.
    #[serde(default = "default_progress_deadline")]
    #[x_kube(validation = rules::duration("progressDeadline", "1s", "60m", "10m"))]
    pub progress_deadline: Duration,
    /// Number of earlier revisions whose configuration is kept. To roll back, set `artifact` and `serving` to their earlier values.
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

/// Serving options.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct Serving {
    /// Batching of requests into one forward pass.
    pub batching: Batching,
    /// Maximum number of titles in one top-k request. Larger requests are refused.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_top_k: u32,
    /// Largest request that a pod accepts, after decompression, from 64Ki to 1024Mi. When absent: 4Mi.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_body: Option<BodySize>,
    /// Number of pods.
    pub replicas: Replicas,
    /// Targets of the autoscaler.
    pub autoscaling: Autoscaling,
}

impl Default for Serving {
    fn default() -> Self {
        Self {
            batching: Batching::default(),
            max_top_k: 500,
            max_body: None,
            replicas: Replicas::default(),
            autoscaling: Autoscaling::default(),
        }
    }
}

/// Batching of requests into one forward pass.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.maxBatch > 1 || self.maxDelay.matches('^0+([.]0+)?[a-z]+$')")
    .message("maxBatch is 1, so no request may wait for others: remove maxDelay, or raise maxBatch"))]
pub struct Batching {
    /// Maximum number of requests in one forward pass; 1 disables batching.
    #[serde(default = "default_max_batch")]
    #[schemars(range(min = 1, max = 1024))]
    pub max_batch: u32,
    /// Longest time that a request waits for others while the model is idle, at most 100ms. With 0ms no request waits, and a
    /// batch has only the requests that queued up during the previous forward pass.
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

/// What is served, what is being rolled out, and why something is not served.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct RankingModelStatus {
    /// Generation of the spec that this status describes; -1 until the operator has seen the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = 999_999_999_999_999_i64))]
    pub observed_generation: Option<i64>,
    /// Conditions, one per type.
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
    /// Number of pods of all revisions.
    #[schemars(range(min = 0, max = 100_000))]
    pub replicas: i32,
    /// Number of ready pods.
    #[schemars(range(min = 0, max = 100_000))]
    pub ready_replicas: i32,
    /// Ready and desired pods of the serving revision, for people: `2/3`.
    #[schemars(length(max = 32))]
    pub pods: String,
    /// Label selector of the pods, for `kubectl scale` and autoscalers.
    #[schemars(length(max = 1024))]
    pub selector: String,
    /// The serving revision; absent until one serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub revision: Option<String>,
    /// The revision that the spec asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub latest_revision: Option<String>,
    /// One word that says why the resource is not ready or not up to date; empty if all is well.
    #[schemars(length(max = 64))]
    pub why: String,
    /// The serving revisions, with their shares of viewers and addresses. Pages follow this list.
    #[schemars(length(max = 8))]
    pub traffic: Vec<TrafficTarget>,
    /// All revisions: the serving one, one that is being rolled out, and those kept for a roll-back.
    #[schemars(length(max = 32))]
    pub revisions: Vec<RevisionStatus>,
}
