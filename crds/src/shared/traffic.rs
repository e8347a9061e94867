//! Which revisions answer now: the part of a status that page pods follow.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A revision that answers requests, and its share of them.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TrafficTarget {
    /// The revision.
    #[schemars(length(max = 63))]
    pub revision: String,
    /// Its share of viewers, in percent.
    #[schemars(range(min = 0, max = 100))]
    pub weight: i32,
    /// `host:port` at which its pods answer gRPC. The host is the name of a Service of this namespace with its domain.
    #[schemars(length(max = 253))]
    pub endpoint: String,
    /// Since when it has this share.
    pub since: Time,
}

/// An existing revision: it answers, is starting, or is kept for a roll-back.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RevisionStatus {
    /// The revision: a hash of what its pods run.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Where its weights are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub artifact: Option<String>,
    /// Number of its pods; 0 when only its configuration is kept.
    #[schemars(range(min = 0, max = 100_000))]
    pub replicas: i32,
    /// Number of its ready pods.
    #[schemars(range(min = 0, max = 100_000))]
    pub ready_replicas: i32,
}

/// A model that runs in the pods of a page.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ColocatedModel {
    /// Name of the RankingModel.
    #[schemars(length(max = 63))]
    pub name: String,
    /// The revision that runs: a hash of the model's part of the pods' configuration.
    #[schemars(length(max = 63))]
    pub revision: String,
}

/// The list of conditions: one of each type, so that two writers never change each other's.
pub fn conditions_schema(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "Conditions, one of each type. `Ready` says whether requests are answered.",
        "type": "array",
        "maxItems": 16,
        "items": generator.subschema_for::<Condition>(),
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    })
}
