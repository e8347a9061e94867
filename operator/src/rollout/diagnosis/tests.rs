use k8s_openapi::jiff::Timestamp;
use marquee_crds::{conditions::Reason, termination::Termination};

use super::{Finding, Needs, diagnose, due_after, size};
use crate::{
    observed::{Ended, Loading, Observed, PodFacts},
    rollout::Revision,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn pod(name: &str) -> PodFacts {
    PodFacts { name: name.into(), revision: Some("r".into()), created: Some(at(100)), ..PodFacts::default() }
}

fn ended(reason: &str, exit_code: i32, said: Option<Termination>) -> Option<Ended> {
    Some(Ended { exit_code, reason: reason.into(), said, at: None })
}

fn waits(reason: &str, message: &str) -> Option<(String, String)> {
    Some((reason.into(), message.into()))
}

fn find(pods: Vec<PodFacts>, second: i64) -> Option<Finding> {
    let observed = Observed { pods, ..Observed::default() };
    let needs = Needs { secrets: &["s3-keys"], claims: &["weights"], memory: Some("512Mi") };
    diagnose(&"r".into(), None, &observed, needs, at(second))
}

#[test]
fn what_keeps_a_pod_from_being_ready_has_one_word_and_a_mend() {
    let said = Termination { reason: Reason::NotFinite, message: "tensor \"b\" holds NaN".into() };
    let loading = Loading { bytes: 3 << 20, total_bytes: 10 << 20, seconds: 4 };
    let unschedulable = |text: &str| PodFacts { unschedulable: Some(text.into()), ..pod("p") };
    #[rustfmt::skip]
    let cases = [
        // why                                  pod                                                                               reason                    the message holds
        ("it said so itself",                   PodFacts { ended: ended("Error", 1, Some(said)), ..pod("p") },                    Reason::NotFinite,        "tensor \"b\" holds NaN"),
        ("it used too much memory",             PodFacts { ended: ended("OOMKilled", 137, None), ..pod("p") },                    Reason::OutOfMemory,      "512Mi that resources.limits allows: raise resources.limits.memory"),
        ("its image is not there",              PodFacts { waiting: waits("ImagePullBackOff", "not found"), ..pod("p") },         Reason::ImageNotPulled,   "imagePullSecrets"),
        ("a Secret of its environment",         PodFacts { waiting: waits("CreateContainerConfigError", "secret \"x\" not found"), ..pod("p") }, Reason::SecretNotFound, "secret \"x\" not found; create the Secret"),
        ("its volumes do not come",             PodFacts { mounting: true, ..pod("p") },                                          Reason::SecretNotFound,   "most likely the Secret s3-keys is not in this namespace"),
        ("its claim is not there",              unschedulable("persistentvolumeclaim \"weights\" not found"),                     Reason::ClaimNotFound,    "create the PersistentVolumeClaim"),
        ("no node has room",                    unschedulable("0/3 nodes: Insufficient cpu"),                                     Reason::Unschedulable,    "Insufficient cpu; lower the requests in resources"),
        ("it ended without a word",             PodFacts { ended: ended("Error", 139, None), restarts: 4, ..pod("p") },           Reason::PodCrashed,       "exit code 139 (Error) and gave no reason; it was restarted 4 times: read `kubectl logs p --previous`"),
        ("it ended, and runs no more",          PodFacts { ended: ended("Error", 1, None), ..pod("p") },                          Reason::PodCrashed,       "exit code 1 (Error) and gave no reason: read `kubectl logs p`"),
        ("its claim is not bound",              unschedulable("pod has unbound immediate PersistentVolumeClaims"),                Reason::ClaimNotFound,    "PersistentVolumeClaim weights is not bound"),
        ("it loads",                            PodFacts { loading: Some(loading), ..pod("p") },                                  Reason::ArtifactLoading,  "3.0 MiB of 10.0 MiB of its artifacts in 4 s"),
    ];
    for (why, pod, reason, part) in cases {
        let found = find(vec![pod], 200).unwrap_or_else(|| panic!("{why}: nothing found"));
        assert_eq!(found.reason, reason, "{why}");
        assert!(found.message.contains(part), "{why}: {}", found.message);
    }
}

#[test]
fn pods_that_are_ready_or_going_or_of_another_revision_give_no_finding() {
    let crashed = || PodFacts { ended: ended("Error", 1, None), ..pod("p") };
    #[rustfmt::skip]
    let cases = [
        ("it is ready",                     PodFacts { ready: true, ..crashed() }),
        ("it is going",                     PodFacts { deleting: true, ..crashed() }),
        ("it is of another revision",       PodFacts { revision: Some("q".into()), ..crashed() }),
        ("it has just been made",           pod("p")),
    ];
    for (why, pod) in cases {
        assert_eq!(find(vec![pod], 105), None, "{why}");
    }
}

#[test]
fn the_pod_that_says_most_comes_first() {
    let said = Termination { reason: Reason::ChecksumMismatch, message: "weights differ".into() };
    let mismatch = PodFacts { ended: ended("Error", 1, Some(said)), ..pod("z") };
    let waiting = PodFacts { unschedulable: Some("no room".into()), ..pod("a") };
    assert_eq!(find(vec![waiting.clone(), mismatch.clone()], 200), find(vec![mismatch, waiting], 200));
}

#[test]
fn a_quota_that_refuses_pods_is_named() {
    let revision = Revision { refused: Some("exceeded quota: pods".into()), ..Revision::default() };
    let found =
        diagnose(&"r".into(), Some(&revision), &Observed::default(), Needs::default(), at(0)).unwrap();
    assert_eq!(found.reason, Reason::PodRefused);
    assert!(
        found.message.contains("exceeded quota: pods; lower the requests in resources, or raise the quota"),
        "{}",
        found.message
    );
}

#[test]
fn volumes_that_do_not_come_are_a_problem_after_a_while() {
    let mounting = PodFacts { mounting: true, ..pod("p") };
    assert_eq!(find(vec![mounting.clone()], 110), None, "that soon it says nothing");
    let observed = Observed { pods: vec![mounting], ..Observed::default() };
    assert_eq!(due_after(&observed, &"r".into(), at(110)), Some(5));
    assert_eq!(due_after(&observed, &"r".into(), at(120)), None);
    let without_secrets = diagnose(&"r".into(), None, &observed, Needs::default(), at(120)).unwrap();
    assert!(without_secrets.reason.is_progress(), "what it waits for is not known: a node may be slow");
    assert!(without_secrets.message.contains("kubectl describe pod p"), "{}", without_secrets.message);
}

#[test]
fn bytes_are_written_for_people() {
    for (bytes, text) in
        [(0, "0 B"), (1_536, "1.5 KiB"), (200 << 20, "200.0 MiB"), (u64::MAX, "17179869183.9 GiB")]
    {
        assert_eq!(size(bytes), text);
    }
}
