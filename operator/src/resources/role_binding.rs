//! The rights of pods at the API server.

use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef, Subject};

use super::{Workload, labels};

/// Lets the pods of a page follow the traffic of the models in the namespace. The page's own account keeps this right if the spec names
/// another account, because the pods of earlier revisions use it.
pub(super) fn role_binding(workload: &Workload<'_>) -> RoleBinding {
    let mut accounts = vec![workload.name(), workload.service_account()];
    accounts.dedup();
    let subject = |name| Subject {
        kind: "ServiceAccount".into(),
        name,
        namespace: Some(workload.namespace.clone()),
        ..Subject::default()
    };
    let (role, is_cluster_role) = &workload.settings.page_reader;
    RoleBinding {
        metadata: labels::metadata(workload, workload.name(), None),
        role_ref: RoleRef {
            api_group: Some("rbac.authorization.k8s.io".into()),
            kind: if *is_cluster_role { "ClusterRole" } else { "Role" }.into(),
            name: role.clone(),
        },
        subjects: Some(accounts.into_iter().map(subject).collect()),
    }
}
