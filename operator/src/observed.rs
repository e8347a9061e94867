//! The facts from the caches that are the input of every decision. No client.

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::jiff::Timestamp;
use marquee_crds::{
    PageLayout, RankingModel, pod_config::ResourceRef, revision_name::RevisionName, termination::Termination,
};

use crate::child::ChildKind;

/// The input of a decision about one resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// Its children, of every revision.
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
    /// Its kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
    /// Label `marquee.dev/revision`, for children of one revision.
    pub revision: Option<RevisionName>,
    /// Annotation `marquee.dev/artifact`, on ConfigMaps.
    pub artifact: Option<String>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The facts of its status, for kinds whose status matters.
    pub state: ChildState,
}

/// The facts of a child's status.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum ChildState {
    /// Nothing that matters.
    #[default]
    Plain,
    /// A Deployment.
    Deployment(DeploymentFacts),
    /// A HorizontalPodAutoscaler, or a ScaledObject of KEDA.
    Autoscaler(AutoscalerFacts),
    /// A route. Both are zero and empty until a Gateway has answered.
    Route {
        /// Number of Gateways that accept it.
        accepted: usize,
        /// Messages of Gateways that refuse it.
        refused: Vec<String>,
    },
}

/// Facts of a Deployment.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DeploymentFacts {
    /// `spec.replicas`: the number that its autoscaler or the operator asked for.
    pub wanted: i32,
    /// `status.replicas`.
    pub replicas: i32,
    /// `status.readyReplicas`.
    pub ready: i32,
    /// Whether the status describes the present spec.
    pub up_to_date: bool,
    /// Whether only the operator sets the number of pods. If the operator stopped, the API server would set the default, which is one.
    pub only_ours: bool,
    /// Why the API server refuses to create pods (quota, policy): message of condition `ReplicaFailure`.
    pub refused: Option<String>,
}

/// Facts of a HorizontalPodAutoscaler, or of a ScaledObject of KEDA.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AutoscalerFacts {
    /// Why it cannot scale: reason and message of the condition `ScalingActive` (KEDA: `Ready`) if that is false.
    pub inactive: Option<(String, String)>,
    /// Metrics of pods that it should follow but could not read at its last attempt. It then scales by the other metrics, and its conditions
    /// do not mention these.
    pub unread: Vec<String>,
}

/// Facts of a pod.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PodFacts {
    /// Its name.
    pub name: String,
    /// Label `marquee.dev/revision`.
    pub revision: Option<RevisionName>,
    /// Whether it is ready.
    pub ready: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Its address, once it has one.
    pub ip: Option<String>,
    /// Why no node can run it: message of the condition `PodScheduled` if that is false.
    pub unschedulable: Option<String>,
    /// Whether it has a node, but not its volumes and its network yet: condition `PodReadyToStartContainers` is false. A pod shows a
    /// missing Secret nowhere else.
    pub mounting: bool,
    /// What the container waits for: reason (`ImagePullBackOff`, `CreateContainerConfigError`, `CrashLoopBackOff`, …) and message.
    pub waiting: Option<(String, String)>,
    /// How the container ended last, now or before its restart.
    pub ended: Option<Ended>,
    /// How often the container was restarted.
    pub restarts: i32,
    /// Progress of its load, if the pod has reported it.
    pub loading: Option<Loading>,
    /// What fills the rows of its page, where it is ready and the operator has asked it.
    pub page: Option<PageFacts>,
}

/// What a pod said when it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PodAnswer {
    /// Progress of its load; `None` where it loads nothing.
    pub loading: Option<Loading>,
    /// What fills the rows of its page; `None` where it serves no page.
    pub page: Option<PageFacts>,
}

/// What fills the rows of a page, as its pod reports it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PageFacts {
    /// Share of viewers, in percent, whose rows the fallback fills, by objective.
    pub fallback_percent: BTreeMap<String, u32>,
    /// What of the page can never be shown, and what to do.
    pub warnings: Vec<String>,
}

impl PageFacts {
    /// Whether models fill every row that needs one.
    pub fn is_whole(&self) -> bool {
        self.fallback_percent.values().all(|percent| *percent == 0)
    }
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit status.
    pub exit_code: i32,
    /// Kubernetes' reason: `OOMKilled`, `Error`, …
    pub reason: String,
    /// The runtime's own reason, if it gave one.
    pub said: Option<Termination>,
    /// When it ended.
    pub at: Option<Timestamp>,
}

/// Progress of a pod's load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loading {
    /// Loaded bytes.
    pub bytes: u64,
    /// Total bytes; 0 if unknown.
    pub total_bytes: u64,
    /// Seconds since it began.
    pub seconds: u64,
}

/// Which optional APIs the cluster has, by API discovery.
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

/// Settings of the operator, from its arguments: the same for every decision.
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
    /// More annotations of all pods, e.g. for a service mesh.
    pub pod_annotations: BTreeMap<String, String>,
    /// Whether the cluster chooses user and groups of the pods, instead of those of the image.
    pub ids_from_cluster: bool,
    /// How long a revision keeps its pods after its viewers have moved away, for callers that still have its addresses.
    pub drain: std::time::Duration,
}
