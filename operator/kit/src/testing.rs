//! An operator of one kind, for the tests of this crate.

use std::{cmp::Ordering, sync::Arc, time::Duration};

use kube::{CustomResource, api::ObjectMeta};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    cache::{
        children::ChildFacts,
        raw::{Head, RawObject},
    },
    child::ChildKind,
    context::Context,
    error::Stopped,
    names::{Names, ResourceKind},
    operator::Operator,
    resource::{Claim, Resource},
};

pub(crate) const OBJECTIVE: Claim = Claim("objective");
pub(crate) const SURFACE: Claim = Claim("surface");

pub(crate) struct TestOperator;

impl Operator for TestOperator {
    const NAMES: Names = Names {
        group: "example.dev",
        manager: "test-operator",
        managed_by: "app.kubernetes.io/managed-by",
        applied: "example.dev/applied",
    };
    type ChildFacts = TestFacts;

    fn writes_condition(type_: &str) -> bool {
        type_ == "Ready"
    }

    fn precedence(one: &ObjectMeta, other: &ObjectMeta) -> Ordering {
        one.creation_timestamp.cmp(&other.creation_timestamp)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TestFacts {
    kind: ChildKind,
    name: String,
    is_deleting: bool,
}

impl ChildFacts for TestFacts {
    fn read(kind: ChildKind, head: &Head, _raw: &RawObject) -> serde_json::Result<Self> {
        Ok(Self { kind, name: head.name.clone(), is_deleting: head.deletion_timestamp.is_some() })
    }

    fn kind(&self) -> ChildKind {
        self.kind
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn is_deleting(&self) -> bool {
        self.is_deleting
    }

    fn mark_deleting(&mut self) {
        self.is_deleting = true;
    }
}

#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Clone, Debug)]
#[kube(group = "example.dev", version = "v1", kind = "Model", namespaced, status = "ModelStatus")]
pub(crate) struct ModelSpec {
    objective: String,
    surface: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default)]
pub(crate) struct ModelStatus {}

impl Resource<TestOperator> for Model {
    type Status = ModelStatus;
    const KIND: ResourceKind = ResourceKind::new("Model");

    fn status(&self) -> Option<&ModelStatus> {
        self.status.as_ref()
    }

    fn claims(&self) -> Vec<(Claim, &str)> {
        vec![(OBJECTIVE, &self.spec.objective), (SURFACE, &self.spec.surface)]
    }

    async fn reconcile(self: Arc<Self>, _ctx: &Context<TestOperator>) -> Result<Option<Duration>, Stopped> {
        Ok(None)
    }
}
