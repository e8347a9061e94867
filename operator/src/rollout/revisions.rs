//! The revisions that exist.

use std::{cmp::Reverse, collections::BTreeMap};

use k8s_openapi::jiff::Timestamp;
use marquee_crds::revision_name::RevisionName;

use crate::{
    child::ChildKind,
    observed::{AutoscalerFacts, ChildFacts, ChildState, Observed, PodFacts},
};

/// A revision that has a Deployment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Revision {
    /// When its Deployment was created.
    pub created: Option<Timestamp>,
    /// Pods that its Deployment asks for.
    pub wanted: i32,
    /// Pods that exist.
    pub replicas: i32,
    /// Pods that are ready.
    pub ready: i32,
    /// Why the API server refuses to create its pods.
    pub refused: Option<String>,
    /// What keeps its autoscaler from scaling.
    pub autoscaler: AutoscalerFacts,
}

/// Revisions by name.
pub type Revisions = BTreeMap<RevisionName, Revision>;

/// Every revision with a Deployment that is not being deleted.
pub fn revisions(observed: &Observed) -> Revisions {
    let mut found = Revisions::new();
    for child in observed.children.iter().filter(|child| !child.deleting) {
        let (Some(name), ChildState::Deployment(facts)) = (&child.revision, &child.state) else { continue };
        let (replicas, ready) = pods(observed, name, child.created).unwrap_or((facts.replicas, facts.ready));
        let revision = Revision {
            created: child.created,
            wanted: facts.wanted.max(0),
            replicas: replicas.max(0),
            ready: ready.max(0),
            refused: facts.refused.clone(),
            autoscaler: autoscaler(observed, name).cloned().unwrap_or_default(),
        };
        found.insert(name.clone(), revision);
    }
    found
}

/// The numbers of a revision's pods and ready pods; `None` if no pod is known, and the numbers of the Deployment apply. Pods older than the
/// Deployment, which was created at `since`, belonged to a deleted resource of the same name and will be deleted soon.
fn pods(observed: &Observed, revision: &RevisionName, since: Option<Timestamp>) -> Option<(i32, i32)> {
    let is_older = |pod: &PodFacts| pod.created.zip(since).is_some_and(|(pod, since)| pod < since);
    let is_of = |pod: &&PodFacts| pod.revision.as_ref() == Some(revision) && !pod.deleting && !is_older(pod);
    let pods: Vec<&PodFacts> = observed.pods.iter().filter(is_of).collect();
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    (!pods.is_empty()).then(|| (count(pods.len()), count(pods.iter().filter(|pod| pod.ready).count())))
}

fn autoscaler<'a>(observed: &'a Observed, revision: &RevisionName) -> Option<&'a AutoscalerFacts> {
    observed.children.iter().filter(|child| !child.deleting).find_map(|child| match &child.state {
        ChildState::Autoscaler(facts) if child.revision.as_ref() == Some(revision) => Some(facts),
        _ => None,
    })
}

/// The ConfigMaps that are kept for a roll-back: the `limit` youngest of revisions other than `live`, the youngest first.
pub fn history<'a>(observed: &'a Observed, live: &[&RevisionName], limit: usize) -> Vec<&'a ChildFacts> {
    let is_config = |child: &&ChildFacts| child.kind == ChildKind::ConfigMap && !child.deleting;
    let is_past =
        |child: &&ChildFacts| child.revision.as_ref().is_some_and(|revision| !live.contains(&revision));
    let mut past: Vec<&ChildFacts> = observed.children.iter().filter(is_config).filter(is_past).collect();
    // The cache has no creation time of a new ConfigMap.
    past.sort_by_key(|child| (Reverse((child.created.is_none(), child.created)), child.name.as_str()));
    past.truncate(limit);
    past
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::DeploymentFacts;

    #[test]
    fn pods_of_a_resource_that_was_deleted_and_made_again_are_not_counted() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let pod =
            |created| PodFacts { revision: Some("r".into()), ready: true, created, ..PodFacts::default() };
        let facts = DeploymentFacts { wanted: 2, ..DeploymentFacts::default() };
        let deployment = ChildFacts {
            kind: ChildKind::Deployment,
            name: "m-ranker-r".into(),
            revision: Some("r".into()),
            artifact: None,
            created: at(100),
            deleting: false,
            state: ChildState::Deployment(facts),
        };
        #[rustfmt::skip]
        let cases = [
            ("of before",                         vec![pod(at(99))],                0, 0),
            ("of the same second",                vec![pod(at(100))],               1, 1),
            ("of before and of now",              vec![pod(at(50)), pod(at(101))],  1, 1),
            ("of which nobody knows since when",  vec![pod(None)],                  1, 1),
        ];
        for (why, pods, replicas, ready) in cases {
            let observed = Observed { children: vec![deployment.clone()], pods, ..Observed::default() };
            let found = revisions(&observed);
            let found = &found[&RevisionName::from("r")];
            assert_eq!((found.replicas, found.ready), (replicas, ready), "{why}");
        }
    }
}
