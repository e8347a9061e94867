//! Where pods run, and what they carry.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Affinity;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PodServiceAccount, Variable, affinity::affinity_schema, rules};

/// Where pods run, and what they carry. Each kind has these members in its own spec.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// Labels that a node must have to run the pods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "rules::labels_schema")]
    #[x_kube(validation = rules::label_values("nodeSelector"))]
    pub node_selector: BTreeMap<String, String>,
    /// Taints of nodes that the pods tolerate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub tolerations: Vec<Toleration>,
    /// How evenly the pods are spread over zones and nodes. When absent: as evenly as possible over both. `[]`: no rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    pub topology_spread: Option<Vec<TopologySpread>>,
    /// Labels that pods carry besides Marquee's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "rules::labels_schema")]
    #[x_kube(validation = rules::label_values("podLabels"))]
    #[x_kube(validation = rules::foreign_keys("podLabels"))]
    pub pod_labels: BTreeMap<String, String>,
    /// Annotations that pods carry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "rules::annotations_schema")]
    #[x_kube(validation = rules::foreign_keys("podAnnotations"))]
    pub pod_annotations: BTreeMap<String, String>,
    /// Secrets of this namespace for pulling the runtime's image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub image_pull_secrets: Vec<LocalSecret>,
    /// Rules for the choice of nodes, by the nodes' labels and by the pods that run there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "affinity_schema")]
    pub affinity: Option<Affinity>,
    /// Name of the PriorityClass: which pods the scheduler may evict to make room for others. When absent: the cluster's
    /// default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("priorityClassName"))]
    pub priority_class_name: Option<String>,
    /// Name of the RuntimeClass, e.g. for a sandbox. When absent: the default of the nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("runtimeClassName"))]
    pub runtime_class_name: Option<String>,
    /// Name of the scheduler. When absent: the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("schedulerName"))]
    pub scheduler_name: Option<String>,
    /// The ServiceAccount of the pods, with which clouds give pods their rights. When absent: an account that Marquee makes,
    /// without annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<PodServiceAccount>,
    /// Environment variables of the pods, e.g. `AWS_REGION` or `HTTPS_PROXY`. An artifact with `credentials` takes the settings
    /// of its store only from there, unless its Secret has nothing but `ca.crt`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("self.all(a, self.exists_one(b, b.name == a.name))")
        .message("two variables have the same name: remove one"))]
    pub env: Vec<Variable>,
    /// Seconds from the start of a pod's end until it is killed. The last 10 are spare, the first 5 are for callers that still
    /// have the pod's address, and running requests have the time between them. When absent: 35.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 20, max = 3600))]
    pub termination_grace_period_seconds: Option<i64>,
}

/// A taint that pods tolerate.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Default)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.operator) || self.operator != 'Exists' || !has(self.value)")
    .message("a toleration with the operator Exists has no value: leave it out"))]
#[x_kube(validation = Rule::new("has(self.key) || (has(self.operator) && self.operator == 'Exists')")
    .message("a toleration without a key needs the operator Exists, and tolerates every taint"))]
#[x_kube(validation = Rule::new("!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')")
    .message("tolerationSeconds counts for the effect NoExecute only: set it, or leave tolerationSeconds out"))]
pub struct Toleration {
    /// Key of the taint; every key when absent, with the operator `Exists`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 316))]
    pub key: Option<String>,
    /// `Equal`, or `Exists` for whatever value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<TolerationOperator>,
    /// Value of the taint, for `Equal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub value: Option<String>,
    /// Effect of the taint; every effect when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
    /// How long pods stay after a taint with `NoExecute` appears; for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub toleration_seconds: Option<i64>,
}

/// How a toleration compares values.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TolerationOperator {
    /// The value is the same.
    Equal,
    /// Whatever the value.
    Exists,
}

/// What a taint does to pods that do not tolerate it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaintEffect {
    /// New pods are not scheduled there.
    NoSchedule,
    /// New pods are scheduled there only if no other node has room.
    PreferNoSchedule,
    /// Running pods are evicted.
    NoExecute,
}

/// How evenly pods are spread over nodes with different values of a label.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TopologySpread {
    /// The label of nodes whose values are the domains, e.g. `topology.kubernetes.io/zone`.
    #[schemars(length(min = 1, max = 316))]
    pub topology_key: String,
    /// Largest difference in pods between two domains.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_skew: i32,
    /// What happens to a pod that would exceed it.
    #[serde(default)]
    pub when_unsatisfiable: WhenUnsatisfiable,
}

fn one() -> i32 {
    1
}

/// What happens to a pod that fits nowhere.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum WhenUnsatisfiable {
    /// It is scheduled where the difference is smallest.
    #[default]
    ScheduleAnyway,
    /// It waits.
    DoNotSchedule,
}

/// A Secret with a registry's credentials.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LocalSecret {
    /// Name of the Secret, in this namespace.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("name"))]
    pub name: String,
}

impl TopologySpread {
    /// As evenly as possible over zones and over nodes.
    pub fn sensible() -> Vec<Self> {
        ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
            .map(|key| Self {
                topology_key: key.into(),
                max_skew: 1,
                when_unsatisfiable: WhenUnsatisfiable::ScheduleAnyway,
            })
            .into()
    }
}
