//! Who pods are.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::{Workload, labels};

/// The identity of all pods. It carries no token: a page's pod that follows traffic asks for one itself.
pub(super) fn service_account(workload: &Workload<'_>) -> ServiceAccount {
    ServiceAccount {
        metadata: labels::metadata(workload, workload.name(), ""),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
