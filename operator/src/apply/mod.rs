//! Makes the children what they should be: creates what is missing, applies what differs, prunes what is no longer wanted.
//!
//! A child is created by a plain request, which fails where an object of that name exists: nobody's object is taken over. Whatever
//! comes later is applied (server-side, forced), so that fields that the operator stops naming go, and fields of others stay.

mod matching;
mod ownership;
mod requests;

pub use requests::resource;

use std::time::Duration;

use kube::Resource;
use marquee_crds::labels;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tracing::{debug, info};

use crate::{
    child::{AppliedChild, Child, ChildKind},
    context::Context,
    error::{Error, Result, Stopped},
    world::children::Known,
};

/// What was written for one resource.
#[derive(Debug, Default)]
pub struct Applied {
    /// Children that exist as planned, or are kept as they are.
    pub children: Vec<AppliedChild>,
    /// Children that were written.
    pub written: usize,
    /// Children that were changed by hand and put back.
    pub drift: Vec<Drift>,
    /// The first thing that went wrong.
    pub error: Option<Error>,
}

impl Applied {
    /// How the reconcile ends: with when to look again, or with what went wrong.
    ///
    /// # Errors
    /// What went wrong.
    pub fn end(self, look_again: Option<Duration>) -> std::result::Result<Option<Duration>, Stopped> {
        let further = self.written > 0;
        self.error.map_or(Ok(look_again), |error| Err(Stopped { error, further }))
    }

    /// How it ends where the status could not be told.
    pub fn untold(self, error: Error) -> Stopped {
        Stopped { error, further: self.written > 0 }
    }
}

/// A child that was not as it was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Of which kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
    /// Where it differed first; none where all of it was gone.
    pub field: Option<String>,
}

/// What has to be done about a child.
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
    /// Of a resource that the API server holds, which always has both.
    pub fn of(resource: &'a impl Resource) -> Self {
        let meta = resource.meta();
        Self {
            namespace: meta.namespace.as_deref().unwrap_or_default(),
            uid: meta.uid.as_deref().unwrap_or_default(),
        }
    }
}

/// Makes the children of `owner` those of the plan. What one child fails for does not hold up the others, but nothing is pruned then.
pub async fn children(ctx: &Context, owner: Owner<'_>, wanted: &[Child]) -> Applied {
    let mut applied = Applied::default();
    applied.children.extend(wanted.iter().filter(|child| child.keep_as_is).map(AppliedChild::from));
    let mut order: Vec<&Child> = wanted.iter().filter(|child| !child.keep_as_is).collect();
    order.sort_by_key(|child| child.kind);
    for child in order {
        match one(ctx, owner, child, &mut applied).await {
            Ok(exists) => applied.children.extend(exists.then(|| child.into())),
            Err(error) => {
                let outage = error.is_outage();
                applied.error.get_or_insert(error);
                if outage {
                    return applied;
                }
            }
        }
    }
    if applied.error.is_none() {
        applied.error = prune(ctx, owner, wanted, &mut applied).await.err();
    }
    applied
}

/// Says whether the child exists as planned afterwards: one that is being deleted has to go first.
async fn one(ctx: &Context, owner: Owner<'_>, child: &Child, applied: &mut Applied) -> Result<bool> {
    let hash = hash(child);
    let known = ctx.world.children.lock().known(owner.uid, child.kind, &child.name);
    match need(child, hash, known.as_ref()) {
        Need::Nothing => {
            let is_going = known.as_ref().is_some_and(|known| known.deleting);
            if known.is_some_and(|known| known.text.is_some() && !known.deleting) {
                ctx.world.children.lock().settle(owner.uid, child.kind, &child.name);
            }
            return Ok(!is_going);
        }
        Need::Create => {
            let body = marked(child, hash);
            if requests::create(ctx, owner, child, &body).await? {
                debug!(kind = child.kind.kind(), name = child.name, "made a child");
            } else {
                // It was there, without the label by which it is watched.
                requests::apply(ctx, owner, child, &body, None).await?;
                drifted(ctx, child, None, applied);
            }
        }
        Need::Apply => {
            ctx.world.children.lock().expect(owner.uid, child.kind, &child.name, hash);
            requests::apply(ctx, owner, child, &marked(child, hash), known.as_ref()).await?;
        }
        Need::Mend(field) => {
            requests::apply(ctx, owner, child, &marked(child, hash), known.as_ref()).await?;
            drifted(ctx, child, Some(field), applied);
        }
    }
    applied.written += 1;
    Ok(true)
}

fn drifted(ctx: &Context, child: &Child, field: Option<String>, applied: &mut Applied) {
    info!(kind = child.kind.kind(), name = child.name, field, "put back what was changed by hand");
    ctx.metrics.drift.with_label_values(&[child.kind.kind()]).inc();
    applied.drift.push(Drift { kind: child.kind, name: child.name.clone(), field });
}

/// The hash of what is wished for.
fn hash(child: &Child) -> u64 {
    let digest = Sha256::digest(child.body.to_string());
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// The child with its hash in an annotation, so that an operator that starts anew knows what was applied.
fn marked(child: &Child, hash: u64) -> Value {
    let mut body = child.body.clone();
    if let Some(metadata) = body["metadata"].as_object_mut() {
        let annotations =
            metadata.entry("annotations").or_insert_with(|| Value::Object(serde_json::Map::new()));
        annotations[labels::APPLIED] = format!("{hash:016x}").into();
    }
    body
}

/// Pure: what has to be done about `child`.
fn need(child: &Child, hash: u64, known: Option<&Known>) -> Need {
    let Some(known) = known else { return Need::Create };
    if known.deleting {
        // The news that it is gone comes by itself, and brings it back here.
        return Need::Nothing;
    }
    if known.applied != Some(hash) {
        return Need::Apply;
    }
    let Some(text) = &known.text else { return Need::Nothing };
    match serde_json::from_str::<Value>(text) {
        Ok(live) => matching::difference(child.kind, &child.body, &live).map_or(Need::Nothing, Need::Mend),
        Err(_) => Need::Apply,
    }
}

/// Deletes the children of `owner` that the plan does not name.
async fn prune(ctx: &Context, owner: Owner<'_>, wanted: &[Child], applied: &mut Applied) -> Result<()> {
    let there = ctx.world.children.lock().of(owner.uid);
    let named = |kind, name: &str| wanted.iter().any(|child| child.kind == kind && child.name == name);
    let mut surplus: Vec<_> =
        there.into_iter().filter(|child| !child.deleting && !named(child.kind, &child.name)).collect();
    // The last that was made goes first: pods before what they mount.
    surplus.sort_by_key(|child| std::cmp::Reverse(child.kind));
    for child in surplus {
        requests::delete(ctx, owner, child.kind, &child.name).await?;
        debug!(kind = child.kind.kind(), name = child.name, "pruned a child");
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

    fn known(applied: u64, text: Option<&str>, deleting: bool) -> Known {
        Known { deleting, applied: Some(applied), text: text.map(Into::into), made_by: None, replicas: None }
    }

    #[test]
    fn a_child_is_written_only_where_it_has_to_be() {
        let hash = hash(&child(1));
        let body = marked(&child(1), hash);
        let changed = body.to_string().replace(":1", ":2");
        #[rustfmt::skip]
        let cases = [
            ("it is not there",                        None,                                           Need::Create),
            ("it is as it should be",                  Some(known(hash, Some(&body.to_string()), false)), Need::Nothing),
            ("it was found to be so before",           Some(known(hash, None, false)),                 Need::Nothing),
            ("the wish changed",                       Some(known(hash + 1, None, false)),             Need::Apply),
            ("somebody changed it",                    Some(known(hash, Some(&changed), false)),       Need::Mend("spec.replicas".into())),
            ("it goes, and comes back when it is gone", Some(known(hash, Some(&changed), true)),        Need::Nothing),
        ];
        for (why, known, expected) in cases {
            assert_eq!(need(&child(1), hash, known.as_ref()), expected, "{why}");
        }
    }

    #[test]
    fn the_hash_is_that_of_the_wish_alone() {
        assert_eq!(hash(&child(1)), hash(&child(1)));
        assert_ne!(hash(&child(1)), hash(&child(2)));
        let hash = hash(&child(1));
        let body = marked(&child(1), hash);
        assert_eq!(body["metadata"]["annotations"][labels::APPLIED], format!("{hash:016x}"));
    }
}
