//! How many pods.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// How many pods serve. Without `max` it is always `min`, which is what `kubectl scale` sets.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.max) || self.min <= self.max")
    .message("replicas.min is above replicas.max: lower it, or raise max"))]
pub struct Replicas {
    /// Pods kept when nobody asks. Never 0: a cold start outlasts a page's deadline.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub min: i32,
    /// Pods at peak. Above `min`, an autoscaler of its own follows the load in between, and nothing else writes the number of
    /// pods. Absent or equal to `min`: no autoscaler.
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
    /// Pods at peak, never fewer than `min`.
    pub fn most(&self) -> i32 {
        self.max.unwrap_or(self.min).max(self.min)
    }

    /// Whether an autoscaler sets the number of pods.
    pub fn is_autoscaled(&self) -> bool {
        self.most() > self.min
    }
}

/// What the autoscaler aims at, where `replicas.max` is above `replicas.min`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Autoscaling {
    /// CPU use, in percent of what the pods request, that the autoscaler aims at.
    #[serde(default = "default_target_cpu")]
    #[schemars(range(min = 1, max = 1000))]
    pub target_cpu_percent: i32,
    /// Requests in flight a pod that the autoscaler aims at, besides CPU: whichever asks for more pods counts. It is in use where
    /// the cluster has KEDA or a custom metrics API; elsewhere the condition `Autoscaling` says that it is not.
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
