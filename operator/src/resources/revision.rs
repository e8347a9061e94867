//! The name of a revision: a hash of what its pods run.

use std::fmt::Write as _;

use marquee_crds::{names::REVISION_DIGITS, pod_config::RankerConfig};
use sha2::{Digest, Sha256};

use super::{Workload, pod};

/// The configuration, as the pods read it.
pub(super) fn config_text(workload: &Workload<'_>) -> String {
    let mut text = serde_json::to_string_pretty(&workload.config).unwrap_or_default();
    text.push('\n');
    text
}

/// The revision that `workload` asks for: the first digits of the SHA-256 of pod template, configuration and the annotations of the
/// ServiceAccount, which clouds read when a pod starts. The number of pods is no part of it. The configuration contains the name of the resource, so that no two resources share a revision.
pub fn revision(workload: &Workload<'_>) -> String {
    let template = serde_json::to_vec(&pod::template(workload, "")).unwrap_or_default();
    let config = config_text(workload);
    let annotations = workload.account_annotations();
    if annotations.is_empty() {
        return digest(&[&template, config.as_bytes()]);
    }
    let annotations = serde_json::to_vec(&annotations).unwrap_or_default();
    digest(&[&template, config.as_bytes(), &annotations])
}

/// The revision of one model that runs in the pods of a page.
pub fn colocated_revision(config: &RankerConfig) -> String {
    digest(&[&serde_json::to_vec(config).unwrap_or_default()])
}

fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps two parts apart from two others with the same bytes.
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let mut text = String::new();
    for byte in hash.finalize().iter().take(REVISION_DIGITS / 2) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
