//! Converts objects from the API server to a traffic plan. Pure.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use marquee_crds::{RankingModel, names, pod_config::older};

use crate::rankers::{Target, TrafficPlan};

/// The label of an EndpointSlice that names its Service.
pub(super) const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// The traffic plan for pages of `surfaces`: the revisions in the status of their models, with the pods from EndpointSlices.
/// If two models claim one objective, the older model gets it. While the older one is being deleted, the next one gets it as soon
/// as it has traffic, so that a hand-over leaves no gap.
pub fn plan<'a>(
    models: impl IntoIterator<Item = &'a RankingModel>,
    slices: impl IntoIterator<Item = &'a EndpointSlice>,
    surfaces: &BTreeSet<String>,
) -> TrafficPlan {
    let addresses = by_service(slices);
    let mut claimants: BTreeMap<&str, Vec<&RankingModel>> = BTreeMap::new();
    for model in models.into_iter().filter(|model| surfaces.contains(&model.spec.surface)) {
        claimants.entry(&model.spec.objective).or_default().push(model);
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
    let objectives = claimants
        .iter()
        .filter_map(|(objective, all)| Some(((*objective).to_owned(), targets(holder(all)?))));
    TrafficPlan { objectives: objectives.collect() }
}

/// The one of these models that answers for their objective.
fn holder<'a>(claimants: &[&'a RankingModel]) -> Option<&'a RankingModel> {
    let oldest = |models: &mut dyn Iterator<Item = &'a RankingModel>| {
        models.min_by(|one, other| older(&one.metadata, &other.metadata))
    };
    let is_leaving = |model: &RankingModel| model.metadata.deletion_timestamp.is_some();
    let has_traffic = |model: &RankingModel| {
        model.status.iter().flat_map(|status| &status.traffic).any(|target| target.weight > 0)
    };
    let first = oldest(&mut claimants.iter().copied())?;
    let mut heirs = claimants.iter().copied().filter(|model| !is_leaving(model) && has_traffic(model));
    let heir = is_leaving(first).then(|| oldest(&mut heirs)).flatten();
    Some(heir.unwrap_or(first))
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
