//! The pods of a revision.

use k8s_openapi::{
    api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment},
    apimachinery::pkg::util::intstr::IntOrString,
};
use marquee_crds::revision_name::RevisionName;

use super::{Workload, labels, pod};

/// The Deployment that serves one revision.
///
/// Its pods never change, because a change makes another revision with its own Deployment. The strategy therefore matters only when a person
/// restarts the pods. `replicas` is unset if an autoscaler owns it, because setting it would undo the autoscaler's work.
pub(super) fn deployment(workload: &Workload<'_>, revision: &RevisionName, pods: i32) -> Deployment {
    let deadline = i32::try_from(workload.progress_deadline.0.as_secs()).unwrap_or(i32::MAX);
    Deployment {
        metadata: labels::metadata(workload, workload.revision_name(revision), Some(revision)),
        spec: DeploymentSpec {
            replicas: (!workload.replicas.is_autoscaled()).then_some(pods),
            selector: labels::selector(workload, Some(revision)),
            template: pod::template(workload, Some(revision)),
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".into()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_unavailable: Some(IntOrString::Int(0)),
                    max_surge: Some(IntOrString::Int(1)),
                }),
            }),
            // An older ReplicaSet of the same revision is not worth keeping.
            revision_history_limit: Some(1),
            progress_deadline_seconds: Some(deadline.max(1)),
            ..DeploymentSpec::default()
        },
        status: None,
    }
}
