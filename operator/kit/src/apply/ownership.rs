//! Ownership of a child's fields, where an apply alone does not make the child what it should be.

use kube::{
    Api,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    cache::raw::RawObject,
    child::{Child, ChildKind},
    context::{ApiCall, Context},
    error::{Error, Result},
    operator::Operator,
};

/// Attempts to write an object that others write at the same time.
const ATTEMPTS: usize = 5;

/// A child at the API server.
pub(super) struct RemoteChild<'a, O: Operator> {
    pub(super) ctx: &'a Context<O>,
    pub(super) api: Api<RawObject>,
    pub(super) child: &'a Child,
}

impl<O: Operator> RemoteChild<'_, O> {
    pub(super) fn call(&self, verb: &'static str) -> ApiCall<'_> {
        ApiCall { verb, kind: self.child.kind.kind(), name: &self.child.name }
    }

    async fn patch(&self, changes: Value) -> Result<RawObject> {
        let params = PatchParams { field_manager: Some(O::NAMES.manager.into()), ..PatchParams::default() };
        let patch = serde_json::from_value(changes).map_err(|source| self.unreadable(source))?;
        let patch = Patch::<()>::Json(patch);
        self.ctx.call(self.call("patch"), self.api.patch(&self.child.name, &params, &patch)).await
    }

    /// Turns the entry that a plain request left in managed fields into one of an apply. Otherwise fields that are no longer desired would
    /// never go. None where the child is gone, or somebody wrote it since: the apply then sets everything, but removes nothing.
    ///
    /// # Errors
    /// The API server refuses for another reason, or does not answer.
    pub(super) async fn claim(&self, entry: usize) -> Result<Option<RawObject>> {
        let changes = json!([
            {"op": "test", "path": format!("/metadata/managedFields/{entry}/manager"), "value": O::NAMES.manager},
            {"op": "replace", "path": format!("/metadata/managedFields/{entry}/operation"), "value": "Apply"},
        ]);
        match self.patch(changes).await {
            Ok(raw) => Ok(Some(raw)),
            Err(error) if matches!(error.code(), Some(404 | 409 | 422)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps the number of pods as it is once the operator stops setting it: a field without an owner falls back to its default, and all
    /// pods but one would go before an autoscaler has looked.
    ///
    /// # Errors
    /// The API server refuses, or does not answer.
    pub(super) async fn leave_replicas(&self, replicas: i32) -> Result<()> {
        let kept = json!({
            "apiVersion": self.child.kind.api_version(), "kind": self.child.kind.kind(),
            "metadata": {"name": self.child.name}, "spec": {"replicas": replicas},
        });
        let params = PatchParams::apply(&O::NAMES.handover_manager()).force();
        let patch = Patch::Apply(&kept);
        self.ctx.call(self.call("apply"), self.api.patch(&self.child.name, &params, &patch)).await.map(drop)
    }

    /// Replaces the spec of the child by the desired one. Where somebody set another of several members that exclude each other, such as a
    /// budget's `maxUnavailable` for its `minAvailable`, an apply would leave both, and is refused.
    ///
    /// # Errors
    /// The API server refuses, or does not answer.
    pub(super) async fn replace(&self, desired: &Value) -> Result<()> {
        // Of a Deployment the pod template alone: the number of pods may be set by somebody else.
        let part = if self.child.kind == ChildKind::Deployment { "/spec/template" } else { "/spec" };
        let value = desired.pointer(part).cloned().unwrap_or_default();
        self.patch(json!([{"op": "replace", "path": part, "value": value}])).await.map(drop)
    }

    /// Removes the entry of a plain request of the operator's own from managed fields: with it, fields that are no longer desired would stay.
    /// Gives up where others write the child all the time, so that this is never its latest version.
    ///
    /// # Errors
    /// The API server refuses for another reason, or does not answer.
    pub(super) async fn disown(&self, mut raw: RawObject) -> Result<RawObject> {
        for _ in 0..ATTEMPTS {
            let head = raw.head().map_err(|source| self.unreadable(source))?;
            let Some(entry) = head.entry_of(O::NAMES.manager, "Update") else { break };
            let path = format!("/metadata/managedFields/{entry}");
            let changes = json!([
                {"op": "test", "path": "/metadata/resourceVersion", "value": head.resource_version},
                {"op": "remove", "path": path},
            ]);
            raw = match self.patch(changes).await {
                Err(error) if matches!(error.code(), Some(409 | 422)) => match self.read().await? {
                    Some(latest) => latest,
                    None => break,
                },
                disowned => disowned?,
            };
        }
        Ok(raw)
    }

    /// The child as it is now. Uses a list, so that the operator does not need the right to `get`.
    ///
    /// # Errors
    /// The API server refuses, or does not answer.
    pub(super) async fn read(&self) -> Result<Option<RawObject>> {
        let params = ListParams::default().fields(&format!("metadata.name={}", self.child.name));
        let list = self.ctx.call(self.call("list"), self.api.list(&params)).await?;
        Ok(list.items.into_iter().next())
    }

    pub(super) fn unreadable(&self, source: serde_json::Error) -> Error {
        Error::Unreadable { kind: self.child.kind.kind(), name: self.child.name.clone(), source }
    }
}
