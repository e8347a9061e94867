//! Access to a page from outside the cluster, through Gateway API.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::rules;

/// Access to a page from outside the cluster: an HTTPRoute and a GRPCRoute, if Gateway API is installed.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    /// The Gateways that the routes attach to.
    #[schemars(length(min = 1, max = 8))]
    pub parent_refs: Vec<ParentRef>,
    /// Host names of the routes. Empty: all host names that the Gateway allows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 253)))]
    #[x_kube(validation = Rule::new("self.all(host, host.matches('^([*][.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'))")
        .message("hostnames has an invalid host name: write it in lower case without scheme and port, such as home.example.com"))]
    pub hostnames: Vec<String>,
}

/// A Gateway.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// Name of the Gateway.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("name"))]
    pub name: String,
    /// Namespace of the Gateway, if it is not this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("namespace"))]
    pub namespace: Option<String>,
    /// Listener of the Gateway. Absent: all listeners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("sectionName"))]
    pub section_name: Option<String>,
}
