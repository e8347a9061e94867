//! Converts objects from the API server to a traffic plan. Pure.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use marquee_crds::{RankingModel, names, pod_config::older};

use crate::rankers::{Target, TrafficPlan};

/// The label of an EndpointSlice that names its Service.
pub(super) const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// The traffic plan for pages of `surfaces`: the revisions in the status of their models, with the pods from EndpointSlices.
/// If two models claim one objective, the older model gets it.
pub fn plan<'a>(
    models: impl IntoIterator<Item = &'a RankingModel>,
    slices: impl IntoIterator<Item = &'a EndpointSlice>,
    surfaces: &BTreeSet<String>,
) -> TrafficPlan {
    let addresses = by_service(slices);
    let mut holders: BTreeMap<&str, &RankingModel> = BTreeMap::new();
    for model in models.into_iter().filter(|model| surfaces.contains(&model.spec.surface)) {
        let holder = holders.entry(&model.spec.objective).or_insert(model);
        if older(&model.metadata, &holder.metadata).is_lt() {
            *holder = model;
        }
    }
    let targets = |model: &RankingModel| {
        let traffic = model.status.iter().flat_map(|status| &status.traffic);
        let targets = traffic.map(|target| {
            let service = target.endpoint.split(['.', ':']).next().unwrap_or_default();
            Target {
                revision: target.revision.as_str().into(),
                weight: u32::try_from(target.weight).unwrap_or(0),
                addresses: addresses
                    .get(service)
                    .map(|found| found.iter().cloned().collect())
                    .unwrap_or_default(),
            }
        });
        targets.collect()
    };
    let objectives = holders.iter().map(|(objective, model)| ((*objective).to_owned(), targets(model)));
    TrafficPlan { objectives: objectives.collect() }
}

/// Addresses (`host:port`) of all pods that accept requests, by Service.
fn by_service<'a>(
    slices: impl IntoIterator<Item = &'a EndpointSlice>,
) -> BTreeMap<&'a str, BTreeSet<String>> {
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for slice in slices {
        let service = slice.metadata.labels.as_ref().and_then(|labels| labels.get(SERVICE_NAME));
        let Some(service) = service else { continue };
        let port =
            slice.ports.iter().flatten().find(|port| port.name.as_deref() == Some(names::GRPC_PORT_NAME));
        let port = port.and_then(|port| port.port).unwrap_or(names::GRPC_PORT);
        let takes = slice.endpoints.iter().flatten().filter(|endpoint| takes_requests(endpoint));
        let addresses = takes.filter_map(|endpoint| endpoint.addresses.first());
        let is_v6 = slice.address_type == "IPv6";
        let addresses =
            addresses.map(|host| if is_v6 { format!("[{host}]:{port}") } else { format!("{host}:{port}") });
        found.entry(service).or_default().extend(addresses);
    }
    found
}

/// Whether a pod accepts new requests: it is ready and not terminating. Kubernetes treats a missing condition as ready.
fn takes_requests(endpoint: &Endpoint) -> bool {
    let Some(conditions) = &endpoint.conditions else { return true };
    conditions.ready.unwrap_or(true) && !conditions.terminating.unwrap_or(false)
}

#[cfg(test)]
mod tests;
