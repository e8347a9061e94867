//! Where an artifact lies and what it must be.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Where an artifact lies, and the checksum that it must have.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.sha256) || self.uri.startsWith('file://')")
    .message("sha256 is missing: only a file:// artifact may go unpinned; add what `marquee-runtime digest URI` prints"))]
pub struct ArtifactRef {
    /// The folder or object prefix that holds `marquee.json`: `file:///path`, `s3://bucket/prefix`, `gs://bucket/prefix`,
    /// `az://container/prefix` or `https://host/path`. Without credentials, which everyone who may read the resource
    /// would see, and without a query.
    #[schemars(length(min = 8, max = 1024))]
    #[x_kube(validation = Rule::new("self.matches('^(file|s3|gs|az|https)://')")
        .message("uri has no scheme that can be fetched: begin it with file://, s3://, gs://, az:// or https://"))]
    #[x_kube(validation = Rule::new("!self.startsWith('file://') || self.startsWith('file:///')")
        .message("uri is no absolute path: write file:///path, with three slashes"))]
    #[x_kube(validation = Rule::new("!self.matches('^(s3|gs|az|https):///')")
        .message("uri names no bucket, container or host: write it after the two slashes"))]
    #[x_kube(validation = Rule::new("!self.matches('^[a-z0-9]+://[^/]*@')")
        .message("uri holds credentials, which everyone who may read this resource would see: leave them out"))]
    #[x_kube(validation = Rule::new("!self.matches('[?# ]|[[:cntrl:]]')")
        .message("uri holds a space, ? or #: name the folder itself, without a query"))]
    #[x_kube(validation = Rule::new("!self.matches('/[.][.]?(/|$)')")
        .message("uri holds . or .. as a folder: write the path that is meant"))]
    pub uri: String,
    /// SHA-256 of `marquee.json` in 64 lower-case hex digits, as `marquee-runtime digest` prints it. It covers every file
    /// of the artifact. Required for all but `file://`, where an artifact without it is taken as it lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[0-9a-f]{64}$')")
        .message("sha256 is not 64 lower-case hex digits: copy what `marquee-runtime digest URI` prints"))]
    pub sha256: Option<String>,
}
