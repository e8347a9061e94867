//! Location and checksum of an artifact.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::rules;

/// Location and checksum of an artifact.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.volume) || self.uri.startsWith('file://' + self.volume.mountPath + '/')")
    .message("uri is outside the volume: start uri with file:// and the volume's mountPath"))]
#[x_kube(validation = Rule::new("!has(self.credentials) || !self.uri.startsWith('file://')")
    .message("a file:// artifact needs no credentials: remove them"))]
#[x_kube(validation = Rule::new("has(self.sha256) || self.uri.startsWith('file://')")
    .message("sha256 is missing: only a file:// artifact may omit it; add the output of `marquee-runtime digest URI`"))]
pub struct ArtifactRef {
    /// The folder or object prefix that contains `marquee.json`: `file:///path`, `s3://bucket/prefix`, `gs://bucket/prefix`,
    /// `az://container/prefix` or `https://host/path`. It must not contain credentials, which everyone with read access to
    /// the resource could see, or a query.
    #[schemars(length(min = 8, max = 1024))]
    #[x_kube(validation = Rule::new("self.matches('^(file|s3|gs|az|https)://')")
        .message("uri has no supported scheme: start it with file://, s3://, gs://, az:// or https://"))]
    #[x_kube(validation = Rule::new("!self.startsWith('file://') || self.startsWith('file:///')")
        .message("uri is not an absolute path: write file:///path, with three slashes"))]
    #[x_kube(validation = Rule::new("!self.matches('^(s3|gs|az|https):///')")
        .message("uri names no bucket, container or host: write it after the two slashes"))]
    #[x_kube(validation = Rule::new("!self.matches('^[a-z0-9]+://[^/]*@')")
        .message("uri contains credentials, which everyone with read access to this resource could see: remove them"))]
    #[x_kube(validation = Rule::new("!self.matches('[?# ]|[[:cntrl:]]')")
        .message("uri contains a space, ? or #: name the folder itself, without a query"))]
    #[x_kube(validation = Rule::new("!self.matches('/[.][.]?(/|$)')")
        .message("uri contains . or .. as a folder: write the full path"))]
    pub uri: String,
    /// SHA-256 of `marquee.json` in 64 lower-case hex digits, as `marquee-runtime digest` prints it. It covers every file of
    /// the artifact. Required except for `file://`, where an artifact without it is used without this check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[0-9a-f]{64}$')")
        .message("sha256 is not 64 lower-case hex digits: copy the output of `marquee-runtime digest URI`"))]
    pub sha256: Option<String>,
    /// A Secret in this namespace with credentials for the store, or with certificates of a private authority that signs for it.
    /// Without it, pods use their environment and their node's or workload's identity. A single process does the same, or reads
    /// the Secret from the folder that `--credentials` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// A volume claim with the artifact, for `file://` in a cluster. A single process reads the folder itself, or the one that
    /// `--volume` maps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<ArtifactVolume>,
}

impl ArtifactRef {
    /// Whether the uri is a folder of a file system.
    pub fn is_local(&self) -> bool {
        self.uri.starts_with("file://")
    }
}

/// A Secret with credentials for a store, and with certificates of the authority that signs for it.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// Name of the Secret. Its keys have the names of the environment variables of the store's own tools, e.g.
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT`, `GOOGLE_SERVICE_ACCOUNT_KEY`, `AZURE_STORAGE_ACCOUNT_KEY`.
    /// The key `ca.crt` has certificates (PEM) of authorities that pods trust for this artifact, beside those of the image; also
    /// for `https://`. A Secret with `ca.crt` alone leaves all other settings to the environment. A key that is not supported,
    /// such as `tls.key` or `AWS_PROFILE`, keeps the artifact from loading, and the message names it.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("secretName"))]
    pub secret_name: String,
}

/// A volume claim with artifacts.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactVolume {
    /// Name of the PersistentVolumeClaim. It is mounted read-only.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("claimName"))]
    pub claim_name: String,
    /// Folder where pods mount the volume. `uri` starts with `file://` and this folder.
    #[serde(default = "default_mount_path")]
    #[schemars(length(min = 2, max = 256))]
    #[x_kube(validation = Rule::new("self.matches('^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$')")
        .message("mountPath is not an absolute path: write it like /artifacts, without a slash at the end"))]
    #[x_kube(validation = Rule::new("!self.matches('^/(etc|proc|sys|dev|tmp|usr|bin|lib|lib64|var)(/|$)')")
        .message("mountPath hides a folder that the pod needs: choose another, such as /artifacts"))]
    pub mount_path: String,
}

fn default_mount_path() -> String {
    "/artifacts".into()
}
