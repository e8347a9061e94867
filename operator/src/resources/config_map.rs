//! The configuration of a revision's pods.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use marquee_crds::{labels::ARTIFACT, names, revision_name::RevisionName};

use super::{Workload, labels, revision};

/// The configuration of a revision's pods. It never changes, because the revision is a hash of it, so kubelets need not watch it.
pub(super) fn config_map(workload: &Workload<'_>, revision: &RevisionName) -> ConfigMap {
    let mut metadata = labels::metadata(workload, workload.revision_name(revision), Some(revision));
    metadata.annotations = Some(BTreeMap::from([(ARTIFACT.into(), workload.artifact_text())]));
    ConfigMap {
        metadata,
        immutable: Some(true),
        data: Some(BTreeMap::from([(names::CONFIG_KEY.into(), revision::config_text(workload))])),
        ..ConfigMap::default()
    }
}
