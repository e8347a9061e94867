//! Events in random order: traffic always goes to revisions that answer, and the decisions of an unchanged cluster come to rest.

use marquee_crds::{RankingModel, ranking_model::RankingModelStatus, revision_name::RevisionName};
use marquee_operator::{
    child::ChildKind,
    observed::{Capabilities, ChildState, Ended},
};
use proptest::prelude::*;
use serde_json::json;

use crate::cluster::{Cluster, Reconciled, model, reconcile_model, settings, stored};

/// What may happen to a model.
#[derive(Clone, Debug)]
enum Turn {
    Artifact(u8),
    Replicas(i32, Option<i32>),
    Unmount,
    MakePods,
    Ready(u8, bool),
    Crash(u8),
    Evict(u8),
    Load(u8, i32),
    DeleteDeployment(u8),
    LoseStatus,
    Wait(i64),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        3 => (0u8..4).prop_map(Turn::Artifact),
        1 => (1i32..4, prop::option::of(1i32..8)).prop_map(|(min, max)| Turn::Replicas(min, max)),
        1 => Just(Turn::Unmount),
        4 => Just(Turn::MakePods),
        6 => (any::<u8>(), any::<bool>()).prop_map(|(pod, ready)| Turn::Ready(pod, ready)),
        1 => any::<u8>().prop_map(Turn::Crash),
        2 => any::<u8>().prop_map(Turn::Evict),
        1 => (any::<u8>(), 1i32..8).prop_map(|(deployment, pods)| Turn::Load(deployment, pods)),
        1 => any::<u8>().prop_map(Turn::DeleteDeployment),
        1 => Just(Turn::LoseStatus),
        3 => (1i64..900).prop_map(Turn::Wait),
    ];
    prop::collection::vec(turn, 1..40)
}

fn happen(turn: &Turn, model: &mut RankingModel, cluster: &mut Cluster) {
    let pods = cluster.observed.pods.len().max(1);
    let pod = |n: u8| usize::from(n) % pods;
    match turn {
        Turn::Artifact(n) => model.spec.artifact.uri = format!("s3://models/{n}"),
        Turn::Unmount => model.spec.artifact.uri = "file:///nowhere".into(),
        Turn::Replicas(min, max) => {
            model.spec.serving.replicas.min = *min;
            model.spec.serving.replicas.max = *max;
        }
        Turn::MakePods => cluster.make_pods(),
        Turn::Ready(n, ready) => {
            if let Some(pod) = cluster.observed.pods.get_mut(pod(*n)) {
                pod.ready = *ready;
            }
        }
        Turn::Crash(n) => {
            if let Some(pod) = cluster.observed.pods.get_mut(pod(*n)) {
                pod.ready = false;
                pod.ended = Some(Ended { exit_code: 1, reason: "Error".into(), said: None, at: None });
            }
        }
        Turn::Evict(n) => {
            if cluster.observed.pods.get(pod(*n)).is_some() {
                cluster.observed.pods.remove(pod(*n));
            }
        }
        Turn::Load(n, pods) => {
            let deployments: Vec<_> = cluster
                .observed
                .children
                .iter_mut()
                .filter_map(|child| match &mut child.state {
                    ChildState::Deployment(facts) => Some(facts),
                    _ => None,
                })
                .collect();
            let count = deployments.len().max(1);
            if let Some(facts) = deployments.into_iter().nth(usize::from(*n) % count) {
                facts.wanted = *pods;
            }
        }
        Turn::DeleteDeployment(n) => {
            let deployments: Vec<RevisionName> =
                cluster.deployments().into_iter().map(|(revision, _)| revision).collect();
            if let Some(revision) = deployments.get(usize::from(*n) % deployments.len().max(1)) {
                let gone = |child: &marquee_operator::observed::ChildFacts| {
                    child.kind == ChildKind::Deployment && child.revision.as_ref() == Some(revision)
                };
                cluster.observed.children.retain(|child| !gone(child));
                cluster.observed.pods.retain(|pod| pod.revision.as_ref() != Some(revision));
            }
        }
        Turn::LoseStatus => model.status = None,
        Turn::Wait(seconds) => cluster.wait(*seconds),
    }
    model.metadata.generation = model.metadata.generation.map(|generation| generation + 1);
}

fn decide(model: &RankingModel, cluster: &Cluster) -> Reconciled<RankingModelStatus> {
    reconcile_model(model, &cluster.observed, &settings(), cluster.now)
}

/// Decides, writes and applies.
fn reconcile(model: &mut RankingModel, cluster: &mut Cluster) -> Reconciled<RankingModelStatus> {
    let decided = decide(model, cluster);
    model.status = Some(stored(&decided.status));
    cluster.apply(&decided.children);
    decided
}

fn check(decided: &Reconciled<RankingModelStatus>, before: &Cluster) -> Result<(), TestCaseError> {
    prop_assert_eq!(&stored(&decided.status), &decided.status, "the API server keeps it as it is");
    let traffic = &decided.status.traffic;
    let sum: i32 = traffic.iter().map(|target| target.weight).sum();
    prop_assert!(traffic.is_empty() || sum == 100, "weights sum to {sum}");
    let somebody = before.deployments().iter().any(|(revision, _)| before.ready_pods(revision) > 0);
    prop_assert!(!somebody || !traffic.is_empty(), "somebody could answer, and traffic goes nowhere");
    for target in traffic {
        let answers = before.ready_pods(&target.revision.as_str().into()) > 0;
        prop_assert!(answers || !somebody, "traffic goes to {}, which has no ready pod", target.revision);
        let keeps = decided.children.iter().any(|child| {
            child.kind == ChildKind::Deployment && child.name.ends_with(&format!("-{}", target.revision))
        });
        prop_assert!(keeps || !answers, "the pods that answer would go");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_history_leaves_traffic_where_somebody_answers_and_comes_to_rest(turns in turns()) {
        let mut model = model("top-picks", json!({}));
        let mut cluster = Cluster::new(Capabilities::default());
        for turn in &turns {
            happen(turn, &mut model, &mut cluster);
            let before = cluster.clone();
            let decided = reconcile(&mut model, &mut cluster);
            check(&decided, &before)?;
            let mended = reconcile(&mut model, &mut cluster);
            let again = decide(&model, &cluster);
            prop_assert_eq!(&again.status, &mended.status, "decided twice");
            prop_assert_eq!(&again.children, &mended.children, "decided twice");
            prop_assert_eq!(&again.events, &vec![], "nothing happened");
        }
    }
}
