//! Traffic and revisions: the part of a status that page pods follow.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A revision that serves requests, and its share of viewers.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TrafficTarget {
    /// The revision.
    #[schemars(length(max = 63))]
    pub revision: String,
    /// Its share of viewers, in percent.
    #[schemars(range(min = 0, max = 100))]
    pub weight: i32,
    /// `host:port` of the gRPC service of its pods. The host is the name of a Service in this namespace, with its domain.
    #[schemars(length(max = 253))]
    pub endpoint: String,
    /// Time since which it has this share.
    pub since: Time,
}

/// A revision that exists: it serves, is being rolled out, or is kept for a roll-back.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RevisionStatus {
    /// The revision: a hash of what its pods run.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Location of its weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub artifact: Option<String>,
    /// Number of its pods; 0 if it is only kept for a roll-back.
    #[schemars(range(min = 0, max = 100_000))]
    pub replicas: i32,
    /// Number of ready pods.
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
    /// Revision of the model in the page's pods: a hash of its configuration there.
    #[schemars(length(max = 63))]
    pub revision: String,
    /// Revision of the page whose pods run this revision of the model. Set only while several revisions of the page serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub page_revision: Option<String>,
}

/// The list of conditions, with one entry per type, so that two writers do not overwrite each other's entries.
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
