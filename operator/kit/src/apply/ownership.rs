//! Corrects the ownership of a child's fields where an apply alone would not produce the desired child.

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

/// Number of attempts to write an object that others write at the same time.
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

    /// Converts the managed-fields entry of a plain request into an entry of an apply. Otherwise the API server would keep fields that are no
    /// longer desired. Returns `None` if the child is gone or somebody wrote it since; the apply then sets all fields and removes none.
    ///
    /// # Errors
    /// The API server refuses the request for another reason, or does not answer.
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

    /// Keeps the number of pods when the operator stops setting it. A field without an owner gets its default, so all pods but one would be
    /// deleted before the autoscaler acts.
    ///
    /// # Errors
    /// The API server refuses the request, or does not answer.
    pub(super) async fn leave_replicas(&self, replicas: i32) -> Result<()> {
        let kept = json!({
            "apiVersion": self.child.kind.api_version(), "kind": self.child.kind.kind(),
            "metadata": {"name": self.child.name}, "spec": {"replicas": replicas},
        });
        let params = PatchParams::apply(&O::NAMES.handover_manager()).force();
        let patch = Patch::Apply(&kept);
        self.ctx.call(self.call("apply"), self.api.patch(&self.child.name, &params, &patch)).await.map(drop)
    }

    /// Replaces the spec of the child with the desired one. If somebody set a member that excludes a desired one, such as `maxUnavailable` of a
    /// budget that should have `minAvailable`, an apply would leave both members, and the API server would refuse it.
    ///
    /// # Errors
    /// The API server refuses the request, or does not answer.
    pub(super) async fn replace(&self, desired: &Value) -> Result<()> {
        // Only the pod template of a Deployment is replaced, because somebody else may set the number of pods.
        let part = if self.child.kind == ChildKind::Deployment { "/spec/template" } else { "/spec" };
        let value = desired.pointer(part).cloned().unwrap_or_default();
        self.patch(json!([{"op": "replace", "path": part, "value": value}])).await.map(drop)
    }

    /// Removes the managed-fields entry of the operator's own plain request, because that entry would keep fields that are no longer desired.
    /// Gives up if others write the child so often that this is never its latest version.
    ///
    /// # Errors
    /// The API server refuses the request for another reason, or does not answer.
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

    /// Reads the present child. Uses a list, so that the operator does not need the right to `get`.
    ///
    /// # Errors
    /// The API server refuses the request, or does not answer.
    pub(super) async fn read(&self) -> Result<Option<RawObject>> {
        let params = ListParams::default().fields(&format!("metadata.name={}", self.child.name));
        let list = self.ctx.call(self.call("list"), self.api.list(&params)).await?;
        Ok(list.items.into_iter().next())
    }

    pub(super) fn unreadable(&self, source: serde_json::Error) -> Error {
        Error::Unreadable { kind: self.child.kind.kind(), name: self.child.name.clone(), source }
    }
}
