//! Who holds a Lease: the name of a process and, if it runs in a pod, the pod. A pod that is gone proves that its process has ended.

use std::{fmt, str::FromStr};

use k8s_openapi::api::core::v1::Pod;

/// The pod of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolderPod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its identity. A later pod of the same name has another one.
    pub uid: String,
}

/// The text names no pod.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} names no pod: write NAMESPACE/NAME/UID")]
pub struct NoPod(String);

impl FromStr for HolderPod {
    type Err = NoPod;

    fn from_str(text: &str) -> Result<Self, NoPod> {
        match *text.split('/').collect::<Vec<_>>() {
            [namespace, name, uid] if [namespace, name, uid].iter().all(|part| !part.is_empty()) => {
                Ok(Self { namespace: namespace.into(), name: name.into(), uid: uid.into() })
            }
            _ => Err(NoPod(text.into())),
        }
    }
}

impl fmt::Display for HolderPod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.namespace, self.name, self.uid)
    }
}

impl HolderPod {
    /// The pod that a Lease names beside its holder. A holder outside a pod, or of another version, names none.
    pub fn of(holder: &str) -> Option<Self> {
        holder.rsplit_once('@')?.1.parse().ok()
    }

    /// Whether no process of this pod runs any more, where the API server has `found` under its name.
    pub fn has_ended(&self, found: Option<&Pod>) -> bool {
        let Some(pod) = found else { return true };
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        pod.metadata.uid.as_ref() != Some(&self.uid) || matches!(phase, Some("Succeeded" | "Failed"))
    }
}

/// The holder as a Lease names it.
pub fn holder(identity: &str, pod: Option<&HolderPod>) -> String {
    pod.map_or_else(|| identity.to_owned(), |pod| format!("{identity}@{pod}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_holder_that_names_its_pod_can_be_found_gone() {
        let pod: HolderPod = "marquee-system/operator-0/1-2".parse().unwrap();
        assert_eq!(holder("operator-0_ab", Some(&pod)), "operator-0_ab@marquee-system/operator-0/1-2");
        #[rustfmt::skip]
        let cases = [
            ("in a pod",                   holder("operator-0_ab", Some(&pod)),      Some(pod)),
            ("outside a pod",              holder("operator-0_ab", None),            None),
            ("released",                   String::new(),                            None),
            ("half a pod",                 "operator-0_ab@marquee-system/x".into(),  None),
            ("a pod without an identity",  "operator-0_ab@marquee-system/x/".into(), None),
        ];
        for (why, holder, expected) in cases {
            assert_eq!(HolderPod::of(&holder), expected, "{why}");
        }
    }

    #[test]
    fn a_process_has_ended_with_its_pod() {
        let holder: HolderPod = "n/operator-0/1".parse().unwrap();
        let pod = |uid: &str, phase: &str| -> Option<Pod> {
            serde_json::from_value(json!({"metadata": {"uid": uid}, "status": {"phase": phase}})).unwrap()
        };
        #[rustfmt::skip]
        let cases = [
            ("the pod is gone",                   None,                  true),
            ("it runs",                           pod("1", "Running"),   false),
            ("it is starting",                    pod("1", "Pending"),   false),
            ("its node does not answer",          pod("1", "Unknown"),   false),
            ("it was evicted",                    pod("1", "Failed"),    true),
            ("another pod has its name",          pod("2", "Running"),   true),
        ];
        for (why, found, ended) in cases {
            assert_eq!(holder.has_ended(found.as_ref()), ended, "{why}");
        }
    }
}
