//! A desired child object: builders return it and `apply` sends it.

use kube::{api::ApiResource, core::GroupVersionKind};
use serde::Serialize;
use serde_json::Value;

/// The kinds of object that an operator may create, in the order of application: a child comes after the children that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChildKind {
    /// The identity of pods.
    ServiceAccount,
    /// Configuration of pods.
    ConfigMap,
    /// Rights of pods.
    RoleBinding,
    /// Which peers may connect to pods.
    NetworkPolicy,
    /// Names for pods.
    Service,
    /// How many pods may be evicted at a time.
    PodDisruptionBudget,
    /// Pods.
    Deployment,
    /// How many pods.
    HorizontalPodAutoscaler,
    /// How many pods, by KEDA.
    ScaledObject,
    /// Gateway API: HTTP from outside the cluster.
    HttpRoute,
    /// Gateway API: gRPC from outside the cluster.
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

    /// As `kind` in a manifest.
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

    /// As `apiVersion` in a manifest.
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

    /// The API of this kind.
    pub fn resource(self) -> ApiResource {
        let (group, version) = self.api_version().split_once('/').unwrap_or(("", self.api_version()));
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, self.kind()), self.plural())
    }

    /// As in the path of a request.
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

/// A desired child, with exactly the fields that the operator owns.
#[derive(Clone, Debug, PartialEq)]
pub struct Child {
    /// Its kind.
    pub kind: ChildKind,
    /// Its name in the parent's namespace.
    pub name: String,
    /// The whole object, `apiVersion`, `kind` and `metadata` (name, namespace, labels, owner) included.
    pub body: Value,
    /// Whether the object in the cluster stays as it is: a child that cannot be built again, such as the Deployment of a revision whose spec
    /// is gone, is kept (not pruned) and not applied.
    pub keep_as_is: bool,
}

impl Child {
    /// A child to apply. `object` is a typed Kubernetes object or a JSON value. Returns `None` if it cannot be written as JSON, which happens
    /// with neither.
    pub fn new(kind: ChildKind, name: impl Into<String>, object: &impl Serialize) -> Option<Self> {
        let mut body = serde_json::to_value(object).ok()?;
        let members = body.as_object_mut()?;
        members.insert("apiVersion".into(), kind.api_version().into());
        members.insert("kind".into(), kind.kind().into());
        Some(Self { kind, name: name.into(), body, keep_as_is: false })
    }

    /// A child that exists, and that is neither changed nor deleted.
    pub fn kept(kind: ChildKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), body: Value::Null, keep_as_is: true }
    }
}

/// A child that exists as planned, or that the plan keeps unchanged. `apply` returns these. The status is computed from them, not from the
/// plan.
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
