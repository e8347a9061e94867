//! Finds out why pods are not ready, from what Kubernetes and the pods themselves report.

mod mends;

use k8s_openapi::jiff::Timestamp;
use marquee_crds::{conditions::Reason, revision_name::RevisionName};

use super::Revision;
use crate::observed::{Observed, PodFacts};

/// A pod may wait this long for its volumes before the wait counts as a problem.
const MOUNT_SECONDS: i64 = 15;

/// What keeps a revision's pods from being ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// One word.
    pub reason: Reason,
    /// Names the pod and the numbers, and says what to do.
    pub message: String,
}

impl Finding {
    /// Whether the cause is the artifact, or the place where it is stored.
    pub fn is_of_artifact(&self) -> bool {
        matches!(
            self.reason,
            Reason::ArtifactNotFound
                | Reason::AccessDenied
                | Reason::StoreUnreachable
                | Reason::StoreMisconfigured
                | Reason::ChecksumMismatch
                | Reason::ArtifactInvalid
                | Reason::ArtifactUnsupported
                | Reason::NotFinite
                | Reason::GoldenMismatch
                | Reason::DiskFull
                | Reason::VolumeMissing
                | Reason::VolumeConflict
                | Reason::SecretNotFound
                | Reason::ClaimNotFound
        )
    }
}

/// What the pods of a revision need and may lack.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs<'a> {
    /// Secrets that they mount.
    pub secrets: &'a [&'a str],
    /// PersistentVolumeClaims that they mount.
    pub claims: &'a [&'a str],
    /// Their memory limit, if they have one.
    pub memory: Option<&'a str>,
}

/// The most specific finding about the pods of a revision that are not ready; `None` if no problem is known.
pub fn diagnose(
    name: &RevisionName,
    revision: Option<&Revision>,
    observed: &Observed,
    needs: Needs<'_>,
    now: Timestamp,
) -> Option<Finding> {
    let is_of = |pod: &&PodFacts| pod.revision.as_ref() == Some(name);
    let pods = observed.pods.iter().filter(is_of).filter(|pod| !pod.ready && !pod.deleting);
    let mut found: Vec<(usize, &str, Finding)> = Vec::new();
    for pod in pods {
        if let Some((rank, finding)) = of_pod(pod, needs, now) {
            found.push((rank, &pod.name, finding));
        }
    }
    let refused = revision.and_then(|revision| revision.refused.as_ref()).map(|message| {
        let message =
            format!("pods of revision {name} cannot be created: {message}; {}", mends::of_refusal(message));
        (4, "", Finding { reason: Reason::PodRefused, message })
    });
    found.extend(refused);
    found.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
    found.into_iter().next().map(|(_, _, finding)| finding)
}

/// The finding about one pod, with its rank. The lowest rank is the most specific.
fn of_pod(pod: &PodFacts, needs: Needs<'_>, now: Timestamp) -> Option<(usize, Finding)> {
    let name = &pod.name;
    let found = |rank, reason, message| Some((rank, Finding { reason, message }));
    let waiting = pod.waiting.as_ref().map(|(reason, message)| (reason.as_str(), message.as_str()));
    if let Some(ended) = &pod.ended {
        if let Some(said) = &ended.said {
            return found(0, said.reason, format!("pod {name}: {}", said.message));
        }
        if ended.reason == "OOMKilled" {
            let limit = needs.memory.map_or_else(
                || "its node has left: raise resources.requests.memory, so that it runs where there is enough".to_owned(),
                |limit| format!("the {limit} that resources.limits allows: raise resources.limits.memory"),
            );
            return found(1, Reason::OutOfMemory, format!("pod {name} used more memory than {limit}"));
        }
    }
    match waiting {
        Some((
            "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull"
            | "ImageInspectError",
            said,
        )) => {
            let message = format!(
                "pod {name} cannot pull its image: {said}; check imagePullSecrets, and that the image exists (runtimeImage in the chart's values)"
            );
            return found(2, Reason::ImageNotPulled, message);
        }
        Some(("CreateContainerConfigError", said)) if said.contains("secret") => {
            let message = format!(
                "pod {name} cannot start: {said}; create the Secret in this namespace, or correct its name"
            );
            return found(3, Reason::SecretNotFound, message);
        }
        Some(("CreateContainerConfigError" | "CreateContainerError" | "RunContainerError", said)) => {
            let message =
                format!("pod {name} cannot start: {said}; `kubectl describe pod {name}` shows more");
            return found(3, Reason::PodCrashed, message);
        }
        _ => {}
    }
    if let Some(said) = pod.unschedulable.as_deref().map(|said| said.trim_end_matches('.')) {
        if mends::is_of_volume(said) {
            let mend = mends::of_claim(said, needs.claims);
            return found(
                3,
                Reason::ClaimNotFound,
                format!("pod {name} waits for its volume: {said}; {mend}"),
            );
        }
        let message = format!("no node can run pod {name}: {said}; {}", mends::of_scheduling(said));
        return found(5, Reason::Unschedulable, message);
    }
    let waited = pod.created.map_or(0, |created| now.as_second().saturating_sub(created.as_second()));
    if let ([first, ..], true) = (needs.secrets, pod.mounting && waited >= MOUNT_SECONDS) {
        let all = needs.secrets.join(", ");
        let message = format!(
            "pod {name} cannot mount its volumes: most likely the Secret {all} is not in this namespace; create it, or correct \
             artifact.credentials.secretName (`kubectl get secret {first}`)"
        );
        return found(3, Reason::SecretNotFound, message);
    }
    if let Some(ended) = &pod.ended {
        let (code, reason) = (ended.exit_code, &ended.reason);
        let (restarts, previous) = match pod.restarts {
            0 => (String::new(), ""),
            1 => ("; it was restarted once".into(), " --previous"),
            n => (format!("; it was restarted {n} times"), " --previous"),
        };
        let message = format!(
            "pod {name} ended with exit code {code} ({reason}) and gave no reason{restarts}: read `kubectl logs {name}{previous}`"
        );
        return found(6, Reason::PodCrashed, message);
    }
    if let Some(("CrashLoopBackOff", said)) = waiting {
        return found(
            6,
            Reason::PodCrashed,
            format!("pod {name} crashes repeatedly: {said}; read `kubectl logs {name}`"),
        );
    }
    if pod.mounting && waited >= MOUNT_SECONDS {
        let message = format!(
            "pod {name} waits for its volumes or its network: `kubectl describe pod {name}` shows the reason"
        );
        return found(7, Reason::RevisionStarting, message);
    }
    let loading = pod.loading.as_ref()?;
    let total =
        if loading.total_bytes > 0 { format!(" of {}", size(loading.total_bytes)) } else { String::new() };
    let message = format!(
        "pod {name} has loaded {}{total} of its artifacts in {} s",
        size(loading.bytes),
        loading.seconds
    );
    found(8, Reason::ArtifactLoading, message)
}

/// The number of seconds until the wait of a pod counts as a problem, so that the operator diagnoses it then.
pub fn due_after(observed: &Observed, revision: &RevisionName, now: Timestamp) -> Option<u64> {
    let is_of = |pod: &&PodFacts| pod.revision.as_ref() == Some(revision);
    let waiting = observed.pods.iter().filter(is_of).filter(|pod| pod.mounting && !pod.deleting);
    let left = waiting.filter_map(|pod| {
        let waited = now.as_second().saturating_sub(pod.created?.as_second());
        u64::try_from(MOUNT_SECONDS.saturating_sub(waited)).ok().filter(|left| *left > 0)
    });
    left.min()
}

/// A number of bytes with its unit.
fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        // In tenths, without a floating point number.
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests;
