//! The requests for one child. The cache takes each response at once, so that a delayed watch never causes a second write.

use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::Value;
use tracing::debug;

use crate::{
    cache::{
        Origin,
        children::{self, KnownChild},
        raw::RawObject,
    },
    child::{Child, ChildKind},
    context::{ApiCall, Context},
    error::{Error, Result},
    names::ResourceId,
    operator::Operator,
};

use super::{Owner, ownership::RemoteChild};

fn api<O: Operator>(ctx: &Context<O>, owner: Owner<'_>, kind: ChildKind) -> Api<RawObject> {
    Api::namespaced_with(ctx.client.clone(), owner.namespace, &kind.resource())
}

/// Creates the child. Returns false if the child exists and belongs to `owner`.
pub async fn create<O: Operator>(
    ctx: &Context<O>,
    owner: Owner<'_>,
    child: &Child,
    body: &Value,
) -> Result<bool> {
    let remote = RemoteChild { ctx, api: api(ctx, owner, child.kind), child };
    let raw: RawObject =
        serde_json::from_str(&body.to_string()).map_err(|source| remote.unreadable(source))?;
    let params = PostParams { field_manager: Some(O::NAMES.manager.into()), ..PostParams::default() };
    match ctx.call(remote.call("create"), remote.api.create(&params, &raw)).await {
        Ok(created) => {
            written(ctx, child.kind, "create");
            settle(ctx, owner, child, &created)?;
            Ok(true)
        }
        Err(error) if error.status().is_some_and(|status| status.reason == "AlreadyExists") => {
            let Some(existing) = remote.read().await? else { return Err(error) };
            let head = existing.head().map_err(|source| remote.unreadable(source))?;
            match head.controller() {
                Some(controller) if controller.uid == owner.uid => Ok(false),
                Some(other) => Err(not_ours(child, format!("{} {}", other.kind, other.name))),
                None => Err(not_ours(child, "an owner that this operator does not know".into())),
            }
        }
        Err(error) => Err(error),
    }
}

/// Applies the child. `known` is the child in the cache.
pub async fn apply<O: Operator>(
    ctx: &Context<O>,
    owner: Owner<'_>,
    child: &Child,
    body: &Value,
    known: Option<&KnownChild>,
) -> Result<()> {
    let remote = RemoteChild { ctx, api: api(ctx, owner, child.kind), child };
    if let Some(entry) = known.and_then(|known| known.created_entry)
        && let Some(raw) = remote.claim(entry).await?
    {
        take(ctx, child, &raw).map(drop)?;
    }
    if let (Some(replicas), Value::Null) =
        (known.and_then(|known| known.own_replicas), &body["spec"]["replicas"])
    {
        remote.leave_replicas(replicas).await?;
    }
    let params = PatchParams::apply(O::NAMES.manager).force();
    let patch = Patch::Apply(body);
    let apply = || ctx.call(remote.call("apply"), remote.api.patch(&child.name, &params, &patch));
    let raw = match apply().await {
        Err(error) if error.code() == Some(422) && body["spec"].is_object() => {
            debug!(
                kind = child.kind.kind(),
                name = child.name,
                "replacing a spec that excludes the desired one"
            );
            // The API server refuses the desired child itself, so this error is reported.
            if remote.replace(body).await.is_err() {
                return Err(error);
            }
            remote.disown(apply().await?).await?
        }
        applied => applied?,
    };
    written(ctx, child.kind, "patch");
    settle(ctx, owner, child, &raw)
}

/// Deletes a child; Kubernetes then deletes its dependents. It is not an error if the child is already gone.
pub async fn delete<O: Operator>(
    ctx: &Context<O>,
    owner: Owner<'_>,
    kind: ChildKind,
    name: &str,
) -> Result<()> {
    let call = ApiCall { verb: "delete", kind: kind.kind(), name };
    let api = api(ctx, owner, kind);
    match ctx.call(call, api.delete(name, &DeleteParams::background())).await {
        Err(error) if error.code() != Some(404) => return Err(error),
        _ => {}
    }
    written(ctx, kind, "delete");
    ctx.children.lock().mark_deleting(owner.uid, kind, name);
    Ok(())
}

/// Takes a response, and returns the child's resource if the child has changed since.
fn take<O: Operator>(ctx: &Context<O>, child: &Child, raw: &RawObject) -> Result<Option<ResourceId>> {
    let read = ctx.with_owners(|owners| children::read(owners, child.kind, raw));
    let read = read.map_err(|source| unreadable(child, source))?;
    Ok(read.and_then(|read| ctx.children.lock().take(read, Origin::Answer)))
}

/// Takes the response to the last request of a write. The child now equals the desired one, unless it has changed since.
fn settle<O: Operator>(ctx: &Context<O>, owner: Owner<'_>, child: &Child, raw: &RawObject) -> Result<()> {
    match take(ctx, child, raw)? {
        Some(id) => ctx.enqueue(&id),
        None => ctx.children.lock().settle(owner.uid, child.kind, &child.name),
    }
    Ok(())
}

fn written<O: Operator>(ctx: &Context<O>, kind: ChildKind, verb: &str) {
    ctx.metrics.writes.with_label_values(&[kind.kind(), verb]).inc();
}

fn unreadable(child: &Child, source: serde_json::Error) -> Error {
    Error::Unreadable { kind: child.kind.kind(), name: child.name.clone(), source }
}

fn not_ours(child: &Child, owner: String) -> Error {
    Error::NotOurs { kind: child.kind.kind(), name: child.name.clone(), owner }
}
