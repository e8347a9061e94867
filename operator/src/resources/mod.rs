//! Pure builders, one child kind a file: a resource in, a child object out.
//!
//! [`Workload`] is what both kinds have in common, in the terms of Kubernetes. [`once`] builds the children that a parent has whatever
//! its revisions, [`of_revision`] those of one revision.

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
pub use volumes::{problem, secrets};
pub use workload::{Component, Workload};

use crate::{
    child::{Child, ChildKind},
    observed::Observed,
};

/// Children that `workload` has whatever its revisions. Its Services lead to the pods of `answering`; a policy lets pods fetch from
/// stores where `remote`.
pub fn once(workload: &Workload<'_>, answering: &str, remote: bool) -> Vec<Child> {
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

/// Children of one revision of `workload`, for which at least `pods` are asked for.
pub fn of_revision(workload: &Workload<'_>, revision: &str, pods: i32, observed: &Observed) -> Vec<Child> {
    let name = workload.revision_name(revision);
    let mut children = vec![
        Child::new(ChildKind::ConfigMap, &name, &config_map::config_map(workload, revision)),
        Child::new(ChildKind::Deployment, &name, &deployment::deployment(workload, revision, pods)),
    ];
    if workload.component == Component::Ranker {
        children.push(Child::new(ChildKind::Service, &name, &service::of_revision(workload, revision)));
    }
    let stands = |kind| observed.children.iter().any(|child| child.kind == kind && child.name == name);
    // Two autoscalers of one Deployment pull it two ways, and KEDA refuses to be the second: the other one goes first.
    match scaling(workload) {
        Scaling::Fixed => {}
        Scaling::Autoscaler { .. } if stands(ChildKind::ScaledObject) => {}
        Scaling::Autoscaler { in_flight } => {
            let autoscaler = autoscaler::autoscaler(workload, revision, pods, in_flight);
            children.push(Child::new(ChildKind::HorizontalPodAutoscaler, &name, &autoscaler));
        }
        Scaling::ScaledObject { .. } if stands(ChildKind::HorizontalPodAutoscaler) => {}
        Scaling::ScaledObject { in_flight, prometheus } => {
            let target = scaled_object::Target { in_flight, prometheus };
            let object = scaled_object::scaled_object(workload, revision, pods, &target);
            children.push(Child::new(ChildKind::ScaledObject, &name, &object));
        }
    }
    children.into_iter().flatten().collect()
}

/// What stands of a revision whose spec is gone and whose pods stay as they are.
pub fn kept(workload: &Workload<'_>, revision: &str, observed: &Observed) -> Vec<Child> {
    let name = workload.revision_name(revision);
    let standing = observed.children.iter().filter(|child| child.name == name && !child.deleting);
    standing.map(|child| Child::kept(child.kind, &name)).collect()
}
