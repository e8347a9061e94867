//! Who owns a child's fields, where an apply alone does not make the child what it should be.

use kube::{
    Api,
    api::{ListParams, Patch, PatchParams},
};
use marquee_crds::labels;
use serde_json::{Value, json};

use crate::{
    child::{Child, ChildKind},
    context::{Ask, Context},
    error::{Error, Result},
    world::live::Live,
};

/// Field manager under which the number of pods is left to whoever scales them.
const HANDOVER: &str = "marquee-operator/handover";

/// How often it is tried to write what others write at the same time.
const TRIES: usize = 5;

/// A child at the API server.
pub(super) struct At<'a> {
    pub(super) ctx: &'a Context,
    pub(super) api: Api<Live>,
    pub(super) child: &'a Child,
}

impl At<'_> {
    pub(super) fn asked(&self, verb: &'static str) -> Ask<'_> {
        Ask { verb, kind: self.child.kind.kind(), name: &self.child.name }
    }

    async fn patch(&self, changes: Value) -> Result<Live> {
        let params = PatchParams { field_manager: Some(labels::OPERATOR.into()), ..PatchParams::default() };
        let patch = serde_json::from_value(changes).map_err(|source| self.unreadable(source))?;
        let patch = Patch::<()>::Json(patch);
        self.ctx.ask(self.asked("patch"), self.api.patch(&self.child.name, &params, &patch)).await
    }

    /// Makes the entry that a plain request left in managed fields one of apply, or fields that are no longer wanted would never go.
    /// None where it is gone, or somebody wrote it since: what is applied then makes it right but for what is no longer wanted.
    ///
    /// # Errors
    /// The API server refuses for another reason, or does not answer.
    pub(super) async fn claim(&self, entry: usize) -> Result<Option<Live>> {
        let changes = json!([
            {"op": "test", "path": format!("/metadata/managedFields/{entry}/manager"), "value": labels::OPERATOR},
            {"op": "replace", "path": format!("/metadata/managedFields/{entry}/operation"), "value": "Apply"},
        ]);
        match self.patch(changes).await {
            Ok(live) => Ok(Some(live)),
            Err(error) if matches!(error.code(), Some(404 | 409 | 422)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Has the number of pods stay as it is once the operator stops naming it: a field that nobody owns falls back to its default, and
    /// all pods but one would go before an autoscaler has looked.
    ///
    /// # Errors
    /// The API server refuses, or does not answer.
    pub(super) async fn leave_replicas(&self, replicas: i32) -> Result<()> {
        let kept = json!({
            "apiVersion": self.child.kind.api_version(), "kind": self.child.kind.kind(),
            "metadata": {"name": self.child.name}, "spec": {"replicas": replicas},
        });
        let params = PatchParams::apply(HANDOVER).force();
        let patch = Patch::Apply(&kept);
        self.ctx.ask(self.asked("apply"), self.api.patch(&self.child.name, &params, &patch)).await.map(drop)
    }

    /// Replaces what the child says by what it should say: where somebody chose another of several members that exclude each other,
    /// such as a budget's `maxUnavailable` for its `minAvailable`, an apply would leave both, and is refused.
    ///
    /// # Errors
    /// The API server refuses, or does not answer.
    pub(super) async fn replace(&self, wanted: &Value) -> Result<()> {
        // Of a Deployment the pods alone: how many there are may be somebody else's to say.
        let part = if self.child.kind == ChildKind::Deployment { "/spec/template" } else { "/spec" };
        let value = wanted.pointer(part).cloned().unwrap_or_default();
        self.patch(json!([{"op": "replace", "path": part, "value": value}])).await.map(drop)
    }

    /// Gives up what a plain request of the operator's own owns beside what it applied: fields that are no longer wanted would stay. Where
    /// others write the child all the while, so that this is never its latest state, it is left.
    ///
    /// # Errors
    /// The API server refuses for another reason, or does not answer.
    pub(super) async fn disown(&self, mut live: Live) -> Result<Live> {
        for _ in 0..TRIES {
            let head = live.head().map_err(|source| self.unreadable(source))?;
            let Some(entry) = head.own_entry("Update") else { break };
            let path = format!("/metadata/managedFields/{entry}");
            let changes = json!([
                {"op": "test", "path": "/metadata/resourceVersion", "value": head.resource_version},
                {"op": "remove", "path": path},
            ]);
            live = match self.patch(changes).await {
                Err(error) if matches!(error.code(), Some(409 | 422)) => match self.read().await? {
                    Some(latest) => latest,
                    None => break,
                },
                disowned => disowned?,
            };
        }
        Ok(live)
    }

    /// The child as it is now. By a list, so that the operator needs no right to `get`.
    ///
    /// # Errors
    /// The API server refuses, or does not answer.
    pub(super) async fn read(&self) -> Result<Option<Live>> {
        let params = ListParams::default().fields(&format!("metadata.name={}", self.child.name));
        let list = self.ctx.ask(self.asked("list"), self.api.list(&params)).await?;
        Ok(list.items.into_iter().next())
    }

    pub(super) fn unreadable(&self, source: serde_json::Error) -> Error {
        Error::Unreadable { kind: self.child.kind.kind(), name: self.child.name.clone(), source }
    }
}
