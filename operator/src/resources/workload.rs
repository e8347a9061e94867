//! The common part of RankingModels and PageLayouts, in the terms of Kubernetes.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Resource, core::ObjectMeta};
use marquee_crds::{
    PageLayout, RankingModel, labels, names,
    page_layout::Topology,
    pod_config::{self, PodConfig},
    revision_name::RevisionName,
    shared::{ArtifactRef, Autoscaling, BodySize, Duration, Gateway, Placement, Replicas, Resources},
};

use crate::observed::{Capabilities, Settings};

/// What pods serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// One RankingModel.
    Ranker,
    /// One PageLayout.
    Page,
}

impl Component {
    /// Value of the label `app.kubernetes.io/component`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ranker => labels::RANKER,
            Self::Page => labels::PAGE,
        }
    }

    /// Key of the label that holds the parent's name.
    pub fn parent_label(self) -> &'static str {
        match self {
            Self::Ranker => labels::MODEL,
            Self::Page => labels::LAYOUT,
        }
    }

    /// The parent's kind.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Ranker => "RankingModel",
            Self::Page => "PageLayout",
        }
    }
}

/// The input of the builders of children.
#[derive(Clone, Debug)]
pub struct Workload<'a> {
    /// The namespace of the resource and of its children.
    pub namespace: String,
    /// Owner reference of the children: it names the resource, and is controller and blocking.
    pub owner: OwnerReference,
    /// Which kind of pods they have.
    pub component: Component,
    /// The configuration of the pods.
    pub config: PodConfig,
    /// Settings of the operator.
    pub settings: &'a Settings,
    /// Which optional APIs the cluster has.
    pub capabilities: &'a Capabilities,
    /// Number of pods.
    pub replicas: &'a Replicas,
    /// Targets of the autoscaler.
    pub autoscaling: &'a Autoscaling,
    /// Requests and limits of each pod.
    pub resources: &'a Resources,
    /// Largest request body of each pod, if the spec names one.
    pub max_body: Option<BodySize>,
    /// Where the pods run, and what they carry.
    pub placement: &'a Placement,
    /// Time limit for a revision until it serves.
    pub progress_deadline: Duration,
    /// How many earlier revisions keep their configuration.
    pub history: usize,
    /// How clients outside the cluster reach a page.
    pub gateway: Option<&'a Gateway>,
}

impl<'a> Workload<'a> {
    /// The workload of a model in pods of its own.
    pub fn of_model(model: &'a RankingModel, settings: &'a Settings, capabilities: &'a Capabilities) -> Self {
        let spec = &model.spec;
        Self {
            namespace: namespace(model),
            owner: owner(model),
            component: Component::Ranker,
            config: pod_config::ranker_pod(model),
            settings,
            capabilities,
            replicas: &spec.serving.replicas,
            autoscaling: &spec.serving.autoscaling,
            resources: &spec.resources,
            max_body: spec.serving.max_body,
            placement: &spec.placement,
            progress_deadline: spec.progress_deadline,
            history: usize::try_from(spec.revision_history_limit).unwrap_or(0),
            gateway: None,
        }
    }

    /// The workload of a page. With the topology `Monolith`, `models` run in its pods.
    pub fn of_layout(
        layout: &'a PageLayout,
        models: &[RankingModel],
        settings: &'a Settings,
        capabilities: &'a Capabilities,
    ) -> Self {
        let spec = &layout.spec;
        let config = match spec.topology {
            Topology::Microservices => pod_config::page_pod(layout),
            Topology::Monolith => pod_config::monolith_pod(layout, models),
        };
        Self {
            namespace: namespace(layout),
            owner: owner(layout),
            component: Component::Page,
            config,
            settings,
            capabilities,
            replicas: &spec.replicas,
            autoscaling: &spec.autoscaling,
            resources: &spec.resources,
            max_body: spec.max_body,
            placement: &spec.placement,
            progress_deadline: spec.progress_deadline,
            history: usize::try_from(spec.revision_history_limit).unwrap_or(0),
            gateway: spec.gateway.as_ref(),
        }
    }

    /// Name of the children that the resource has once.
    pub fn name(&self) -> String {
        match self.component {
            Component::Ranker => names::ranker(&self.owner.name),
            Component::Page => names::page(&self.owner.name),
        }
    }

    /// Name of the ServiceAccount of the pods: that of the spec, or the child.
    pub fn service_account(&self) -> String {
        let other = self.placement.service_account.as_ref().and_then(|account| account.name.clone());
        other.unwrap_or_else(|| self.name())
    }

    /// Annotations of the child ServiceAccount.
    pub fn account_annotations(&self) -> BTreeMap<String, String> {
        self.placement.service_account.as_ref().map(|account| account.annotations.clone()).unwrap_or_default()
    }

    /// Name of the children of one revision.
    pub fn revision_name(&self, revision: &RevisionName) -> String {
        self.config_map_name(Some(revision))
    }

    /// Name of the ConfigMap that pods mount. The template from which the name of a revision is computed has no revision yet.
    pub(super) fn config_map_name(&self, revision: Option<&RevisionName>) -> String {
        let revision = revision.map_or("", RevisionName::as_str);
        match self.component {
            Component::Ranker => names::ranker_revision(&self.owner.name, revision),
            Component::Page => names::page_revision(&self.owner.name, revision),
        }
    }

    /// `host:port` at which a revision answers gRPC. All revisions of a page have the same Service.
    pub fn endpoint(&self, revision: &RevisionName) -> String {
        let service = match self.component {
            Component::Ranker => self.revision_name(revision),
            Component::Page => self.name(),
        };
        names::endpoint(&service, &self.namespace)
    }

    /// Whether pods follow the traffic of models through the API server.
    pub fn follows_traffic(&self) -> bool {
        self.config.discovery.is_some()
    }

    /// Every artifact that pods load, with the resource that asks for it.
    pub fn artifacts(&self) -> Vec<(String, &ArtifactRef)> {
        let pages = self.config.pages.iter();
        let pages =
            pages.map(|page| (format!("the catalogue of PageLayout {}", page.resource), &page.catalogue));
        let rankers = self.config.rankers.iter();
        pages
            .chain(rankers.map(|ranker| (format!("RankingModel {}", ranker.resource), &ranker.artifact)))
            .collect()
    }

    /// The uris of the artifacts, for people: each uri once, separated by spaces.
    pub fn artifact_text(&self) -> String {
        let mut uris: Vec<&str> = Vec::new();
        for (_, artifact) in self.artifacts() {
            if !uris.contains(&artifact.uri.as_str()) {
                uris.push(&artifact.uri);
            }
        }
        uris.join(" ")
    }
}

fn namespace(resource: &impl Resource) -> String {
    pod_config::ResourceRef::of(resource.meta()).namespace
}

fn owner<K: Resource<DynamicType = ()>>(resource: &K) -> OwnerReference {
    let meta: &ObjectMeta = resource.meta();
    OwnerReference {
        api_version: K::api_version(&()).into_owned(),
        kind: K::kind(&()).into_owned(),
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}
