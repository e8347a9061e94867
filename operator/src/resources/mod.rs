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
pub(crate) use revision::digest;
pub use revision::revision;
pub use volumes::{problem, secrets};
pub use workload::{Part, Workload};

use crate::{
    child::{Child, ChildKind},
    observed::Observed,
};

/// Children that `of` has whatever its revisions. Its Services lead to the pods of `answering`; a policy lets pods fetch from
/// stores where `remote`.
pub fn once(of: &Workload<'_>, answering: &str, remote: bool) -> Vec<Child> {
    let mut children = vec![
        Child::new(ChildKind::ServiceAccount, of.name(), &service_account::service_account(of)),
        Child::new(ChildKind::NetworkPolicy, of.name(), &network_policy::network_policy(of, remote)),
        Child::new(ChildKind::Service, of.name(), &service::service(of, answering)),
        Child::new(ChildKind::PodDisruptionBudget, of.name(), &pdb::pdb(of)),
    ];
    if of.follows_traffic() {
        children.push(Child::new(ChildKind::RoleBinding, of.name(), &role_binding::role_binding(of)));
    }
    if let Some(gateway) = of.gateway {
        if of.capabilities.http_routes {
            children.push(Child::new(ChildKind::HttpRoute, of.name(), &route::http(of, gateway)));
        }
        if of.capabilities.grpc_routes {
            children.push(Child::new(ChildKind::GrpcRoute, of.name(), &route::grpc(of, gateway)));
        }
    }
    children.into_iter().flatten().collect()
}

/// Children of one revision of `of`, for which at least `pods` are asked for.
pub fn of_revision(of: &Workload<'_>, revision: &str, pods: i32, observed: &Observed) -> Vec<Child> {
    let name = of.revision_name(revision);
    let mut children = vec![
        Child::new(ChildKind::ConfigMap, &name, &config_map::config_map(of, revision)),
        Child::new(ChildKind::Deployment, &name, &deployment::deployment(of, revision, pods)),
    ];
    if of.part == Part::Ranker {
        children.push(Child::new(ChildKind::Service, &name, &service::of_revision(of, revision)));
    }
    let stands = |kind| observed.children.iter().any(|child| child.kind == kind && child.name == name);
    // Two autoscalers of one Deployment pull it two ways, and KEDA refuses to be the second: the other one goes first.
    match scaling(of) {
        Scaling::Fixed => {}
        Scaling::Autoscaler { .. } if stands(ChildKind::ScaledObject) => {}
        Scaling::Autoscaler { in_flight } => {
            let autoscaler = autoscaler::autoscaler(of, revision, pods, in_flight);
            children.push(Child::new(ChildKind::HorizontalPodAutoscaler, &name, &autoscaler));
        }
        Scaling::ScaledObject { .. } if stands(ChildKind::HorizontalPodAutoscaler) => {}
        Scaling::ScaledObject { in_flight, prometheus } => {
            let target = scaled_object::Target { in_flight, prometheus };
            let object = scaled_object::scaled_object(of, revision, pods, &target);
            children.push(Child::new(ChildKind::ScaledObject, &name, &object));
        }
    }
    children.into_iter().flatten().collect()
}

/// What stands of a revision whose spec is gone and whose pods stay as they are.
pub fn kept(of: &Workload<'_>, revision: &str, observed: &Observed) -> Vec<Child> {
    let name = of.revision_name(revision);
    let standing = observed.children.iter().filter(|child| child.name == name && !child.deleting);
    standing.map(|child| Child::kept(child.kind, &name)).collect()
}
