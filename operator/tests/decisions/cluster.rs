//! A cluster in memory, which applies plans as the API server and its controllers would.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::{SignedDuration, Timestamp},
};
use marquee_crds::{
    PageLayout, RankingModel, labels, page_layout::PageLayoutStatus, ranking_model::RankingModelStatus,
    revision_name::RevisionName,
};
use marquee_operator::{
    child::{AppliedChild, Child, ChildKind},
    controllers::{page_layout, ranking_model},
    observed::{Capabilities, ChildFacts, ChildState, DeploymentFacts, Observed, PodFacts, Settings},
    transition::TransitionEvent,
};
use serde_json::{Value, json};

/// Seconds after which a revision without traffic is deleted.
pub const DRAIN: u64 = 30;

pub fn settings() -> Settings {
    Settings {
        runtime_image: "registry.example.com/marquee-runtime:0.1.0".into(),
        image_pull_policy: "IfNotPresent".into(),
        page_reader: (marquee_crds::names::PAGE_READER_ROLE.into(), true),
        prometheus: None,
        pod_annotations: BTreeMap::new(),
        ids_from_cluster: false,
        drain: std::time::Duration::from_secs(DRAIN),
    }
}

/// The result of a reconcile if the API server accepts every child.
#[derive(Debug)]
pub struct Reconciled<S> {
    pub children: Vec<Child>,
    pub status: S,
    pub events: Vec<TransitionEvent>,
    pub look_again: Option<Duration>,
}

pub fn reconcile_model(
    model: &RankingModel,
    observed: &Observed,
    settings: &Settings,
    now: Timestamp,
) -> Reconciled<RankingModelStatus> {
    let plan = ranking_model::decide::plan(model, observed, settings, now);
    let applied: Vec<AppliedChild> = plan.children.iter().map(AppliedChild::from).collect();
    let (status, events) = ranking_model::status::status(model, observed, &plan, &applied);
    Reconciled { children: plan.children, status, events, look_again: plan.look_again }
}

pub fn reconcile_layout(
    layout: &PageLayout,
    observed: &Observed,
    settings: &Settings,
    now: Timestamp,
) -> Reconciled<PageLayoutStatus> {
    let plan = page_layout::decide::plan(layout, observed, settings, now);
    let applied: Vec<AppliedChild> = plan.children.iter().map(AppliedChild::from).collect();
    let (status, events) = page_layout::status::status(layout, observed, &plan, &applied);
    Reconciled { children: plan.children, status, events, look_again: plan.look_again }
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// A model of the surface `home`, from the members of its spec that matter.
pub fn model(name: &str, spec: Value) -> RankingModel {
    let sha256 = "0".repeat(64);
    let mut whole = json!({
        "surface": "home",
        "objective": name,
        "artifact": { "uri": "s3://models/a", "sha256": sha256 },
    });
    merge(&mut whole, spec);
    let mut model = RankingModel::new(name, serde_json::from_value(whole).unwrap());
    model.metadata.namespace = Some("shop".into());
    model.metadata.uid = Some(format!("00000000-0000-0000-0000-{name:0>12}"));
    model.metadata.generation = Some(1);
    model.metadata.creation_timestamp = Some(Time(at(0)));
    model
}

/// The layout `home`, with one row for each objective.
pub fn layout(objectives: &[&str], spec: Value) -> PageLayout {
    let row = |objective: &&str| json!({ "name": objective, "heading": "For you", "source": { "model": { "objective": objective } } });
    let mut whole = json!({
        "surface": "home",
        "catalogue": { "uri": "s3://models/catalogue", "sha256": "1".repeat(64) },
        "candidateRows": objectives.iter().map(row).collect::<Vec<_>>(),
    });
    merge(&mut whole, spec);
    let mut layout = PageLayout::new("home", serde_json::from_value(whole).unwrap());
    layout.metadata.namespace = Some("shop".into());
    layout.metadata.uid = Some("00000000-0000-0000-0000-00000000home".into());
    layout.metadata.generation = Some(1);
    layout.metadata.creation_timestamp = Some(Time(at(0)));
    layout
}

pub fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Children and pods of one parent.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub observed: Observed,
    pub now: Timestamp,
}

impl Cluster {
    pub fn new(capabilities: Capabilities) -> Self {
        Self {
            observed: Observed { capabilities, ..Observed::default() },
            now: at(100).checked_add(SignedDuration::from_millis(700)).unwrap(),
        }
    }

    /// Times of objects are whole seconds; the clock is not.
    fn whole_second(&self) -> Timestamp {
        Timestamp::from_second(self.now.as_second()).unwrap()
    }

    pub fn wait(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    }

    /// Creates and changes the children as desired, and removes the others with their pods.
    pub fn apply(&mut self, children: &[Child]) {
        let wanted = |kind: ChildKind, name: &str| {
            children.iter().any(|child| (child.kind, child.name.as_str()) == (kind, name))
        };
        self.observed.children.retain(|child| wanted(child.kind, &child.name));
        for child in children.iter().filter(|child| !child.keep_as_is) {
            let meta = &child.body["metadata"];
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let there = self
                .observed
                .children
                .iter()
                .position(|old| (old.kind, &old.name) == (child.kind, &child.name));
            let place = there.unwrap_or_else(|| {
                self.observed.children.push(ChildFacts {
                    kind: child.kind,
                    name: child.name.clone(),
                    revision: text(&meta["labels"][labels::REVISION]).map(RevisionName::from),
                    artifact: text(&meta["annotations"][labels::ARTIFACT]),
                    created: Some(self.whole_second()),
                    deleting: false,
                    state: ChildState::Plain,
                });
                self.observed.children.len() - 1
            });
            if child.kind == ChildKind::Deployment {
                let had = match &self.observed.children[place].state {
                    ChildState::Deployment(facts) => facts.wanted,
                    _ => 1,
                };
                let wanted = child.body["spec"]["replicas"].as_i64().unwrap_or_else(|| {
                    let scaler = children.iter().find(|other| {
                        other.name == child.name
                            && !other.keep_as_is
                            && matches!(
                                other.kind,
                                ChildKind::HorizontalPodAutoscaler | ChildKind::ScaledObject
                            )
                    });
                    let spec = scaler.map(|scaler| &scaler.body["spec"]);
                    let bound = |one: &str, other: &str| {
                        spec.and_then(|spec| spec[one].as_i64().or_else(|| spec[other].as_i64()))
                    };
                    i64::from(had)
                        .max(bound("minReplicas", "minReplicaCount").unwrap_or(1))
                        .min(bound("maxReplicas", "maxReplicaCount").unwrap_or(1000))
                });
                let wanted = i32::try_from(wanted).unwrap();
                self.observed.children[place].state = ChildState::Deployment(DeploymentFacts {
                    wanted,
                    up_to_date: true,
                    ..DeploymentFacts::default()
                });
            }
        }
        let revisions: Vec<Option<RevisionName>> =
            self.deployments().into_iter().map(|(revision, _)| Some(revision)).collect();
        self.observed.pods.retain(|pod| revisions.contains(&pod.revision));
    }

    /// Revisions that have a Deployment, and the pods that it asks for.
    pub fn deployments(&self) -> Vec<(RevisionName, i32)> {
        let deployment = |child: &ChildFacts| match &child.state {
            ChildState::Deployment(facts) => Some((child.revision.clone()?, facts.wanted)),
            _ => None,
        };
        self.observed.children.iter().filter_map(deployment).collect()
    }

    /// Makes as many pods as Deployments ask for.
    pub fn make_pods(&mut self) {
        for (revision, wanted) in self.deployments() {
            let there =
                self.observed.pods.iter().filter(|pod| pod.revision.as_ref() == Some(&revision)).count();
            for n in there..usize::try_from(wanted).unwrap() {
                self.observed.pods.push(PodFacts {
                    name: format!("pod-{revision}-{n}"),
                    revision: Some(revision.clone()),
                    created: Some(self.whole_second()),
                    ..PodFacts::default()
                });
            }
        }
    }

    /// Makes the pods of all revisions that `which` names, ready.
    pub fn make_ready(&mut self, which: impl Fn(&str) -> bool) {
        self.make_pods();
        for pod in self
            .observed
            .pods
            .iter_mut()
            .filter(|pod| pod.revision.as_ref().is_some_and(|revision| which(revision.as_str())))
        {
            pod.ready = true;
        }
    }

    pub fn ready_pods(&self, revision: &RevisionName) -> usize {
        let has_deployment = self.deployments().iter().any(|(name, _)| name == revision);
        let is_of = |pod: &&PodFacts| pod.revision.as_ref() == Some(revision);
        let pods = self.observed.pods.iter().filter(is_of).filter(|pod| pod.ready && !pod.deleting);
        if has_deployment { pods.count() } else { 0 }
    }
}

/// A status as the API server would store it.
pub fn stored<T: serde::Serialize + serde::de::DeserializeOwned>(status: &T) -> T {
    serde_json::from_value(serde_json::to_value(status).unwrap()).unwrap()
}
