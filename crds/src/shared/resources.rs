//! CPU, memory and devices of a pod.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::Quantity;

/// CPU, memory and devices of a pod. Names are those of Kubernetes: `cpu`, `memory`, `ephemeral-storage`, or a device such as `nvidia.com/gpu`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Default)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// Amounts that the scheduler reserves for each pod. Default: 100m CPU, so that an autoscaler has a base, and 256Mi memory.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    #[x_kube(validation = amounts("requests"))]
    pub requests: BTreeMap<String, Quantity>,
    /// Maximum amounts for each pod. There is no default. A pod that exceeds its memory is killed, with reason `OutOfMemory`.
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
        format!(
            "{field} has a value that is not an amount: write a number and a unit, such as 500m, 2 or 1Gi"
        )
        .as_str(),
    )
}
