//! The connections that pods may have.

use k8s_openapi::{
    api::networking::v1::{
        NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
        NetworkPolicyPort, NetworkPolicySpec,
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};
use marquee_crds::{
    labels::{COMPONENT, NAME},
    names,
};

use super::{Component, Workload, labels};

/// Ports of API servers behind the Service `kubernetes`, as distributions use them. A policy applies to the port of the server itself, which
/// the cluster chooses.
const API_SERVER_PORTS: [i32; 4] = [443, 6443, 8443, 16443];
const DNS_PORT: i32 = 53;

/// Allows the connections below, and refuses all others in both directions.
///
/// HTTP is open to all, because probes, metrics and the operator come from other namespaces. The gRPC of a model is open to its namespace,
/// where pages and other callers run; the gRPC of a page is open to all, because gateways run elsewhere. Pods that fetch artifacts may reach
/// any TCP port: stores have many addresses.
pub(super) fn network_policy(workload: &Workload<'_>, remote: bool) -> NetworkPolicy {
    let grpc_from = match workload.component {
        Component::Ranker => Some(vec![pods(LabelSelector::default())]),
        Component::Page => None,
    };
    let ingress = vec![
        NetworkPolicyIngressRule { from: None, ports: Some(vec![port("TCP", names::HTTP_PORT)]) },
        NetworkPolicyIngressRule { from: grpc_from, ports: Some(vec![port("TCP", names::GRPC_PORT)]) },
    ];
    let to_any = |ports| NetworkPolicyEgressRule { to: None, ports: Some(ports) };
    let mut egress = vec![to_any(vec![port("UDP", DNS_PORT), port("TCP", DNS_PORT)])];
    if workload.follows_traffic() {
        egress.push(to_any(API_SERVER_PORTS.map(|number| port("TCP", number)).into()));
        let rankers = [(NAME, marquee_crds::labels::MARQUEE), (COMPONENT, marquee_crds::labels::RANKER)];
        let rankers = rankers.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        egress.push(NetworkPolicyEgressRule {
            to: Some(vec![pods(LabelSelector { match_labels: Some(rankers), ..LabelSelector::default() })]),
            ports: Some(vec![port("TCP", names::GRPC_PORT)]),
        });
    }
    if remote {
        egress.push(to_any(vec![NetworkPolicyPort {
            protocol: Some("TCP".into()),
            ..NetworkPolicyPort::default()
        }]));
    }
    NetworkPolicy {
        metadata: labels::metadata(workload, workload.name(), None),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(labels::selector(workload, None)),
            policy_types: Some(vec!["Ingress".into(), "Egress".into()]),
            ingress: Some(ingress),
            egress: Some(egress),
        }),
    }
}

fn pods(selector: LabelSelector) -> NetworkPolicyPeer {
    NetworkPolicyPeer { pod_selector: Some(selector), ..NetworkPolicyPeer::default() }
}

fn port(protocol: &str, number: i32) -> NetworkPolicyPort {
    NetworkPolicyPort {
        protocol: Some(protocol.into()),
        port: Some(IntOrString::Int(number)),
        end_port: None,
    }
}
