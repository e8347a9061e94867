//! A child object as it should be: what builders return and `apply` sends.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde::Serialize;
use serde_json::Value;

/// Every kind of child, in the order in which they are applied: what another needs comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChildKind {
    /// Identity of pods.
    ServiceAccount,
    /// What a revision's pods serve.
    ConfigMap,
    /// Lets page pods follow traffic.
    RoleBinding,
    /// Who may talk to pods.
    NetworkPolicy,
    /// Names for pods.
    Service,
    /// How many pods may be taken away.
    PodDisruptionBudget,
    /// Pods.
    Deployment,
    /// How many pods.
    HorizontalPodAutoscaler,
    /// How many pods, by KEDA.
    ScaledObject,
    /// A way in from outside.
    HttpRoute,
    /// A way in from outside.
    GrpcRoute,
}

impl ChildKind {
    /// Every kind, in the order of application.
    pub const ALL: [Self; 11] = [
        Self::ServiceAccount,
        Self::ConfigMap,
        Self::RoleBinding,
        Self::NetworkPolicy,
        Self::Service,
        Self::PodDisruptionBudget,
        Self::Deployment,
        Self::HorizontalPodAutoscaler,
        Self::ScaledObject,
        Self::HttpRoute,
        Self::GrpcRoute,
    ];

    /// As `kind` says it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::ServiceAccount => "ServiceAccount",
            Self::ConfigMap => "ConfigMap",
            Self::RoleBinding => "RoleBinding",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::Service => "Service",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::Deployment => "Deployment",
            Self::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
            Self::ScaledObject => "ScaledObject",
            Self::HttpRoute => "HTTPRoute",
            Self::GrpcRoute => "GRPCRoute",
        }
    }

    /// As `apiVersion` says it.
    pub fn api_version(self) -> &'static str {
        match self {
            Self::ServiceAccount | Self::ConfigMap | Self::Service => "v1",
            Self::RoleBinding => "rbac.authorization.k8s.io/v1",
            Self::NetworkPolicy => "networking.k8s.io/v1",
            Self::PodDisruptionBudget => "policy/v1",
            Self::Deployment => "apps/v1",
            Self::HorizontalPodAutoscaler => "autoscaling/v2",
            Self::ScaledObject => "keda.sh/v1alpha1",
            Self::HttpRoute | Self::GrpcRoute => "gateway.networking.k8s.io/v1",
        }
    }

    /// As paths say it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::ServiceAccount => "serviceaccounts",
            Self::ConfigMap => "configmaps",
            Self::RoleBinding => "rolebindings",
            Self::NetworkPolicy => "networkpolicies",
            Self::Service => "services",
            Self::PodDisruptionBudget => "poddisruptionbudgets",
            Self::Deployment => "deployments",
            Self::HorizontalPodAutoscaler => "horizontalpodautoscalers",
            Self::ScaledObject => "scaledobjects",
            Self::HttpRoute => "httproutes",
            Self::GrpcRoute => "grpcroutes",
        }
    }
}

/// A child as it should be: every field that the operator owns, and no other.
#[derive(Clone, Debug, PartialEq)]
pub struct Child {
    /// Of which kind.
    pub kind: ChildKind,
    /// Its name in the parent's namespace.
    pub name: String,
    /// The whole object, `apiVersion`, `kind` and `metadata` (name, namespace, labels, owner) included.
    pub body: Value,
    /// Whether the live object may stay as it is when it exists: what cannot be built anew, such as the Deployment of a revision
    /// whose spec is gone, is kept (not pruned) and not applied.
    pub keep_as_is: bool,
}

impl Child {
    /// A child to be applied. `object` is a typed Kubernetes object or a JSON value; none where it cannot be written as JSON,
    /// which no object of ours is.
    pub fn new(kind: ChildKind, name: impl Into<String>, object: &impl Serialize) -> Option<Self> {
        let mut body = serde_json::to_value(object).ok()?;
        let members = body.as_object_mut()?;
        members.insert("apiVersion".into(), kind.api_version().into());
        members.insert("kind".into(), kind.kind().into());
        Some(Self { kind, name: name.into(), body, keep_as_is: false })
    }

    /// A child that exists and is left alone, but not pruned.
    pub fn kept(kind: ChildKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), body: Value::Null, keep_as_is: true }
    }
}

/// A child that exists as planned, or is kept as it is: `apply` says so. A status speaks of these, and not of what was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedChild {
    /// Its kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
}

impl From<&Child> for AppliedChild {
    fn from(child: &Child) -> Self {
        Self { kind: child.kind, name: child.name.clone() }
    }
}

/// The resource that children belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Parent {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What children carry as their owner: controller, blocking.
    pub owner: OwnerReference,
}
