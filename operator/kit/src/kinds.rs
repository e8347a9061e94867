//! The list of kinds that the operator reconciles: each with its cache and its queue.

use std::{any::Any, future::Future, pin::Pin, sync::Arc, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::ApiResource;
use parking_lot::Mutex;

use crate::{
    cache::{
        Origin,
        raw::{Head, RawObject},
        resources::ResourceCache,
    },
    context::Context,
    error::Stopped,
    names::{Key, ResourceKind},
    operator::Operator,
    queue::Queue,
    resource::{Change, Resource},
    watch::{ListRound, Watched},
};

/// How a reconcile ended; `None` where the resource is gone, or about to go: its children go with it, by their owner references.
pub type Reconciled = Option<Result<Option<Duration>, Stopped>>;

/// A resource as metrics and `/status` show it.
pub struct Summary {
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// How many revisions with pods it has.
    pub n_revisions: usize,
}

/// A kind in the list, whatever its type.
pub trait ListedKind<O: Operator>: Watched<O> {
    /// Which kind it is.
    fn kind(&self) -> ResourceKind;
    /// The name of its controller in metrics: the kind in lower case.
    fn controller(&self) -> &str;
    /// What waits for a reconcile.
    fn queue(&self) -> &Queue;
    /// The resources that exist.
    fn keys(&self) -> Vec<Key>;
    /// What metrics and `/status` show of each.
    fn summaries(&self) -> Vec<Summary>;
    /// Reconciles one resource.
    fn reconcile<'a>(
        &'a self,
        ctx: &'a Context<O>,
        key: &'a Key,
    ) -> Pin<Box<dyn Future<Output = Reconciled> + Send + 'a>>;
    /// Itself, to find the typed cache.
    fn as_any(&self) -> &dyn Any;
}

/// Every kind that the operator reconciles, in the order of the list.
pub struct Kinds<O>(Vec<Arc<dyn ListedKind<O>>>);

impl<O: Operator> Default for Kinds<O> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<O: Operator> Kinds<O> {
    /// The list with `R` at its end.
    #[must_use]
    pub fn with<R: Resource<O>>(mut self) -> Self {
        self.0.push(Arc::new(Typed::<O, R> {
            controller: R::KIND.as_str().to_lowercase(),
            cache: Mutex::default(),
            queue: Queue::default(),
        }));
        self
    }

    /// Each kind of the list.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn ListedKind<O>>> {
        self.0.iter()
    }

    /// The kind of this name in the list.
    pub fn named(&self, name: &str) -> Option<ResourceKind> {
        self.iter().map(|listed| listed.kind()).find(|kind| kind.as_str() == name)
    }

    /// The entry of a kind.
    pub fn get(&self, kind: ResourceKind) -> Option<&Arc<dyn ListedKind<O>>> {
        self.iter().find(|listed| listed.kind() == kind)
    }

    /// The resources of one kind, if it is in the list.
    pub fn cache<R: Resource<O>>(&self) -> Option<&Mutex<ResourceCache<O, R>>> {
        let typed = self.get(R::KIND)?.as_any().downcast_ref::<Typed<O, R>>()?;
        Some(&typed.cache)
    }
}

struct Typed<O, R> {
    controller: String,
    cache: Mutex<ResourceCache<O, R>>,
    queue: Queue,
}

fn enqueue_concerned<O: Operator, R: Resource<O>>(
    ctx: &Context<O>,
    changes: impl IntoIterator<Item = Change<R>>,
) {
    for change in changes {
        R::concerned(ctx, &change).iter().for_each(|id| ctx.enqueue(id));
    }
}

impl<O: Operator, R: Resource<O>> Typed<O, R> {
    fn take(&self, ctx: &Context<O>, resource: R, origin: Origin) {
        let change = self.cache.lock().take(resource, origin);
        enqueue_concerned(ctx, change);
    }
}

impl<O: Operator> Kinds<O> {
    /// Takes the answer to an own write of a resource.
    pub fn take_answer<R: Resource<O>>(&self, ctx: &Context<O>, resource: R) {
        let typed = self.get(R::KIND).and_then(|listed| listed.as_any().downcast_ref::<Typed<O, R>>());
        if let Some(typed) = typed {
            typed.take(ctx, resource, Origin::Answer);
        }
    }
}

impl<O: Operator, R: Resource<O>> Watched<O> for Typed<O, R> {
    fn resource(&self) -> ApiResource {
        ApiResource::erase::<R>(&())
    }

    fn selector(&self) -> Option<String> {
        None
    }

    fn begin_list(&self, _ctx: &Context<O>) -> u32 {
        self.cache.lock().begin_list()
    }

    fn take(&self, ctx: &Context<O>, raw: &RawObject) -> serde_json::Result<()> {
        Typed::take(self, ctx, raw.typed()?, Origin::Watch);
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

impl<O: Operator, R: Resource<O>> ListedKind<O> for Typed<O, R> {
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
        let summary =
            |r: &Arc<R>| Summary { conditions: r.conditions().to_vec(), n_revisions: r.n_revisions() };
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

    fn as_any(&self) -> &dyn Any {
        self
    }
}
