//! The identity of pods.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::{Workload, labels};

/// The identity of all pods. It mounts no token: the pods of a page that follow traffic ask for one themselves.
pub(super) fn service_account(workload: &Workload<'_>) -> ServiceAccount {
    ServiceAccount {
        metadata: labels::metadata(workload, workload.name(), ""),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
