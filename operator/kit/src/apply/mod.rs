//! Brings the children to the desired state: creates missing children, applies changed ones, and deletes those that are no longer desired.
//!
//! A plain request creates a child. It fails if an object of that name exists, so the operator never takes over an object of another owner.
//! Later writes are forced server-side applies, which remove fields that the operator stops setting and keep fields of other writers.

mod matching;
mod ownership;
mod requests;

use std::time::Duration;

use kube::Resource;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tracing::{debug, info};

use crate::{
    cache::children::{ChildFacts as _, KnownChild},
    child::{AppliedChild, Child, ChildKind},
    context::Context,
    error::{Error, Result, Stopped},
    operator::Operator,
};

/// The result of an apply for one resource.
#[derive(Debug, Default)]
pub struct Applied {
    /// Children that exist as planned or are kept unchanged.
    pub children: Vec<AppliedChild>,
    /// Number of children that were written.
    pub written: usize,
    /// Children that were changed by hand and restored.
    pub drift: Vec<Drift>,
    /// The first error.
    pub error: Option<Error>,
}

impl Applied {
    /// The result of the reconcile: when to reconcile again, or the error.
    ///
    /// # Errors
    /// The first error.
    pub fn end(self, look_again: Option<Duration>) -> std::result::Result<Option<Duration>, Stopped> {
        let made_progress = self.written > 0;
        self.error.map_or(Ok(look_again), |error| Err(Stopped { error, made_progress }))
    }

    /// The result of the reconcile if the status could not be written.
    pub fn without_status(self, error: Error) -> Stopped {
        Stopped { error, made_progress: self.written > 0 }
    }
}

/// A child that was changed by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Its kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
    /// The path of the first difference; `None` if the child lacked the label that the watch selects by.
    pub field: Option<String>,
}

/// What a child needs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    Create,
    Apply,
    Mend(String),
}

/// The resource that children belong to.
#[derive(Clone, Copy)]
pub struct Owner<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its identity.
    pub uid: &'a str,
}

impl<'a> Owner<'a> {
    /// `resource` as an owner. A resource that the API server stores always has a namespace and a uid.
    pub fn of(resource: &'a impl Resource) -> Self {
        let meta = resource.meta();
        Self {
            namespace: meta.namespace.as_deref().unwrap_or_default(),
            uid: meta.uid.as_deref().unwrap_or_default(),
        }
    }
}

/// Brings the children of `owner` to the desired state. If one child fails, the others are still written, but nothing is deleted.
pub async fn children<O: Operator>(ctx: &Context<O>, owner: Owner<'_>, desired: &[Child]) -> Applied {
    let mut applied = Applied::default();
    applied.children.extend(desired.iter().filter(|child| child.keep_as_is).map(AppliedChild::from));
    let mut order: Vec<&Child> = desired.iter().filter(|child| !child.keep_as_is).collect();
    order.sort_by_key(|child| child.kind);
    for child in order {
        match one(ctx, owner, child, &mut applied).await {
            Ok(exists) => applied.children.extend(exists.then(|| child.into())),
            Err(error) => {
                let no_more = error.is_outage() || error.is_namespace_terminating();
                applied.error.get_or_insert(error);
                if no_more {
                    return applied;
                }
            }
        }
    }
    if applied.error.is_none() {
        applied.error = prune(ctx, owner, desired, &mut applied).await.err();
    }
    applied
}

/// Writes one child. Returns whether the child then exists as planned; a child that is being deleted must be gone first.
async fn one<O: Operator>(
    ctx: &Context<O>,
    owner: Owner<'_>,
    child: &Child,
    applied: &mut Applied,
) -> Result<bool> {
    let hash = hash(child);
    let known = ctx.children.lock().known(owner.uid, child.kind, &child.name);
    match need(child, hash, known.as_ref()) {
        Need::Nothing => {
            let is_going = known.as_ref().is_some_and(|known| known.is_deleting);
            if known.is_some_and(|known| known.text.is_some() && !known.is_deleting) {
                ctx.children.lock().settle(owner.uid, child.kind, &child.name);
            }
            return Ok(!is_going);
        }
        Need::Create => {
            let body = annotated(child, O::NAMES.applied, hash);
            if requests::create(ctx, owner, child, &body).await? {
                debug!(kind = child.kind.kind(), name = child.name, "created a child");
            } else {
                // The child existed without the label that the watch selects by.
                requests::apply(ctx, owner, child, &body, None).await?;
                drifted(ctx, child, None, applied);
            }
        }
        Need::Apply => {
            ctx.children.lock().expect(owner.uid, child.kind, &child.name, hash);
            requests::apply(ctx, owner, child, &annotated(child, O::NAMES.applied, hash), known.as_ref())
                .await?;
        }
        Need::Mend(field) => {
            requests::apply(ctx, owner, child, &annotated(child, O::NAMES.applied, hash), known.as_ref())
                .await?;
            drifted(ctx, child, Some(field), applied);
        }
    }
    applied.written += 1;
    Ok(true)
}

fn drifted<O: Operator>(ctx: &Context<O>, child: &Child, field: Option<String>, applied: &mut Applied) {
    info!(kind = child.kind.kind(), name = child.name, field, "restored a child that was changed by hand");
    ctx.metrics.drift.with_label_values(&[child.kind.kind()]).inc();
    applied.drift.push(Drift { kind: child.kind, name: child.name.clone(), field });
}

/// The hash of the desired child.
fn hash(child: &Child) -> u64 {
    let digest = Sha256::digest(child.body.to_string());
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// The child with its hash in an annotation, so that a restarted operator knows what was applied.
fn annotated(child: &Child, annotation: &str, hash: u64) -> Value {
    let mut body = child.body.clone();
    if let Some(metadata) = body["metadata"].as_object_mut() {
        let annotations =
            metadata.entry("annotations").or_insert_with(|| Value::Object(serde_json::Map::new()));
        annotations[annotation] = format!("{hash:016x}").into();
    }
    body
}

/// Pure: what `child` needs.
fn need(child: &Child, hash: u64, known: Option<&KnownChild>) -> Need {
    let Some(known) = known else { return Need::Create };
    if known.is_deleting {
        // The watch reports the end of the deletion, which starts the next reconcile.
        return Need::Nothing;
    }
    if known.applied != Some(hash) {
        return Need::Apply;
    }
    let Some(text) = &known.text else { return Need::Nothing };
    match serde_json::from_str::<Value>(text) {
        Ok(actual) => {
            matching::difference(child.kind, &child.body, &actual).map_or(Need::Nothing, Need::Mend)
        }
        Err(_) => Need::Apply,
    }
}

/// Deletes the children of `owner` that are not desired.
async fn prune<O: Operator>(
    ctx: &Context<O>,
    owner: Owner<'_>,
    desired: &[Child],
    applied: &mut Applied,
) -> Result<()> {
    let existing = ctx.children.lock().facts_of(owner.uid);
    let is_desired = |facts: &O::ChildFacts| desired.iter().any(|child| facts.is(child.kind, &child.name));
    let mut surplus: Vec<_> =
        existing.into_iter().filter(|facts| !facts.is_deleting() && !is_desired(facts)).collect();
    // The reverse order of application: pods are deleted before the objects that they mount.
    surplus.sort_by_key(|facts| std::cmp::Reverse(facts.kind()));
    for facts in surplus {
        requests::delete(ctx, owner, facts.kind(), facts.name()).await?;
        debug!(kind = facts.kind().kind(), name = facts.name(), "deleted a child");
        applied.written += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn child(replicas: i32) -> Child {
        let body = json!({"metadata": {"name": "d"}, "spec": {"replicas": replicas}});
        Child { kind: ChildKind::Deployment, name: "d".into(), body, keep_as_is: false }
    }

    fn known(applied: u64, text: Option<&str>, deleting: bool) -> KnownChild {
        KnownChild {
            is_deleting: deleting,
            applied: Some(applied),
            text: text.map(Into::into),
            created_entry: None,
            own_replicas: None,
        }
    }

    #[test]
    fn a_child_is_written_only_where_it_has_to_be() {
        let hash = hash(&child(1));
        let body = annotated(&child(1), "applied", hash);
        let changed = body.to_string().replace(":1", ":2");
        #[rustfmt::skip]
        let cases = [
            ("it is not there",                        None,                                           Need::Create),
            ("it is as it should be",                  Some(known(hash, Some(&body.to_string()), false)), Need::Nothing),
            ("it was found to be so before",           Some(known(hash, None, false)),                 Need::Nothing),
            ("the desired child changed",                 Some(known(hash + 1, None, false)),             Need::Apply),
            ("somebody changed it",                    Some(known(hash, Some(&changed), false)),       Need::Mend("spec.replicas".into())),
            ("it goes, and comes back when it is gone", Some(known(hash, Some(&changed), true)),        Need::Nothing),
        ];
        for (why, known, expected) in cases {
            assert_eq!(need(&child(1), hash, known.as_ref()), expected, "{why}");
        }
    }

    #[test]
    fn the_hash_is_that_of_the_desired_child_alone() {
        assert_eq!(hash(&child(1)), hash(&child(1)));
        assert_ne!(hash(&child(1)), hash(&child(2)));
        let hash = hash(&child(1));
        let body = annotated(&child(1), "applied", hash);
        assert_eq!(body["metadata"]["annotations"]["applied"], format!("{hash:016x}"));
    }
}
