//! Names of pods in the cluster's DNS.

use k8s_openapi::{
    api::core::v1::{Service, ServicePort, ServiceSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};
use marquee_crds::{
    names::{GRPC_PORT, GRPC_PORT_NAME, HTTP_PORT, HTTP_PORT_NAME},
    revision_name::RevisionName,
};

use super::{Component, Workload, labels};

/// Port of a page's Service for HTTP.
pub const PAGE_HTTP_PORT: i32 = 80;

/// The Service of all revisions. It selects the pods of the revision `answering`.
///
/// The Service of a model is headless, so that callers see its pods and balance over them. The Service of a page has an address, for
/// gateways.
pub(super) fn service(workload: &Workload<'_>, answering: &RevisionName) -> Service {
    match workload.component {
        Component::Ranker => headless(workload, workload.name(), None, answering),
        Component::Page => Service {
            metadata: labels::metadata(workload, workload.name(), None),
            spec: Some(ServiceSpec {
                type_: Some("ClusterIP".into()),
                selector: Some(labels::selected(workload, Some(answering))),
                ports: Some(ports(PAGE_HTTP_PORT)),
                ..ServiceSpec::default()
            }),
            ..Service::default()
        },
    }
}

/// The Service of one revision of a model: the endpoint in `status.traffic`.
pub(super) fn of_revision(workload: &Workload<'_>, revision: &RevisionName) -> Service {
    headless(workload, workload.revision_name(revision), Some(revision), revision)
}

fn headless(
    workload: &Workload<'_>,
    name: String,
    revision: Option<&RevisionName>,
    answering: &RevisionName,
) -> Service {
    Service {
        metadata: labels::metadata(workload, name, revision),
        spec: Some(ServiceSpec {
            type_: Some("ClusterIP".into()),
            cluster_ip: Some("None".into()),
            selector: Some(labels::selected(workload, Some(answering))),
            ports: Some(ports(HTTP_PORT)),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

/// Each port names its protocol for gateways and meshes, which would otherwise treat gRPC as plain TCP.
fn ports(http: i32) -> Vec<ServicePort> {
    let port = |name: &str, port: i32, protocol: &str| ServicePort {
        name: Some(name.into()),
        port,
        target_port: Some(IntOrString::String(name.into())),
        protocol: Some("TCP".into()),
        app_protocol: Some(protocol.into()),
        ..ServicePort::default()
    };
    vec![port(HTTP_PORT_NAME, http, "http"), port(GRPC_PORT_NAME, GRPC_PORT, "kubernetes.io/h2c")]
}
