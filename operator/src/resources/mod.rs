//! Pure builders, one file for each kind of child: each takes a workload and returns a child object.
//!
//! [`Workload`] is the common part of both kinds, in the terms of Kubernetes. [`once`] builds the children that a resource has once, and
//! [`of_revision`] builds those of each revision.

mod workload;

mod labels;

mod service_account;

mod config_map;

mod role_binding;

mod network_policy;

mod service;

mod pdb;

mod deployment;

mod pod;

mod volumes;

mod revision;

mod autoscaler;

mod scaled_object;

mod route;

pub use autoscaler::{Scaling, scaling};
pub use labels::{selector_text, text_of};
pub use revision::{colocated_revision, revision};
pub use volumes::{claim_names, problem, secrets};
pub use workload::{Component, Workload};

use marquee_crds::revision_name::RevisionName;

use crate::{
    child::{Child, ChildKind},
    observed::Observed,
};

/// The children that `workload` has once. Its Service selects the pods of the revision `answering`. Its policy lets pods fetch from stores if
/// `remote` is true.
pub fn once(workload: &Workload<'_>, answering: &RevisionName, remote: bool) -> Vec<Child> {
    let mut children = vec![
        Child::new(ChildKind::ServiceAccount, workload.name(), &service_account::service_account(workload)),
        Child::new(
            ChildKind::NetworkPolicy,
            workload.name(),
            &network_policy::network_policy(workload, remote),
        ),
        Child::new(ChildKind::Service, workload.name(), &service::service(workload, answering)),
        Child::new(ChildKind::PodDisruptionBudget, workload.name(), &pdb::pdb(workload)),
    ];
    if workload.follows_traffic() {
        children.push(Child::new(
            ChildKind::RoleBinding,
            workload.name(),
            &role_binding::role_binding(workload),
        ));
    }
    if let Some(gateway) = workload.gateway {
        if workload.capabilities.http_routes {
            children.push(Child::new(ChildKind::HttpRoute, workload.name(), &route::http(workload, gateway)));
        }
        if workload.capabilities.grpc_routes {
            children.push(Child::new(ChildKind::GrpcRoute, workload.name(), &route::grpc(workload, gateway)));
        }
    }
    children.into_iter().flatten().collect()
}

/// The children of one revision of `workload`, which asks for at least `pods` pods.
pub fn of_revision(
    workload: &Workload<'_>,
    revision: &RevisionName,
    pods: i32,
    observed: &Observed,
) -> Vec<Child> {
    let name = workload.revision_name(revision);
    let mut children = vec![
        Child::new(ChildKind::ConfigMap, &name, &config_map::config_map(workload, revision)),
        Child::new(ChildKind::Deployment, &name, &deployment::deployment(workload, revision, pods)),
    ];
    if workload.component == Component::Ranker {
        children.push(Child::new(ChildKind::Service, &name, &service::of_revision(workload, revision)));
    }
    let exists = |kind| observed.children.iter().any(|child| child.kind == kind && child.name == name);
    // Two autoscalers of one Deployment work against each other, and KEDA refuses to be the second. So the other one is deleted first.
    match scaling(workload) {
        Scaling::Fixed => {}
        Scaling::Autoscaler { .. } if exists(ChildKind::ScaledObject) => {}
        Scaling::Autoscaler { in_flight } => {
            let autoscaler = autoscaler::autoscaler(workload, revision, pods, in_flight);
            children.push(Child::new(ChildKind::HorizontalPodAutoscaler, &name, &autoscaler));
        }
        Scaling::ScaledObject { .. } if exists(ChildKind::HorizontalPodAutoscaler) => {}
        Scaling::ScaledObject { in_flight, prometheus } => {
            let object = scaled_object::scaled_object(workload, revision, pods, in_flight, prometheus);
            children.push(Child::new(ChildKind::ScaledObject, &name, &object));
        }
    }
    children.into_iter().flatten().collect()
}

/// The existing children of a revision that keeps its pods, although its spec is gone.
pub fn kept(workload: &Workload<'_>, revision: &RevisionName, observed: &Observed) -> Vec<Child> {
    let name = workload.revision_name(revision);
    let existing = observed.children.iter().filter(|child| child.name == name && !child.deleting);
    existing.map(|child| Child::kept(child.kind, &name)).collect()
}
