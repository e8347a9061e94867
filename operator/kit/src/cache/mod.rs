//! The resources and children that exist, as the watches reported them. The caches are small, and have an index for each query.

pub mod children;
pub mod raw;
pub mod resources;
pub mod status;

use std::sync::Arc;

use kube::Resource;

use crate::names::Key;

/// A name that a resource claims in its namespace, such as `objective`. If several resources claim the same value, one of them takes precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim(pub &'static str);

/// A resource before and after a change.
#[derive(Debug)]
pub struct Change<R> {
    /// Its namespace and name.
    pub key: Key,
    /// The resource before the change, if the cache knew it.
    pub before: Option<Arc<R>>,
    /// The resource after the change, if it still exists.
    pub after: Option<Arc<R>>,
}

impl<R: Resource> Change<R> {
    /// Whether more than the status changed: the spec changed, or the resource was created, marked for deletion, or deleted.
    pub fn is_edit(&self) -> bool {
        let edition = |resource: &Arc<R>| {
            let meta = resource.meta();
            (meta.generation, meta.deletion_timestamp.is_some())
        };
        self.before.as_ref().map(edition) != self.after.as_ref().map(edition)
    }
}

/// A list that has ended. Objects that it did not contain are gone.
#[derive(Clone, Copy, Debug)]
pub struct ListRound<'a> {
    /// The number that `begin_list` returned.
    pub round: u32,
    /// The listed namespace; `None` means all namespaces.
    pub namespace: Option<&'a str>,
}

impl ListRound<'_> {
    /// Whether the list covers this namespace.
    pub fn covers(&self, namespace: &str) -> bool {
        self.namespace.is_none_or(|listed| listed == namespace)
    }
}

/// The source of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A watch, or the list that begins it.
    Watch,
    /// The response to one of the operator's own writes. It may arrive after the watch reported the deletion, so it never adds an object that
    /// the cache has removed. It is not part of a list: an object that a list does not contain is removed, even if a response contained it
    /// in the meantime.
    Answer,
}
