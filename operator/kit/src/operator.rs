//! What an operator brings along.

use std::{cmp::Ordering, future::Future, sync::Arc};

use kube::{Client, api::ObjectMeta};
use serde_json::Value;

use crate::{cache::children::ChildFacts, child::ChildKind, names::Names, watch::Watched};

/// An operator: its names, and what each of its reconciles is given beside the caches.
pub trait Operator: Send + Sync + Sized + 'static {
    /// The names by which the API server knows it.
    const NAMES: Names;

    /// What the cache keeps of each child.
    type ChildFacts: ChildFacts;

    /// Whether the operator writes conditions of this type. Conditions of other types stay in a status as they are.
    fn writes_condition(type_: &str) -> bool;

    /// Which of two resources goes first where both claim the same.
    fn precedence(one: &ObjectMeta, other: &ObjectMeta) -> Ordering;

    /// Watches beside those of its resources and their children.
    fn more_watches(&self) -> Vec<Arc<dyn Watched<Self>>> {
        Vec::new()
    }

    /// Whether this cluster serves the API of a kind of child.
    fn is_served(&self, _kind: ChildKind) -> bool {
        true
    }

    /// Asks which APIs the cluster has; returns whether that changed.
    fn discover(&self, _client: &Client) -> impl Future<Output = bool> + Send {
        async { false }
    }

    /// The APIs that were found, for `/status`.
    fn capabilities(&self) -> Value {
        Value::Null
    }
}
