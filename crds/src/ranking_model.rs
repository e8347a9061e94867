//! One ranking model, served.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shared::{ArtifactRef, Duration, rules};

/// What is served: for which surface and objective, from which artifact, and how.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(group = "marquee.dev", version = "v1alpha1", kind = "RankingModel", namespaced, cel)]
#[kube(shortname = "rm", category = "marquee", derive = "PartialEq")]
#[kube(doc = "One ranking model, served. Change `spec.artifact` to serve another training of it.")]
#[kube(printcolumn(name = "Surface", type_ = "string", json_path = ".spec.surface"))]
#[kube(printcolumn(name = "Objective", type_ = "string", json_path = ".spec.objective"))]
#[kube(printcolumn(name = "Artifact", type_ = "string", json_path = ".spec.artifact.uri"))]
#[kube(printcolumn(
    name = "Max-Top-K",
    type_ = "integer",
    json_path = ".spec.serving.maxTopK",
    priority = 1
))]
#[kube(printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"))]
#[serde(rename_all = "camelCase")]
pub struct RankingModelSpec {
    /// The surface that this model ranks for, e.g. `home`: the one whose PageLayout may name its objective. Fixed for life.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("surface"))]
    #[x_kube(validation = rules::fixed("surface", "create another model for the other surface"))]
    pub surface: String,
    /// The name by which layouts and callers ask for this model's ranking, e.g. `top-picks`. No two models answer to one
    /// objective: where two claim it, the older one answers.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("objective"))]
    pub objective: String,
    /// Where the trained weights lie. The architecture is read from the artifact.
    pub artifact: ArtifactRef,
    /// How requests are answered.
    #[serde(default)]
    pub serving: Serving,
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
}

impl Default for Serving {
    fn default() -> Self {
        Self { batching: Batching::default(), max_top_k: 500 }
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
    /// Longest that a request waits for company while the model is idle, at most 100ms. With 0ms no request waits, and
    /// batches form only from what queued up while the pass before ran.
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
