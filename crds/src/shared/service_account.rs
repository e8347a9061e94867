//! The identity of pods.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::rules;

/// The ServiceAccount of the pods, with which clouds give pods their rights: set `annotations` or `name`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.name) != has(self.annotations)")
    .message("serviceAccount needs exactly one of annotations and name: annotations are for the account that Marquee makes, name is another account"))]
pub struct PodServiceAccount {
    /// Name of an existing ServiceAccount of this namespace that the pods use instead of their own. Its annotations are left
    /// as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("name"))]
    pub name: Option<String>,
    /// Annotations of the ServiceAccount that Marquee makes, e.g. `eks.amazonaws.com/role-arn` or
    /// `iam.gke.io/gcp-service-account`. A change starts a new revision, because clouds read them when a pod starts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "rules::annotations_schema")]
    #[x_kube(validation = rules::foreign_keys("annotations"))]
    pub annotations: BTreeMap<String, String>,
}
