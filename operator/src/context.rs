//! The context of every reconcile: the kit's caches, and Marquee's pods, APIs of the cluster and settings.

use std::{cmp::Ordering, collections::HashSet, sync::Arc};

use arc_swap::ArcSwap;
use kube::{
    Client,
    api::{ApiResource, ObjectMeta},
    core::GroupVersionKind,
};
use marquee_crds::{conditions::ConditionType, labels, pod_config};
use marquee_operator_kit::{
    self as kit, Names, Operator, ResourceId,
    cache::{
        ListRound,
        raw::{Head, RawObject},
    },
    kinds::Watched,
};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::{
    cache::{
        facts,
        pods::{PodCache, PodLabel},
    },
    capabilities,
    child::ChildKind,
    observed::{Capabilities, ChildFacts, Observed, Settings},
};

/// The context of every reconcile.
pub type Context = kit::Context<Marquee>;

/// The part of the context that only Marquee has.
pub struct Marquee {
    /// The pods of the operator's Deployments.
    pub pods: Mutex<PodCache>,
    /// The optional APIs that the cluster has.
    pub capabilities: ArcSwap<Capabilities>,
    /// Input of every decision, from the operator's arguments.
    pub settings: Settings,
    /// The resources that have a start permit which their status does not show yet: their reconcile has not ended.
    pub permits: Mutex<HashSet<ResourceId>>,
}

impl Marquee {
    /// A context without pods and optional APIs. One of `pod_labels` names the resource of a pod.
    pub fn new(settings: Settings, pod_labels: &'static [PodLabel]) -> Self {
        Self {
            pods: Mutex::new(PodCache::new(pod_labels)),
            capabilities: ArcSwap::default(),
            settings,
            permits: Mutex::default(),
        }
    }
}

impl Operator for Marquee {
    const NAMES: Names = Names {
        group: marquee_crds::GROUP,
        manager: labels::OPERATOR,
        managed_by: labels::MANAGED_BY,
        applied: labels::APPLIED,
    };
    type ChildFacts = ChildFacts;

    fn writes_condition(type_: &str) -> bool {
        ConditionType::ALL.iter().any(|own| own.as_str() == type_)
    }

    fn precedence(one: &ObjectMeta, other: &ObjectMeta) -> Ordering {
        pod_config::older(one, other)
    }

    fn is_served(&self, kind: ChildKind) -> bool {
        let capabilities = self.capabilities.load();
        match kind {
            ChildKind::ScaledObject => capabilities.keda,
            ChildKind::HttpRoute => capabilities.http_routes,
            ChildKind::GrpcRoute => capabilities.grpc_routes,
            _ => true,
        }
    }

    async fn discover(&self, client: &Client) -> bool {
        let before = self.capabilities.load_full();
        let now = capabilities::discover(client, &before).await;
        let has_changed = now != *before;
        if has_changed {
            capabilities::log(&now);
            self.capabilities.store(Arc::new(now));
        }
        has_changed
    }

    fn capabilities(&self) -> Value {
        json!(**self.capabilities.load())
    }
}

/// The facts about one resource in the caches. `uid` is its uid.
pub fn observed(ctx: &Context, id: &ResourceId, uid: &str) -> Observed {
    Observed {
        children: ctx.children.lock().facts_of(uid),
        pods: ctx.operator.pods.lock().facts_of(id),
        capabilities: (**ctx.operator.capabilities.load()).clone(),
        ..Observed::default()
    }
}

/// The watch of pods.
pub struct WatchedPods;

impl Watched<Context> for WatchedPods {
    fn resource(&self) -> ApiResource {
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("", "v1", "Pod"), "pods")
    }

    fn begin_list(&self, ctx: &Context) -> u32 {
        ctx.operator.pods.lock().begin_list()
    }

    fn take(&self, ctx: &Context, raw: &RawObject) -> serde_json::Result<()> {
        let head = raw.head()?;
        let facts = facts::pod(&head, raw)?;
        let concerned = ctx.operator.pods.lock().take(&head, facts);
        concerned.iter().for_each(|id| ctx.enqueue(id));
        Ok(())
    }

    fn remove(&self, ctx: &Context, head: &Head) {
        let concerned = ctx.operator.pods.lock().remove(head);
        concerned.iter().for_each(|id| ctx.enqueue(id));
    }

    fn end_list(&self, ctx: &Context, list: ListRound<'_>) {
        let concerned = ctx.operator.pods.lock().end_list(list);
        concerned.iter().for_each(|id| ctx.enqueue(id));
    }
}
