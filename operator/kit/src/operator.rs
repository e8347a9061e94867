//! What each operator defines for itself.

use std::{cmp::Ordering, future::Future};

use kube::{Client, api::ObjectMeta};
use serde_json::Value;

use crate::{cache::children::ChildFacts, child::ChildKind, names::Names};

/// An operator: its names, and its own part of the context of each reconcile.
pub trait Operator: Send + Sync + Sized + 'static {
    /// The names by which the API server knows it.
    const NAMES: Names;

    /// The facts that the cache keeps of each child.
    type ChildFacts: ChildFacts;

    /// Whether the operator writes conditions of this type. Conditions of other types stay unchanged in a status.
    fn writes_condition(type_: &str) -> bool;

    /// Which of two resources has precedence if both claim the same value.
    fn precedence(one: &ObjectMeta, other: &ObjectMeta) -> Ordering;

    /// Whether this cluster serves the API of a kind of child.
    fn is_served(&self, _kind: ChildKind) -> bool {
        true
    }

    /// Asks which APIs the cluster has, and returns whether they have changed.
    fn discover(&self, _client: &Client) -> impl Future<Output = bool> + Send {
        async { false }
    }

    /// The discovered APIs, for `/status`.
    fn capabilities(&self) -> Value {
        Value::Null
    }
}
