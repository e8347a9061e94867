//! What the user can do if Kubernetes cannot create or run pods, from its message. Pure.

/// What to do if the API server refuses to create pods.
pub(super) fn of_refusal(said: &str) -> &'static str {
    let says = |part: &str| said.contains(part);
    if says("must specify") {
        "a quota of the namespace requires these fields: set them in resources"
    } else if says("exceeded quota") {
        "lower the requests in resources, or raise the quota (`kubectl get resourcequota`)"
    } else if says("PodSecurity") {
        "the namespace enforces a Pod Security level: ask its owner to admit these pods (label pod-security.kubernetes.io/enforce)"
    } else if says("admission webhook")
        || says("ValidatingAdmissionPolicy")
        || says("security context constraint")
    {
        "a policy of the cluster refuses these pods: change the fields that the message names, or ask the owner of the policy for an exception"
    } else if says("per Container") || says("per Pod") || says("limit to request ratio") {
        "a LimitRange of the namespace sets this bound: change resources to fit it, or change the LimitRange (`kubectl get limitrange`)"
    } else {
        "change the fields that the message names, or ask the owner of the namespace"
    }
}

/// Whether a pod is not scheduled because of a volume.
pub(super) fn is_of_volume(said: &str) -> bool {
    said.to_lowercase().contains("persistentvolumeclaim") || said.contains("persistent volumes to bind")
}

/// What to do if a pod waits for one of `claims`.
pub(super) fn of_claim(said: &str, claims: &[&str]) -> String {
    if said.contains("not found") {
        return "create the PersistentVolumeClaim in this namespace, or correct artifact.volume.claimName"
            .into();
    }
    match claims {
        [] => "`kubectl get pvc` shows the state of the claim".into(),
        [first, ..] => format!(
            "PersistentVolumeClaim {} is not bound to a volume: `kubectl get pvc {first}` shows its state, and `kubectl describe pvc \
             {first}` the reason",
            claims.join(", ")
        ),
    }
}

/// What to do if no node can run a pod: one mend for each cause that the scheduler names.
pub(super) fn of_scheduling(said: &str) -> String {
    #[rustfmt::skip]
    let causes = [
        ("Insufficient ",              "lower the requests in resources, or add nodes"),
        ("untolerated taint",          "add the taint to tolerations, or remove it from a node"),
        ("node affinity/selector",     "correct nodeSelector, or label a node"),
        ("topology spread",            "relax topologySpread, or add nodes in other zones"),
        ("were unschedulable",         "uncordon a node (`kubectl uncordon`)"),
        ("Too many pods",              "add nodes: the existing nodes run as many pods as they allow"),
    ];
    let mends: Vec<&str> =
        causes.into_iter().filter(|(cause, _)| said.contains(cause)).map(|(_, mend)| mend).collect();
    if mends.is_empty() {
        return "add nodes, or check resources, nodeSelector, tolerations and topologySpread".into();
    }
    mends.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_mend_of_its_own_cause() {
        #[rustfmt::skip]
        let cases = [
            ("pods \"m\" is forbidden: exceeded quota: q, requested: cpu=2, used: cpu=1, limited: cpu=2",             "raise the quota"),
            ("pods \"m\" is forbidden: failed quota: q: must specify limits.cpu for: runtime",                         "requires these fields"),
            ("pods \"m\" is forbidden: [maximum memory usage per Container is 1Gi, but limit is 4Gi]",                 "a LimitRange"),
            ("pods \"m\" is forbidden: minimum cpu usage per Pod is 500m, but request is 100m",                        "a LimitRange"),
            ("pods \"m\" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 4",    "a LimitRange"),
            ("pods \"m\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true",              "Pod Security level"),
            ("admission webhook \"validate.kyverno.svc\" denied the request: image is not signed",                     "a policy of the cluster"),
            ("pods \"m\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",             "a policy of the cluster"),
            ("pods \"m\" is forbidden: unable to validate against any security context constraint: []",                "a policy of the cluster"),
            ("pods \"m\" is forbidden: no PriorityClass with name high was found",                                     "change the fields that the message names, or ask the owner of the namespace"),
        ];
        for (said, part) in cases {
            assert!(of_refusal(said).contains(part), "{said}: {}", of_refusal(said));
        }
    }

    #[test]
    fn a_pod_that_no_node_runs_has_a_mend_for_each_cause() {
        #[rustfmt::skip]
        let cases = [
            ("0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {gpu: true}.", "lower the requests in resources, or add nodes; add the taint to tolerations, or remove it from a node"),
            ("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",              "correct nodeSelector, or label a node"),
            ("0/1 nodes are available: 1 node(s) were unschedulable.",                                     "uncordon a node (`kubectl uncordon`)"),
            ("0/2 nodes are available: 2 Too many pods.",                                                  "add nodes: the existing nodes run as many pods as they allow"),
            ("0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints.",           "relax topologySpread, or add nodes in other zones"),
            ("0/1 nodes are available: something new.",                                                    "add nodes, or check resources, nodeSelector, tolerations and topologySpread"),
        ];
        for (said, mend) in cases {
            assert_eq!(of_scheduling(said), mend, "{said}");
        }
    }

    #[test]
    fn a_claim_is_named_unless_the_message_names_it() {
        let unbound = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.";
        let no_volume =
            "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind.";
        let missing = "persistentvolumeclaim \"weights\" not found";
        assert!([unbound, no_volume, missing].into_iter().all(is_of_volume));
        assert!(!is_of_volume("0/1 nodes are available: 1 Insufficient cpu."));
        for said in [unbound, no_volume] {
            let mend = of_claim(said, &["weights"]);
            assert!(
                mend.starts_with("PersistentVolumeClaim weights is not bound")
                    && mend.contains("kubectl get pvc weights"),
                "{mend}"
            );
        }
        assert!(of_claim(missing, &["weights"]).starts_with("create the PersistentVolumeClaim"));
    }
}
