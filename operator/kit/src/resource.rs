//! A kind that the operator reconciles: the one trait to implement for the next.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use k8s_openapi::{NamespaceResourceScope, apimachinery::pkg::apis::meta::v1::Condition};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    context::Context,
    error::Stopped,
    names::{Key, ResourceId, ResourceKind},
    operator::Operator,
};

/// A name that a resource claims in its namespace, such as `objective`. Of several resources that claim the same value one goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim(pub &'static str);

/// A kind of namespaced resource that the operator `O` reconciles.
pub trait Resource<O: Operator>:
    kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + fmt::Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// Its status.
    type Status: Serialize + Clone + Default;
    /// Its kind.
    const KIND: ResourceKind;

    /// Its status, once it has one.
    fn status(&self) -> Option<&Self::Status>;

    /// The conditions of its status, for metrics and `/status`.
    fn conditions(&self) -> &[Condition] {
        &[]
    }

    /// How many revisions with pods it has, for metrics.
    fn n_revisions(&self) -> usize {
        0
    }

    /// What it claims: each claim with the value.
    fn claims(&self) -> Vec<(Claim, &str)> {
        Vec::new()
    }

    /// The resources that a change of this one concerns. By default the resource itself, once it was edited or began to be deleted.
    fn concerned(_ctx: &Context<O>, change: &Change<Self>) -> Vec<ResourceId> {
        if change.is_edit() { vec![change.id()] } else { Vec::new() }
    }

    /// Makes the cluster what the resource says; returns after how long to look again although nothing changed.
    fn reconcile(
        self: Arc<Self>,
        ctx: &Context<O>,
    ) -> impl Future<Output = Result<Option<Duration>, Stopped>> + Send;
}

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

impl<R: kube::Resource> Change<R> {
    /// Which resource changed.
    pub fn id<O: Operator>(&self) -> ResourceId
    where
        R: Resource<O>,
    {
        ResourceId::new(R::KIND, self.key.clone())
    }

    /// Whether more changed than the status: the spec did, or the resource came, began to go, or went.
    pub fn is_edit(&self) -> bool {
        let edition = |resource: &Arc<R>| {
            let meta = resource.meta();
            (meta.generation, meta.deletion_timestamp.is_some())
        };
        self.before.as_ref().map(edition) != self.after.as_ref().map(edition)
    }

    /// The values of `claim` before and after, each once.
    pub fn claimed<O: Operator>(&self, claim: Claim) -> Vec<&str>
    where
        R: Resource<O>,
    {
        let claims = self.before.iter().chain(&self.after).flat_map(|resource| resource.claims());
        let mut claimed: Vec<&str> = claims.filter(|(of, _)| *of == claim).map(|(_, value)| value).collect();
        claimed.dedup();
        claimed
    }
}
