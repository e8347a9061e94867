//! Routes from outside the cluster, through Gateway API.

use marquee_crds::{names::GRPC_PORT, shared::Gateway};
use serde_json::{Value, json};

use super::{Workload, labels, service::PAGE_HTTP_PORT};

/// Routes HTTP to the page's Service.
pub(super) fn http(workload: &Workload<'_>, gateway: &Gateway) -> Value {
    route(workload, gateway, PAGE_HTTP_PORT)
}

/// Routes gRPC to the page's Service.
pub(super) fn grpc(workload: &Workload<'_>, gateway: &Gateway) -> Value {
    route(workload, gateway, GRPC_PORT)
}

/// A JSON value, because `k8s-openapi` has no types of Gateway API.
fn route(workload: &Workload<'_>, gateway: &Gateway, port: i32) -> Value {
    let mut spec = json!({
        "parentRefs": gateway.parent_refs,
        "rules": [{ "backendRefs": [{ "name": workload.name(), "port": port }] }],
    });
    if let (false, Some(members)) = (gateway.hostnames.is_empty(), spec.as_object_mut()) {
        members.insert("hostnames".into(), json!(gateway.hostnames));
    }
    json!({ "metadata": labels::metadata(workload, workload.name(), None), "spec": spec })
}
