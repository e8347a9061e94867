//! One ranking model, served.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::shared::{ArtifactRef, Duration};

/// One ranking model, served: which surface and objective it answers for, from which artifact, and how.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(group = "marquee.dev", version = "v1alpha1", kind = "RankingModel", namespaced, cel)]
#[kube(shortname = "rm", category = "marquee", derive = "PartialEq")]
#[kube(doc = "One ranking model, served. Change `spec.artifact` to serve another training of it.")]
#[kube(printcolumn(name = "Surface", type_ = "string", json_path = ".spec.surface"))]
#[kube(printcolumn(name = "Objective", type_ = "string", json_path = ".spec.objective"))]
#[kube(printcolumn(name = "Artifact", type_ = "string", json_path = ".spec.artifact.uri"))]
#[kube(printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"))]
#[serde(rename_all = "camelCase")]
pub struct RankingModelSpec {
    /// The surface this model ranks for, e.g. `home`. Fixed for life.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("surface is fixed for life: create another model for the other surface"))]
    pub surface: String,
    /// The name by which layouts and callers ask for this model's ranking, e.g. `top-picks`. No two models answer to one objective.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub objective: String,
    /// Where the trained weights lie. The architecture is read from the artifact.
    pub artifact: ArtifactRef,
    /// How requests are answered.
    #[serde(default)]
    pub serving: Serving,
}

/// How requests are answered.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct Serving {
    /// How requests that arrive together share one forward pass.
    pub batching: Batching,
    /// Most titles that one top-k request may ask for.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_top_k: u32,
}

impl Default for Serving {
    fn default() -> Self {
        Self { batching: Batching::default(), max_top_k: 500 }
    }
}

/// How requests that arrive together share one forward pass.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", default)]
#[x_kube(validation = Rule::new("duration(self.maxDelay) <= duration('100ms')")
    .message("maxDelay is above 100ms, longer than a page may take: lower it"))]
pub struct Batching {
    /// Most requests in one forward pass; 1 turns batching off.
    #[schemars(range(min = 1, max = 1024))]
    pub max_batch: u32,
    /// Longest that a request waits for company while the model is idle. 0ms never waits: batches then form only from
    /// what queued up while the pass before ran.
    pub max_delay: Duration,
}

impl Default for Batching {
    fn default() -> Self {
        Self { max_batch: 32, max_delay: Duration(std::time::Duration::ZERO) }
    }
}
