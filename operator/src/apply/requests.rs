//! The requests about one child. What the API server answers is known at once, so that a cache that lags behind never has a child
//! written twice.

use kube::{
    Api,
    api::{ApiResource, DeleteParams, ListParams, Patch, PatchParams, PostParams},
    core::GroupVersionKind,
};
use marquee_crds::labels;
use serde_json::{Value, json};

use crate::{
    child::{Child, ChildKind},
    context::{Ask, Context},
    error::{Error, Result},
    world::{Key, Kind, children, live::Live},
};

use super::Owner;

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
    let api = api(ctx, owner, child.kind);
    let live: Live = serde_json::from_str(&body.to_string()).map_err(|source| unreadable(child, source))?;
    let params = PostParams { field_manager: Some(labels::OPERATOR.into()), ..PostParams::default() };
    let asked = Ask { verb: "create", kind: child.kind.kind(), name: &child.name };
    match ctx.ask(asked, api.create(&params, &live)).await {
        Ok(made) => {
            written(ctx, child.kind, "create");
            settle(ctx, owner, child, &made)?;
            Ok(true)
        }
        Err(error) if error.status().is_some_and(|status| status.reason == "AlreadyExists") => {
            let params = ListParams::default().fields(&format!("metadata.name={}", child.name));
            let list = ctx.ask(Ask { verb: "list", ..asked }, api.list(&params)).await?;
            let Some(there) = list.items.first() else { return Err(error) };
            let head = there.head().map_err(|source| unreadable(child, source))?;
            match head.controller() {
                Some(controller) if controller.uid == owner.uid => Ok(false),
                Some(other) => Err(not_ours(child, format!("{} {}", other.kind, other.name))),
                None => Err(not_ours(child, "nobody that Marquee knows".into())),
            }
        }
        Err(error) => Err(error),
    }
}

/// Applies the child. `made_by` is where its managed fields say that it was made by a plain request: that entry becomes one of
/// apply first, or fields that are no longer wanted would never go.
pub async fn apply(
    ctx: &Context,
    owner: Owner<'_>,
    child: &Child,
    body: &Value,
    made_by: Option<usize>,
) -> Result<()> {
    let api = api(ctx, owner, child.kind);
    let asked = Ask { verb: "apply", kind: child.kind.kind(), name: &child.name };
    if let Some(at) = made_by {
        let patch = json!([
            {"op": "test", "path": format!("/metadata/managedFields/{at}/manager"), "value": labels::OPERATOR},
            {"op": "replace", "path": format!("/metadata/managedFields/{at}/operation"), "value": "Apply"},
        ]);
        let params = PatchParams { field_manager: Some(labels::OPERATOR.into()), ..PatchParams::default() };
        let patch = serde_json::from_value(patch).map_err(|source| unreadable(child, source))?;
        let owned = ctx.ask(asked, api.patch(&child.name, &params, &Patch::<()>::Json(patch))).await;
        match owned {
            Ok(live) => take(ctx, child, &live).map(drop)?,
            // It is gone, or somebody wrote it since: what is applied now makes it right but for what is no longer wanted.
            Err(error) if error.status().is_some_and(|status| matches!(status.code, 404 | 409 | 422)) => {}
            Err(error) => return Err(error),
        }
    }
    let params = PatchParams::apply(labels::OPERATOR).force();
    let live = ctx.ask(asked, api.patch(&child.name, &params, &Patch::Apply(body))).await?;
    written(ctx, child.kind, "patch");
    settle(ctx, owner, child, &live)
}

/// Deletes a child, and what belongs to it after it. One that is gone already is as good.
pub async fn delete(ctx: &Context, owner: Owner<'_>, kind: ChildKind, name: &str) -> Result<()> {
    let asked = Ask { verb: "delete", kind: kind.kind(), name };
    let api = api(ctx, owner, kind);
    match ctx.ask(asked, api.delete(name, &DeleteParams::background())).await {
        Err(error) if error.status().is_none_or(|status| status.code != 404) => return Err(error),
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
