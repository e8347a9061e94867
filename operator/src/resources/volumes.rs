//! The volumes of pods.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{
        ConfigMapVolumeSource, EmptyDirVolumeSource, PersistentVolumeClaimVolumeSource, SecretVolumeSource,
        Volume, VolumeMount,
    },
    apimachinery::pkg::api::resource::Quantity,
};
use marquee_crds::{conditions::Reason, names, revision_name::RevisionName};

use super::Workload;
use crate::rollout::Finding;

/// Size of `/tmp`.
const TMP_SIZE: &str = "256Mi";
/// Size of the artifact cache if `resources.limits` has no `ephemeral-storage`. It equals the default of the runtime.
const CACHE_SIZE: &str = "64Gi";
/// Owner and group may read; no one may write.
const READ_ONLY_MODE: i32 = 0o440;
/// Every process of the pod may read. This is for clusters that choose the group of the pods or set none, so that the files belong to root.
const READ_BY_ALL_MODE: i32 = 0o444;

/// Why pods cannot mount what they need, and what to do.
pub fn problem(workload: &Workload<'_>) -> Option<Finding> {
    let artifacts = workload.artifacts();
    for (who, artifact) in &artifacts {
        if artifact.is_local() && artifact.volume.is_none() {
            let uri = &artifact.uri;
            let message = format!(
                "{who} is stored at {uri}, and a pod has no such folder: set artifact.volume to a PersistentVolumeClaim, or use a \
                 uri that can be fetched"
            );
            return Some(Finding { reason: Reason::VolumeMissing, message });
        }
    }
    let mut claims: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for (who, artifact) in &artifacts {
        let Some(volume) = &artifact.volume else { continue };
        let (first, claim) = *claims.entry(&volume.mount_path).or_insert((who, &volume.claim_name));
        if claim != volume.claim_name {
            let (path, other) = (&volume.mount_path, &volume.claim_name);
            let message = format!(
                "{first} mounts the claim {claim:?} at {path}, where {who} mounts {other:?}, and they run in one pod: give one of \
                 them another mountPath"
            );
            return Some(Finding { reason: Reason::VolumeConflict, message });
        }
    }
    None
}

/// The Secrets that pods need for their stores, each once.
pub fn secrets<'a>(workload: &'a Workload<'_>) -> Vec<&'a str> {
    let artifacts = workload.artifacts();
    let named = artifacts.iter().filter_map(|(_, artifact)| artifact.credentials.as_ref());
    let mut secrets: Vec<&str> = named.map(|credentials| credentials.secret_name.as_str()).collect();
    secrets.sort_unstable();
    secrets.dedup();
    secrets
}

/// Volumes of a pod, and their mounts in the container.
pub(super) fn volumes(
    workload: &Workload<'_>,
    revision: Option<&RevisionName>,
) -> (Vec<Volume>, Vec<VolumeMount>) {
    let mut volumes = vec![
        Volume {
            name: "config".into(),
            config_map: Some(ConfigMapVolumeSource {
                name: workload.config_map_name(revision),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        },
        scratch("cache", cache_size(workload)),
        scratch("tmp", TMP_SIZE),
    ];
    let mut mounts = vec![
        mount("config", names::CONFIG_FOLDER, Some(true)),
        mount("cache", names::CACHE_FOLDER, None),
        mount("tmp", "/tmp", None),
    ];
    let mode = if workload.settings.ids_from_cluster { READ_BY_ALL_MODE } else { READ_ONLY_MODE };
    // Numbered, because a Secret's name may be longer than a volume's.
    for (number, secret) in secrets(workload).into_iter().enumerate() {
        let name = format!("credentials-{number}");
        let folder = format!("{}/{secret}", names::CREDENTIALS_FOLDER);
        mounts.push(mount(&name, &folder, Some(true)));
        volumes.push(Volume {
            name,
            secret: Some(SecretVolumeSource {
                secret_name: Some(secret.into()),
                default_mode: Some(mode),
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        });
    }
    for (number, (claim, folders)) in claims(workload).into_iter().enumerate() {
        let name = format!("artifacts-{number}");
        mounts.extend(folders.into_iter().map(|folder| mount(&name, folder, Some(true))));
        volumes.push(Volume {
            name,
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: claim.into(),
                read_only: Some(true),
            }),
            ..Volume::default()
        });
    }
    (volumes, mounts)
}

/// The PersistentVolumeClaims that pods mount, each once.
pub fn claim_names<'a>(workload: &'a Workload<'_>) -> Vec<&'a str> {
    claims(workload).into_keys().collect()
}

/// Every claim once, with its mount paths.
fn claims<'a>(workload: &'a Workload<'_>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut claims: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (_, artifact) in workload.artifacts() {
        let Some(volume) = &artifact.volume else { continue };
        let folders = claims.entry(&volume.claim_name).or_default();
        if !folders.contains(&volume.mount_path.as_str()) {
            folders.push(&volume.mount_path);
        }
    }
    claims
}

fn cache_size<'a>(workload: &'a Workload<'_>) -> &'a str {
    workload.resources.limits.get("ephemeral-storage").map_or(CACHE_SIZE, |limit| &limit.0)
}

fn scratch(name: &str, size: &str) -> Volume {
    Volume {
        name: name.into(),
        empty_dir: Some(EmptyDirVolumeSource {
            size_limit: Some(Quantity(size.into())),
            ..EmptyDirVolumeSource::default()
        }),
        ..Volume::default()
    }
}

fn mount(name: &str, folder: &str, read_only: Option<bool>) -> VolumeMount {
    VolumeMount { name: name.into(), mount_path: folder.into(), read_only, ..VolumeMount::default() }
}
