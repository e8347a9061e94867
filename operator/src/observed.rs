//! What exists, as the caches have it: the input of every decision. Plain facts, no client.

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::jiff::Timestamp;
use marquee_crds::{PageLayout, RankingModel, pod_config::ResourceRef, termination::Termination};

use crate::child::ChildKind;

/// What a decision about one resource rests on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// The children that the operator made for it, of every revision.
    pub children: Vec<ChildFacts>,
    /// The pods of its Deployments.
    pub pods: Vec<PodFacts>,
    /// Which optional APIs the cluster has.
    pub capabilities: Capabilities,
    /// The older resource of the same kind and namespace that has the same objective or surface.
    pub older: Option<ResourceRef>,
    /// For a RankingModel: the oldest PageLayout of its surface in the namespace.
    pub page: Option<Arc<PageLayout>>,
    /// For a PageLayout: the RankingModels of its surface in the namespace.
    pub models: Vec<Arc<RankingModel>>,
}

/// A child that exists.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildFacts {
    /// Of which kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
    /// Label `marquee.dev/revision`, for children of one revision.
    pub revision: Option<String>,
    /// Annotation `marquee.dev/artifact`, on ConfigMaps.
    pub artifact: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Whether it is on its way out.
    pub deleting: bool,
    /// What its status says, for kinds of which it matters.
    pub state: ChildState,
}

/// What a child's status says.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum ChildState {
    /// Nothing that matters.
    #[default]
    Plain,
    /// Of a Deployment.
    Deployment(DeploymentFacts),
    /// Of a HorizontalPodAutoscaler, or of KEDA's object.
    Autoscaler(AutoscalerFacts),
    /// Of a route: by Gateway, why it is not accepted; empty when all accept it or none has answered yet.
    Route {
        /// Gateways that accept it.
        accepted: usize,
        /// Messages of those that do not.
        refused: Vec<String>,
    },
}

/// Of a Deployment.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DeploymentFacts {
    /// `spec.replicas`: what somebody (its autoscaler, or the operator) asked for.
    pub wanted: i32,
    /// `status.replicas`.
    pub replicas: i32,
    /// `status.readyReplicas`.
    pub ready: i32,
    /// Whether the status is about the spec as it stands.
    pub up_to_date: bool,
    /// Whether the operator, and nobody else, named how many: once it stops naming it, the API server would fall back to one.
    pub only_ours: bool,
    /// Why pods are refused at creation (quota, policy): message of condition `ReplicaFailure`.
    pub refused: Option<String>,
}

/// Of a HorizontalPodAutoscaler, or of KEDA's object.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AutoscalerFacts {
    /// Why it cannot scale: reason and message of condition `ScalingActive` where it is false, of `Ready` where it is KEDA's.
    pub inactive: Option<(String, String)>,
    /// Metrics of pods that it is to follow and could not read when it last looked. It scales by the others meanwhile, and says nothing
    /// of these in its conditions.
    pub unread: Vec<String>,
}

/// Of a pod.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PodFacts {
    /// Its name.
    pub name: String,
    /// Label `marquee.dev/revision`.
    pub revision: String,
    /// Whether it is ready.
    pub ready: bool,
    /// Whether it is on its way out.
    pub deleting: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Its address, once it has one.
    pub ip: Option<String>,
    /// Why no node takes it: message of condition `PodScheduled` where it is false.
    pub unschedulable: Option<String>,
    /// Whether it has a node, but not its volumes and its network yet: condition `PodReadyToStartContainers` is false. A Secret
    /// that is not there shows nowhere else in a pod.
    pub mounting: bool,
    /// What the container waits for: reason (`ImagePullBackOff`, `CreateContainerConfigError`, `CrashLoopBackOff`, …) and message.
    pub waiting: Option<(String, String)>,
    /// How the container ended last, now or before its restart.
    pub ended: Option<Ended>,
    /// How often the container was restarted.
    pub restarts: i32,
    /// What it said of its loading, where the operator asked it.
    pub loading: Option<Loading>,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit status.
    pub exit_code: i32,
    /// What Kubernetes calls it: `OOMKilled`, `Error`, …
    pub reason: String,
    /// What the runtime said, if it did.
    pub said: Option<Termination>,
    /// When.
    pub at: Option<Timestamp>,
}

/// How far a pod's loading is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loading {
    /// Bytes of the artifact that it has.
    pub bytes: u64,
    /// Bytes in all; 0 when not known yet.
    pub total_bytes: u64,
    /// Seconds since it began.
    pub seconds: u64,
}

/// What the cluster has beside Kubernetes itself, by API discovery.
#[derive(Clone, Debug, PartialEq, Eq, Default, serde::Serialize)]
pub struct Capabilities {
    /// `gateway.networking.k8s.io/v1` HTTPRoute.
    pub http_routes: bool,
    /// `gateway.networking.k8s.io/v1` GRPCRoute.
    pub grpc_routes: bool,
    /// `keda.sh/v1alpha1` ScaledObject.
    pub keda: bool,
    /// `custom.metrics.k8s.io`.
    pub custom_metrics: bool,
}

/// What is the same for every decision of one operator: from its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Image of the pods.
    pub runtime_image: String,
    /// `imagePullPolicy` of the pods.
    pub image_pull_policy: String,
    /// Role that page pods are bound to, and whether it is a ClusterRole.
    pub page_reader: (String, bool),
    /// Address of a Prometheus for KEDA's triggers, e.g. `http://prometheus.monitoring:9090`.
    pub prometheus: Option<String>,
    /// More labels and annotations of all pods, e.g. for a service mesh.
    pub pod_annotations: BTreeMap<String, String>,
    /// How long the pods of a revision that traffic has left stay, so that whoever still asks them is answered.
    pub drain: std::time::Duration,
}
