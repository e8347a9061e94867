//! Number of pods.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Number of pods. Without `max` it is always `min`, which `kubectl scale` sets.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.max) || self.min <= self.max")
    .message("replicas.min is above replicas.max: lower min, or raise max"))]
pub struct Replicas {
    /// Minimum number of pods. Never 0, because a cold start takes longer than a page's deadline.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub min: i32,
    /// Maximum number of pods. Above `min`, an autoscaler sets the number of pods, and nothing else does. Absent or equal to
    /// `min`: no autoscaler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max: Option<i32>,
}

fn one() -> i32 {
    1
}

impl Default for Replicas {
    fn default() -> Self {
        Self { min: one(), max: None }
    }
}

impl Replicas {
    /// Maximum number of pods, at least `min`.
    pub fn most(&self) -> i32 {
        self.max.unwrap_or(self.min).max(self.min)
    }

    /// Whether an autoscaler sets the number of pods.
    pub fn is_autoscaled(&self) -> bool {
        self.most() > self.min
    }
}

/// Targets of the autoscaler, which exists if `replicas.max` is above `replicas.min`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Autoscaling {
    /// Target for CPU use, in percent of the pods' requests.
    #[serde(default = "default_target_cpu")]
    #[schemars(range(min = 1, max = 1000))]
    pub target_cpu_percent: i32,
    /// Target for requests in flight per pod, in addition to CPU; the target that needs more pods wins. It works only if the
    /// cluster has KEDA or a custom metrics API; otherwise the condition `Autoscaling` says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub target_in_flight_requests: Option<i32>,
}

fn default_target_cpu() -> i32 {
    70
}

impl Default for Autoscaling {
    fn default() -> Self {
        Self { target_cpu_percent: default_target_cpu(), target_in_flight_requests: None }
    }
}
