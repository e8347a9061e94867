//! Finds the optional APIs of the cluster by API discovery.

use kube::Client;
use tracing::{debug, info};

use crate::observed::Capabilities;

/// Asks which APIs exist. If the answer for an API is missing, the previous one stays, because the server of an existing API may be down.
pub async fn discover(client: &Client, before: &Capabilities) -> Capabilities {
    let groups = match client.list_api_groups().await {
        Ok(list) => list.groups,
        Err(error) => {
            debug!(%error, "cannot list the API groups");
            return before.clone();
        }
    };
    let serves = |name: &str, version: &str| {
        let group = groups.iter().find(|group| group.name == name);
        group.is_some_and(|group| group.versions.iter().any(|known| known.version == version))
    };
    let has = async |group: &str, version: &str, kind: &str, before: bool| {
        if !serves(group, version) {
            return false;
        }
        match client.list_api_group_resources(&format!("{group}/{version}")).await {
            Ok(list) => list.resources.iter().any(|resource| resource.kind == kind),
            Err(kube::Error::Api(status)) if status.code == 404 => false,
            Err(error) => {
                debug!(%error, group, "cannot list an API group");
                before
            }
        }
    };
    Capabilities {
        http_routes: has("gateway.networking.k8s.io", "v1", "HTTPRoute", before.http_routes).await,
        grpc_routes: has("gateway.networking.k8s.io", "v1", "GRPCRoute", before.grpc_routes).await,
        keda: has("keda.sh", "v1alpha1", "ScaledObject", before.keda).await,
        custom_metrics: groups.iter().any(|group| group.name == "custom.metrics.k8s.io"),
    }
}

/// Logs the optional APIs.
pub fn log(capabilities: &Capabilities) {
    let Capabilities { http_routes, grpc_routes, keda, custom_metrics } = capabilities;
    info!(http_routes, grpc_routes, keda, custom_metrics, "the cluster's APIs");
}
