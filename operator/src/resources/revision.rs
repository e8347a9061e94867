//! The name of a revision: a hash of what its pods run.

use marquee_crds::{names::REVISION_DIGITS, pod_config::RankerConfig, revision_name::RevisionName};
use sha2::{Digest, Sha256};

use super::{Workload, pod};

/// The configuration, as pods read it.
pub(super) fn config_text(workload: &Workload<'_>) -> String {
    let mut text = serde_json::to_string_pretty(&workload.config).unwrap_or_default();
    text.push('\n');
    text
}

/// The revision that `workload` asks for: the first digits of the SHA-256 of pod template, configuration and the annotations of the
/// ServiceAccount, which clouds read when a pod starts. It does not depend on the number of pods. The configuration contains the name of the
/// resource, so that no two resources share a revision.
pub fn revision(workload: &Workload<'_>) -> RevisionName {
    let template = serde_json::to_vec(&pod::template(workload, None)).unwrap_or_default();
    let config = config_text(workload);
    let annotations = workload.account_annotations();
    if annotations.is_empty() {
        return digest(&[&template, config.as_bytes()]);
    }
    let annotations = serde_json::to_vec(&annotations).unwrap_or_default();
    digest(&[&template, config.as_bytes(), &annotations])
}

/// The revision of one model that runs in the pods of a page.
pub fn colocated_revision(config: &RankerConfig) -> RevisionName {
    digest(&[&serde_json::to_vec(config).unwrap_or_default()])
}

fn digest(parts: &[&[u8]]) -> RevisionName {
    let mut hash = Sha256::new();
    for part in parts {
        // The length distinguishes two parts from two other parts with the same bytes in all.
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let first = hash.finalize().iter().take(8).fold(0_u64, |first, byte| first << 8 | u64::from(*byte));
    let mut text = format!("{first:016x}");
    text.truncate(REVISION_DIGITS);
    text.into()
}
