//! The context of every reconcile: the kit's caches, and Marquee's pods, APIs of the cluster and settings.

use std::{cmp::Ordering, sync::Arc};

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
}

impl Marquee {
    /// A context without pods and optional APIs. One of `pod_labels` names the resource of a pod.
    pub fn new(settings: Settings, pod_labels: &'static [PodLabel]) -> Self {
        Self { pods: Mutex::new(PodCache::new(pod_labels)), capabilities: ArcSwap::default(), settings }
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

    /// The older one goes first, unless it is being deleted: the next one starts its pods meanwhile.
    fn precedence(one: &ObjectMeta, other: &ObjectMeta) -> Ordering {
        precedence(one, other)
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

/// Order of two resources that claim the same value: one that stays before one that is being deleted, then the older one.
pub fn precedence(one: &ObjectMeta, other: &ObjectMeta) -> Ordering {
    let is_leaving = |meta: &ObjectMeta| meta.deletion_timestamp.is_some();
    is_leaving(one).cmp(&is_leaving(other)).then_with(|| pod_config::older(one, other))
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

#[cfg(test)]
mod tests {
    use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

    use super::*;

    #[test]
    fn the_older_one_goes_first_unless_it_is_being_deleted() {
        let at = |second| Some(Time(Timestamp::from_second(second).unwrap()));
        let meta = |created, deleted: Option<i64>| ObjectMeta {
            creation_timestamp: at(created),
            deletion_timestamp: deleted.and_then(at),
            ..ObjectMeta::default()
        };
        #[rustfmt::skip]
        let cases = [
            ("the older one",                      meta(1, None),    meta(2, None),    Ordering::Less),
            ("the older one is being deleted",     meta(1, Some(9)), meta(2, None),    Ordering::Greater),
            ("the younger one is being deleted",   meta(1, None),    meta(2, Some(9)), Ordering::Less),
            ("both are being deleted",             meta(1, Some(9)), meta(2, Some(9)), Ordering::Less),
        ];
        for (why, one, other, expected) in cases {
            assert_eq!(precedence(&one, &other), expected, "{why}");
        }
    }
}
