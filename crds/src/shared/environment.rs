//! Environment variables of pods.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::rules;

/// An environment variable of the pods.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.value) != has(self.valueFrom)")
    .message("a variable needs exactly one of value and valueFrom: set one of them"))]
pub struct Variable {
    /// Name of the variable.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z_][A-Za-z0-9_]*$')")
        .message("name is not the name of a variable: use letters, digits and '_'; start with a letter or '_'"))]
    #[x_kube(validation = Rule::new("!self.matches('^(POD_(NAME|NAMESPACE|UID)|MARQUEE_(CONFIG|MANIFESTS|HTTP|GRPC|ARTIFACT_CACHE|CREDENTIALS|TERMINATION_LOG|DRAIN_TIMEOUT|LOG_FORMAT|MAX_BODY))$')")
        .message("the operator sets this variable or its flag itself: remove it"))]
    pub name: String,
    /// Its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub value: Option<String>,
    /// The object that holds the value. A change there reaches only pods that start later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<VariableSource>,
}

/// The object that holds the value of a variable.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.secretKeyRef) != has(self.configMapKeyRef)")
    .message("valueFrom needs exactly one of secretKeyRef and configMapKeyRef: set one of them"))]
pub struct VariableSource {
    /// A key of a Secret in this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<KeyRef>,
    /// A key of a ConfigMap in this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_key_ref: Option<KeyRef>,
}

/// A key of a Secret or ConfigMap.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KeyRef {
    /// Name of the object.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("name"))]
    pub name: String,
    /// Key in the object. Pods do not start without it.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[-._a-zA-Z0-9]+$')")
        .message("key is not the key of a Secret or ConfigMap: use letters, digits, '-', '_' and '.'"))]
    pub key: String,
}
