//! Requests and limits of a pod.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::Quantity;

/// Requests and limits of a pod. Names are those of Kubernetes: `cpu`, `memory`, `ephemeral-storage`, or a device such as `nvidia.com/gpu`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Default)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// Requests of each pod. Without an entry, CPU is requested as 100m, so that an autoscaler can measure its use, and memory
    /// as 256Mi.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    #[x_kube(validation = amounts("requests"))]
    pub requests: BTreeMap<String, Quantity>,
    /// Limits of each pod. Without an entry there is no limit. A pod that exceeds its memory limit is killed, and the reason is
    /// `OutOfMemory`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    #[x_kube(validation = amounts("limits"))]
    pub limits: BTreeMap<String, Quantity>,
}

fn amounts(field: &str) -> kube::core::Rule {
    kube::core::Rule::new(
        "self.all(name, string(self[name]).matches('^[0-9]+([.][0-9]+)?(m|k|[MGTPE]|[KMGTPE]i)?$'))",
    )
    .message(
        format!("{field} holds an amount that is none: write a number and a unit, such as 500m, 2 or 1Gi")
            .as_str(),
    )
}
