//! The number of pods that may be evicted at once.

use k8s_openapi::{
    api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::{Workload, labels};

/// Allows the eviction of one pod at a time if there are always several. The last ready pod is never evicted: the drain of its node waits
/// until another pod is ready elsewhere. Pods that are not ready may always be evicted; otherwise a pod that cannot start would block the
/// drain.
pub(super) fn pdb(workload: &Workload<'_>) -> PodDisruptionBudget {
    let one = Some(IntOrString::Int(1));
    let (max_unavailable, min_available) = if workload.replicas.min >= 2 { (one, None) } else { (None, one) };
    PodDisruptionBudget {
        metadata: labels::metadata(workload, workload.name(), None),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable,
            min_available,
            selector: Some(labels::selector(workload, None)),
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".into()),
        }),
        status: None,
    }
}
