//! The list of kinds that the operator reconciles. `C` is the context of their reconciles.

use std::{any::Any, future::Future, pin::Pin, sync::Arc, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::ApiResource;
use parking_lot::Mutex;

use crate::{
    cache::{
        ListRound,
        raw::{Head, RawObject},
        resources::ResourceCache,
    },
    error::Stopped,
    names::{Key, ResourceKind},
    queue::Queue,
};

/// What a watch fills: a cache of one kind of object.
pub trait Watched<C>: Send + Sync {
    /// The API that is watched.
    fn resource(&self) -> ApiResource;

    /// Whether the watch selects only objects with the operator's label.
    fn is_labelled(&self) -> bool {
        true
    }

    /// Begins a list, and returns its number.
    fn begin_list(&self, ctx: &C) -> u32;

    /// Takes an object that exists.
    ///
    /// # Errors
    /// The object does not have the form of its kind.
    fn take(&self, ctx: &C, raw: &RawObject) -> serde_json::Result<()>;

    /// Whether the response to one of the operator's own writes already contained this version, so that it need not be read again.
    fn is_own_write(&self, _ctx: &C, _raw: &RawObject) -> bool {
        false
    }

    /// Removes an object that is gone.
    fn remove(&self, ctx: &C, head: &Head);

    /// Ends a list: removes the objects that it did not contain.
    fn end_list(&self, ctx: &C, list: ListRound<'_>);
}

/// The result of a reconcile; `None` if the resource is gone or being deleted. Kubernetes then deletes its children by their owner references.
pub type Reconciled = Option<Result<Option<Duration>, Stopped>>;

/// A resource as metrics and `/status` show it.
pub struct Summary {
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// How many revisions with pods it has.
    pub n_revisions: usize,
}

/// A kind in the list, independent of its type.
pub trait ListedKind<C>: Watched<C> {
    /// Which kind it is.
    fn kind(&self) -> ResourceKind;
    /// The name of its controller in metrics: the kind in lower case.
    fn controller(&self) -> &str;
    /// The resources that wait for a reconcile.
    fn queue(&self) -> &Queue;
    /// The resources that exist.
    fn keys(&self) -> Vec<Key>;
    /// The summary of each resource, for metrics and `/status`.
    fn summaries(&self) -> Vec<Summary>;
    /// Reconciles one resource.
    fn reconcile<'a>(
        &'a self,
        ctx: &'a C,
        key: &'a Key,
    ) -> Pin<Box<dyn Future<Output = Reconciled> + Send + 'a>>;
    /// Its resources: a `Mutex<ResourceCache<R>>`.
    fn cache(&self) -> &dyn Any;
}

/// Every kind that the operator reconciles, in the order of the list.
pub struct Kinds<C>(Vec<Arc<dyn ListedKind<C>>>);

impl<C> Default for Kinds<C> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<C> Kinds<C> {
    /// Adds a kind to the list.
    pub fn push(&mut self, kind: Arc<dyn ListedKind<C>>) {
        self.0.push(kind);
    }

    /// Each kind of the list.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn ListedKind<C>>> {
        self.0.iter()
    }

    /// The kind of this name in the list.
    pub fn named(&self, name: &str) -> Option<ResourceKind> {
        self.iter().map(|listed| listed.kind()).find(|kind| kind.as_str() == name)
    }

    /// The entry of a kind.
    pub fn get(&self, kind: ResourceKind) -> Option<&Arc<dyn ListedKind<C>>> {
        self.iter().find(|listed| listed.kind() == kind)
    }

    /// The resources of a kind whose type is `R`, if it is in the list.
    pub fn cache<R: 'static>(&self, kind: ResourceKind) -> Option<&Mutex<ResourceCache<R>>> {
        self.get(kind)?.cache().downcast_ref()
    }
}
