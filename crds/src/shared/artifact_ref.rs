//! Where an artifact lies and what it must be.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Where an artifact lies, and the checksum that it must have.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.sha256) || self.uri.startsWith('file://')")
    .message("sha256 is missing: only file:// artifacts may go unpinned; add the line that `marquee-runtime digest URI` prints"))]
pub struct ArtifactRef {
    /// Folder or object prefix that holds `marquee.json`: `file:///path`, `s3://bucket/prefix`, `gs://bucket/prefix`,
    /// `az://container/prefix` or `https://host/path`.
    #[schemars(length(min = 8, max = 1024), regex(pattern = r"^(file|s3|gs|az|https)://[^\s]+$"))]
    pub uri: String,
    /// SHA-256 of `marquee.json`, in 64 lower-case hex digits. It covers every file of the artifact. Required but for `file://`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub sha256: Option<String>,
}
