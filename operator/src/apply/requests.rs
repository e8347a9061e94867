//! The requests about one child. What the API server answers is known at once, so that a cache that lags behind never has a child
//! written twice.

use kube::{
    Api,
    api::{ApiResource, DeleteParams, Patch, PatchParams, PostParams},
    core::GroupVersionKind,
};
use marquee_crds::labels;
use serde_json::Value;
use tracing::debug;

use crate::{
    child::{Child, ChildKind},
    context::{Ask, Context},
    error::{Error, Result},
    world::{
        Key, Kind,
        children::{self, Known},
        live::Live,
    },
};

use super::{Owner, ownership::At};

/// The API of a kind of child.
pub fn resource(kind: ChildKind) -> ApiResource {
    let (group, version) = kind.api_version().split_once('/').unwrap_or(("", kind.api_version()));
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind.kind()), kind.plural())
}

fn api(ctx: &Context, owner: Owner<'_>, kind: ChildKind) -> Api<Live> {
    Api::namespaced_with(ctx.client.clone(), owner.namespace, &resource(kind))
}

/// Makes the child. Says false where it is there already, and ours.
pub async fn create(ctx: &Context, owner: Owner<'_>, child: &Child, body: &Value) -> Result<bool> {
    let at = At { ctx, api: api(ctx, owner, child.kind), child };
    let live: Live = serde_json::from_str(&body.to_string()).map_err(|source| at.unreadable(source))?;
    let params = PostParams { field_manager: Some(labels::OPERATOR.into()), ..PostParams::default() };
    match ctx.ask(at.asked("create"), at.api.create(&params, &live)).await {
        Ok(made) => {
            written(ctx, child.kind, "create");
            settle(ctx, owner, child, &made)?;
            Ok(true)
        }
        Err(error) if error.status().is_some_and(|status| status.reason == "AlreadyExists") => {
            let Some(there) = at.read().await? else { return Err(error) };
            let head = there.head().map_err(|source| at.unreadable(source))?;
            match head.controller() {
                Some(controller) if controller.uid == owner.uid => Ok(false),
                Some(other) => Err(not_ours(child, format!("{} {}", other.kind, other.name))),
                None => Err(not_ours(child, "nobody that Marquee knows".into())),
            }
        }
        Err(error) => Err(error),
    }
}

/// Applies the child, of which `known` is known.
pub async fn apply(
    ctx: &Context,
    owner: Owner<'_>,
    child: &Child,
    body: &Value,
    known: Option<&Known>,
) -> Result<()> {
    let at = At { ctx, api: api(ctx, owner, child.kind), child };
    if let Some(entry) = known.and_then(|known| known.made_by)
        && let Some(live) = at.claim(entry).await?
    {
        take(ctx, child, &live).map(drop)?;
    }
    if let (Some(replicas), Value::Null) = (known.and_then(|known| known.replicas), &body["spec"]["replicas"])
    {
        at.leave_replicas(replicas).await?;
    }
    let params = PatchParams::apply(labels::OPERATOR).force();
    let patch = Patch::Apply(body);
    let apply = || ctx.ask(at.asked("apply"), at.api.patch(&child.name, &params, &patch));
    let live = match apply().await {
        Err(error) if error.code() == Some(422) && body["spec"].is_object() => {
            debug!(
                kind = child.kind.kind(),
                name = child.name,
                "replacing what does not go with what is wanted"
            );
            // What is refused still is refused for what the child should be.
            if at.replace(body).await.is_err() {
                return Err(error);
            }
            at.disown(apply().await?).await?
        }
        applied => applied?,
    };
    written(ctx, child.kind, "patch");
    settle(ctx, owner, child, &live)
}

/// Deletes a child, and what belongs to it after it. One that is gone already is as good.
pub async fn delete(ctx: &Context, owner: Owner<'_>, kind: ChildKind, name: &str) -> Result<()> {
    let asked = Ask { verb: "delete", kind: kind.kind(), name };
    let api = api(ctx, owner, kind);
    match ctx.ask(asked, api.delete(name, &DeleteParams::background())).await {
        Err(error) if error.code() != Some(404) => return Err(error),
        _ => {}
    }
    written(ctx, kind, "delete");
    ctx.world.children.lock().leaves(owner.uid, kind, name);
    Ok(())
}

/// Takes an answer; says whose the child is where it was changed since.
fn take(ctx: &Context, child: &Child, live: &Live) -> Result<Option<(Kind, Key)>> {
    let read = children::read(child.kind, live).map_err(|source| unreadable(child, source))?;
    Ok(read.and_then(|read| ctx.world.children.lock().take_answer(read)))
}

/// Takes the answer to the whole of a write: the child is as it should be, unless it was changed since.
fn settle(ctx: &Context, owner: Owner<'_>, child: &Child, live: &Live) -> Result<()> {
    match take(ctx, child, live)? {
        Some((kind, key)) => ctx.enqueue(kind, &key),
        None => ctx.world.children.lock().settle(owner.uid, child.kind, &child.name),
    }
    Ok(())
}

fn written(ctx: &Context, kind: ChildKind, verb: &str) {
    ctx.metrics.writes.with_label_values(&[kind.kind(), verb]).inc();
}

fn unreadable(child: &Child, source: serde_json::Error) -> Error {
    Error::Unreadable { kind: child.kind.kind(), name: child.name.clone(), source }
}

fn not_ours(child: &Child, owner: String) -> Error {
    Error::NotOurs { kind: child.kind.kind(), name: child.name.clone(), owner }
}
