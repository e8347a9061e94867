//! Reads the facts that decisions need from the text of children and pods. Pure.

use k8s_openapi::jiff::Timestamp;
use marquee_crds::{labels, names, revision_name::RevisionName, termination::Termination};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use marquee_operator_kit::cache::{
    children,
    raw::{Head, RawObject},
};

use crate::{
    child::ChildKind,
    observed::{AutoscalerFacts, ChildFacts, ChildState, DeploymentFacts, Ended, PodFacts},
};

impl children::ChildFacts for ChildFacts {
    fn read(kind: ChildKind, head: &Head, raw: &RawObject) -> serde_json::Result<Self> {
        child(kind, head, raw)
    }

    fn kind(&self) -> ChildKind {
        self.kind
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn is_deleting(&self) -> bool {
        self.deleting
    }

    fn mark_deleting(&mut self) {
        self.deleting = true;
    }

    fn own_replicas(&self) -> Option<i32> {
        match &self.state {
            ChildState::Deployment(facts) if facts.only_ours => Some(facts.wanted),
            _ => None,
        }
    }
}

/// The facts of a child.
///
/// # Errors
/// The status does not have the form that Kubernetes gives it.
pub fn child(kind: ChildKind, head: &Head, raw: &RawObject) -> serde_json::Result<ChildFacts> {
    let state = match kind {
        ChildKind::Deployment => ChildState::Deployment(deployment(raw)?),
        ChildKind::HorizontalPodAutoscaler => ChildState::Autoscaler(autoscaler(raw)?),
        ChildKind::ScaledObject => ChildState::Autoscaler(scaled_object(raw)?),
        ChildKind::HttpRoute | ChildKind::GrpcRoute => route(raw)?,
        _ => ChildState::Plain,
    };
    Ok(ChildFacts {
        kind,
        name: head.name.clone(),
        revision: revision(head),
        artifact: head.annotations.get(labels::ARTIFACT).cloned(),
        created: head.creation_timestamp,
        deleting: head.deletion_timestamp.is_some(),
        state,
    })
}

/// The revision that the label names. An empty label names none.
fn revision(head: &Head) -> Option<RevisionName> {
    head.labels.get(labels::REVISION).filter(|name| !name.is_empty()).map(|name| name.as_str().into())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    reason: String,
    message: String,
}

/// A part of an object that the operator does not read.
#[derive(Deserialize, Default)]
struct Unread {}

#[derive(Deserialize)]
#[serde(default)]
struct Object<Metadata: Default, Spec: Default, Status: Default> {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

impl<M: Default, A: Default, B: Default> Default for Object<M, A, B> {
    fn default() -> Self {
        Self { metadata: M::default(), spec: A::default(), status: B::default() }
    }
}

fn read<T: DeserializeOwned>(raw: &RawObject) -> serde_json::Result<T> {
    raw.read()
}

fn deployment(raw: &RawObject) -> serde_json::Result<DeploymentFacts> {
    #[derive(Deserialize, Default)]
    #[serde(rename_all = "camelCase", default)]
    struct Metadata {
        generation: i64,
        managed_fields: Vec<Writer>,
    }
    #[derive(Deserialize, Default)]
    #[serde(rename_all = "camelCase", default)]
    struct Writer {
        manager: String,
        fields_v1: Fields,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Fields {
        #[serde(rename = "f:spec")]
        spec: OfSpec,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct OfSpec {
        #[serde(rename = "f:replicas")]
        replicas: Option<IgnoredAny>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Spec {
        replicas: Option<i32>,
    }
    #[derive(Deserialize, Default)]
    #[serde(rename_all = "camelCase", default)]
    struct Status {
        observed_generation: i64,
        replicas: i32,
        ready_replicas: i32,
        conditions: Vec<Condition>,
    }
    let Object { metadata, spec, status } = read::<Object<Metadata, Spec, Status>>(raw)?;
    let refused = status.conditions.into_iter().find(|c| c.type_ == "ReplicaFailure" && c.status == "True");
    Ok(DeploymentFacts {
        wanted: spec.replicas.unwrap_or(1),
        replicas: status.replicas,
        ready: status.ready_replicas,
        up_to_date: status.observed_generation >= metadata.generation,
        only_ours: {
            let named = |writer: &&Writer| writer.fields_v1.spec.replicas.is_some();
            let mut named = metadata.managed_fields.iter().filter(named).peekable();
            named.peek().is_some() && named.all(|writer| writer.manager == labels::OPERATOR)
        },
        refused: refused.map(|condition| condition.message),
    })
}

fn autoscaler(raw: &RawObject) -> serde_json::Result<AutoscalerFacts> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Spec {
        metrics: Vec<Metric>,
    }
    #[derive(Deserialize, Default)]
    #[serde(rename_all = "camelCase", default)]
    struct Status {
        /// Empty before the autoscaler first acts. Afterwards, a metric that it could not read has an empty entry.
        current_metrics: Option<Vec<Metric>>,
        conditions: Vec<Condition>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Metric {
        pods: Option<OfPods>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct OfPods {
        metric: Name,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Name {
        name: String,
    }
    let Object { spec, status, .. } = read::<Object<Unread, Spec, Status>>(raw)?;
    let inactive = status.conditions.into_iter().find(|c| c.type_ == "ScalingActive" && c.status == "False");
    let name = |metric: Metric| metric.pods.map(|pods| pods.metric.name);
    let read: Vec<Metric> = status.current_metrics.unwrap_or_default();
    let has_looked = !read.is_empty();
    let read: Vec<String> = read.into_iter().filter_map(name).collect();
    let wanted = spec.metrics.into_iter().filter_map(name);
    Ok(AutoscalerFacts {
        inactive: inactive.map(|condition| (condition.reason, condition.message)),
        unread: wanted.filter(|name| has_looked && !read.contains(name)).collect(),
    })
}

fn scaled_object(raw: &RawObject) -> serde_json::Result<AutoscalerFacts> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Status {
        conditions: Vec<Condition>,
    }
    let Object { status, .. } = read::<Object<Unread, Unread, Status>>(raw)?;
    // Unknown without a reason before the first look, and with one where some of the triggers fail.
    let fails = |c: &Condition| c.type_ == "Ready" && c.status != "True" && !c.reason.is_empty();
    let inactive = status.conditions.into_iter().find(fails);
    Ok(AutoscalerFacts {
        inactive: inactive.map(|condition| (condition.reason, condition.message)),
        unread: Vec::new(),
    })
}

fn route(raw: &RawObject) -> serde_json::Result<ChildState> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Status {
        parents: Vec<Parent>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Parent {
        conditions: Vec<Condition>,
    }
    let Object { status, .. } = read::<Object<Unread, Unread, Status>>(raw)?;
    let mut accepted = 0;
    let mut refused = Vec::new();
    for parent in status.parents {
        let bad = parent
            .conditions
            .iter()
            .find(|c| (c.type_ == "Accepted" || c.type_ == "ResolvedRefs") && c.status == "False");
        match bad {
            Some(condition) => refused.push(format!("{}: {}", condition.reason, condition.message)),
            None if parent.conditions.iter().any(|c| c.type_ == "Accepted" && c.status == "True") => {
                accepted += 1
            }
            None => {}
        }
    }
    Ok(ChildState::Route { accepted, refused })
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PodStatus {
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
    conditions: Vec<Condition>,
    container_statuses: Vec<Container>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Container {
    name: String,
    restart_count: i32,
    state: State,
    last_state: State,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct State {
    waiting: Option<Waiting>,
    terminated: Option<Terminated>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Waiting {
    reason: String,
    message: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    exit_code: i32,
    reason: String,
    message: String,
    finished_at: Option<Timestamp>,
}

/// The facts of a pod.
///
/// # Errors
/// The status does not have the form that Kubernetes gives it.
pub fn pod(head: &Head, raw: &RawObject) -> serde_json::Result<PodFacts> {
    let Object { status, .. } = read::<Object<Unread, Unread, PodStatus>>(raw)?;
    let condition = |name: &str| status.conditions.iter().find(|condition| condition.type_ == name);
    let unschedulable = condition("PodScheduled").filter(|scheduled| scheduled.status == "False");
    let container =
        status.container_statuses.into_iter().find(|container| container.name == names::CONTAINER);
    let container = container.unwrap_or_default();
    let ended = container.state.terminated.or(container.last_state.terminated);
    let waiting = container.state.waiting.filter(|waiting| waiting.reason != "ContainerCreating");
    Ok(PodFacts {
        name: head.name.clone(),
        revision: revision(head),
        ready: condition("Ready").is_some_and(|ready| ready.status == "True"),
        deleting: head.deletion_timestamp.is_some(),
        created: head.creation_timestamp,
        ip: status.pod_ip.clone().filter(|ip| !ip.is_empty()),
        unschedulable: unschedulable.map(|scheduled| scheduled.message.clone()),
        mounting: condition("PodReadyToStartContainers").is_some_and(|started| started.status == "False"),
        waiting: waiting.map(|waiting| (waiting.reason, waiting.message)),
        ended: ended.map(|ended| Ended {
            exit_code: ended.exit_code,
            reason: ended.reason,
            said: Termination::parse(&ended.message),
            at: ended.finished_at,
        }),
        restarts: container.restart_count,
        loading: None,
        page: None,
    })
}

#[cfg(test)]
mod tests;
