//! What exists, as the watches reported it: resources and children. Kept small, and indexed by what is asked.

pub mod children;
pub mod raw;
pub mod resources;
pub mod status;

use std::sync::Arc;

use kube::Resource;

use crate::names::Key;

/// A name that a resource claims in its namespace, such as `objective`. Of several resources that claim the same value one goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim(pub &'static str);

/// A resource as it was, and as it is.
#[derive(Debug)]
pub struct Change<R> {
    /// Its namespace and name.
    pub key: Key,
    /// Before, if it was known.
    pub before: Option<Arc<R>>,
    /// Now, if it still exists.
    pub after: Option<Arc<R>>,
}

impl<R: Resource> Change<R> {
    /// Whether more changed than the status: the spec did, or the resource came, began to go, or went.
    pub fn is_edit(&self) -> bool {
        let edition = |resource: &Arc<R>| {
            let meta = resource.meta();
            (meta.generation, meta.deletion_timestamp.is_some())
        };
        self.before.as_ref().map(edition) != self.after.as_ref().map(edition)
    }
}

/// A list that has ended: what it did not name is gone.
#[derive(Clone, Copy, Debug)]
pub struct ListRound<'a> {
    /// The number that its beginning returned.
    pub round: u32,
    /// The namespace that was listed; all of them, if none.
    pub namespace: Option<&'a str>,
}

impl ListRound<'_> {
    /// Whether the list names the objects of this namespace.
    pub fn covers(&self, namespace: &str) -> bool {
        self.namespace.is_none_or(|listed| listed == namespace)
    }
}

/// Where an object was learned of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From a watch, or the list that begins it.
    Watch,
    /// From the answer to an own write. It may arrive after the watch reported the object gone, and so brings nothing back; and it is no part
    /// of a list: an object that a list does not name goes, whatever was answered in the meantime.
    Answer,
}
