//! The trait that each kind implements so that the operator reconciles it.

use std::{any::Any, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use k8s_openapi::{NamespaceResourceScope, apimachinery::pkg::apis::meta::v1::Condition};
use kube::{api::ApiResource, core::object::HasStatus};
use parking_lot::Mutex;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    cache::{
        Change, Claim, ListRound, Origin,
        raw::{Head, RawObject},
        resources::ResourceCache,
        status::fingerprint,
    },
    context::Context,
    error::Stopped,
    kinds::{Kinds, ListedKind, Reconciled, Summary, Watched},
    names::{Key, ResourceId, ResourceKind},
    operator::Operator,
    queue::Queue,
};

/// The status of a kind that the operator `O` reconciles.
pub trait ResourceStatus<O: Operator>: Serialize + Clone + Default {
    /// Its conditions, for metrics and `/status`.
    fn conditions(&self) -> &[Condition];

    /// How many revisions with pods it lists, for metrics.
    fn n_revisions(&self) -> usize {
        0
    }
}

/// A kind of namespaced resource that the operator `O` reconciles.
pub trait Resource<O: Operator>:
    kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + HasStatus<Status: ResourceStatus<O>>
    + Clone
    + fmt::Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// Its kind.
    const KIND: ResourceKind;

    /// Its claims, each with its value.
    fn claims(&self) -> Vec<(Claim, &str)> {
        Vec::new()
    }

    /// The resources that a change of this one concerns. By default, this is the resource itself if it was edited or marked for deletion.
    fn concerned(_ctx: &Context<O>, change: &Change<Self>) -> Vec<ResourceId> {
        if change.is_edit() { vec![id::<O, Self>(change)] } else { Vec::new() }
    }

    /// Brings the cluster to the state that the resource describes. Returns the time until the next reconcile if nothing changes before.
    fn reconcile(
        self: Arc<Self>,
        ctx: &Context<O>,
    ) -> impl Future<Output = Result<Option<Duration>, Stopped>> + Send;
}

/// The resource that changed.
pub fn id<O: Operator, R: Resource<O>>(change: &Change<R>) -> ResourceId {
    ResourceId::new(R::KIND, change.key.clone())
}

impl<O: Operator> Kinds<Context<O>> {
    /// The list with `R` at its end.
    #[must_use]
    pub fn with<R: Resource<O>>(mut self) -> Self {
        self.push(Arc::new(Typed::<R> {
            controller: R::KIND.as_str().to_lowercase(),
            cache: Mutex::new(ResourceCache::new(R::claims, O::precedence)),
            queue: Queue::default(),
        }));
        self
    }
}

impl<O: Operator> Context<O> {
    /// Takes the response to the operator's own write of a resource, so that the cache knows the new version before the watch reports it.
    pub fn take_answer<R: Resource<O>>(&self, resource: R) {
        let cache = self.kinds.cache::<R>(R::KIND);
        let change = cache.and_then(|cache| cache.lock().take(resource, Origin::Answer));
        enqueue_concerned(self, change);
    }

    /// Remembers the status that the operator decided for a resource, so that it notices if a watch reports another one.
    pub(crate) fn remember_status<R: Resource<O>>(&self, resource: &R, fingerprint: u64) {
        if let Some(cache) = self.kinds.cache::<R>(R::KIND) {
            cache.lock().decide_status(&Key::of(resource), fingerprint);
        }
    }

    /// Reconciles a resource as soon as the cache knows a newer version than this one.
    pub(crate) fn await_newer<R: Resource<O>>(&self, resource: &R) {
        let cache = self.kinds.cache::<R>(R::KIND);
        if cache.is_some_and(|cache| cache.lock().await_newer(resource)) {
            self.enqueue(&ResourceId::new(R::KIND, Key::of(resource)));
        }
    }

    /// The resources of one namespace that claim `value`, by name.
    pub fn claimants<R: Resource<O>>(&self, namespace: &Arc<str>, claim: Claim, value: &str) -> Vec<Arc<R>> {
        let cache = self.kinds.cache::<R>(R::KIND);
        cache.map(|cache| cache.lock().claimants(namespace, claim, value)).unwrap_or_default()
    }

    /// The first of them by precedence.
    pub fn first_claimant<R: Resource<O>>(
        &self,
        namespace: &Arc<str>,
        claim: Claim,
        value: &str,
    ) -> Option<Arc<R>> {
        self.kinds.cache::<R>(R::KIND)?.lock().first_claimant(namespace, claim, value)
    }

    /// The resources of kind `R` with a claim that the changed resource has or had.
    pub fn fellow_claimants<R: Resource<O>, C: Resource<O>>(
        &self,
        change: &Change<C>,
        claim: Claim,
    ) -> Vec<ResourceId> {
        let claims = change.before.iter().chain(&change.after).flat_map(|resource| resource.claims());
        let mut claimed: Vec<&str> =
            claims.filter(|(own, _)| *own == claim).map(|(_, value)| value).collect();
        claimed.dedup();
        let fellows =
            claimed.into_iter().flat_map(|value| self.claimants::<R>(&change.key.namespace, claim, value));
        fellows.map(|fellow| ResourceId::new(R::KIND, Key::of(&*fellow))).collect()
    }
}

fn enqueue_concerned<O: Operator, R: Resource<O>>(
    ctx: &Context<O>,
    changes: impl IntoIterator<Item = Change<R>>,
) {
    for change in changes {
        R::concerned(ctx, &change).iter().for_each(|id| ctx.enqueue(id));
    }
}

/// A kind in the list, with its type.
struct Typed<R> {
    controller: String,
    cache: Mutex<ResourceCache<R>>,
    queue: Queue,
}

impl<O: Operator, R: Resource<O>> Watched<Context<O>> for Typed<R> {
    fn resource(&self) -> ApiResource {
        ApiResource::erase::<R>(&())
    }

    fn is_labelled(&self) -> bool {
        false
    }

    fn begin_list(&self, _ctx: &Context<O>) -> u32 {
        self.cache.lock().begin_list()
    }

    fn take(&self, ctx: &Context<O>, raw: &RawObject) -> serde_json::Result<()> {
        let change = self.cache.lock().take(raw.typed()?, Origin::Watch);
        let newer = change.as_ref().and_then(|change| Some((change, change.after.as_ref()?)));
        if let Some((change, resource)) = newer {
            let decided = self.cache.lock().decided_status(&change.key);
            if decided.is_not(|| fingerprint(&json!(resource.status()), O::writes_condition)) {
                ctx.enqueue(&id::<O, R>(change));
            }
        }
        enqueue_concerned(ctx, change);
        Ok(())
    }

    fn remove(&self, ctx: &Context<O>, head: &Head) {
        let change = self.cache.lock().remove(&Key::new(&head.namespace, &head.name));
        enqueue_concerned(ctx, change);
    }

    fn end_list(&self, ctx: &Context<O>, list: ListRound<'_>) {
        let gone = self.cache.lock().end_list(list);
        enqueue_concerned(ctx, gone);
    }
}

impl<O: Operator, R: Resource<O>> ListedKind<Context<O>> for Typed<R> {
    fn kind(&self) -> ResourceKind {
        R::KIND
    }

    fn controller(&self) -> &str {
        &self.controller
    }

    fn queue(&self) -> &Queue {
        &self.queue
    }

    fn keys(&self) -> Vec<Key> {
        self.cache.lock().keys()
    }

    fn summaries(&self) -> Vec<Summary> {
        let summary = |resource: &Arc<R>| {
            let status = resource.status();
            Summary {
                conditions: status.map(|status| status.conditions().to_vec()).unwrap_or_default(),
                n_revisions: status.map_or(0, ResourceStatus::n_revisions),
            }
        };
        self.cache.lock().iter().map(summary).collect()
    }

    fn reconcile<'a>(
        &'a self,
        ctx: &'a Context<O>,
        key: &'a Key,
    ) -> Pin<Box<dyn Future<Output = Reconciled> + Send + 'a>> {
        Box::pin(async move {
            let resource = self.cache.lock().get(key);
            let resource = resource.filter(|resource| resource.meta().deletion_timestamp.is_none())?;
            Some(resource.reconcile(ctx).await)
        })
    }

    fn cache(&self) -> &dyn Any {
        &self.cache
    }
}
