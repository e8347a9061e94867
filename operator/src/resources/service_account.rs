//! The identity of pods.

use k8s_openapi::api::core::v1::ServiceAccount;

use kube::core::ObjectMeta;

use super::{Workload, labels};

/// The identity of the pods, unless the spec names another account. It mounts no token: the pods of a page that follow traffic ask for one
/// themselves. It remains if the spec names another account, because the pods of earlier revisions use it.
pub(super) fn service_account(workload: &Workload<'_>) -> ServiceAccount {
    let annotations = workload.account_annotations();
    ServiceAccount {
        metadata: ObjectMeta {
            annotations: (!annotations.is_empty()).then_some(annotations),
            ..labels::metadata(workload, workload.name(), None)
        },
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
