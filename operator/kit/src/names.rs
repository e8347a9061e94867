//! The names of an operator and of its resources.

use std::{fmt, sync::Arc};

use kube::{Resource, ResourceExt as _};

/// The names that an operator uses at the API server.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// API group of its resources.
    pub group: &'static str,
    /// Field manager of its applies. Its children have it as the value of [`Names::managed_by`].
    pub manager: &'static str,
    /// Label key that selects children.
    pub managed_by: &'static str,
    /// Annotation key of the hash of the applied child, so that the operator does not send an unchanged child again.
    pub applied: &'static str,
}

impl Names {
    /// The label selector that finds the operator's children.
    pub fn selector(&self) -> String {
        format!("{}={}", self.managed_by, self.manager)
    }

    /// Field manager of statuses.
    pub fn status_manager(&self) -> String {
        format!("{}/status", self.manager)
    }

    /// Field manager that holds the number of pods until an autoscaler takes it.
    pub fn handover_manager(&self) -> String {
        format!("{}/handover", self.manager)
    }

    /// The name that events give as their source.
    pub fn reporter(&self) -> String {
        format!("{}/{}", self.group, self.manager)
    }
}

/// The kind of a resource that the operator reconciles, as `kind` in its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceKind(&'static str);

impl ResourceKind {
    /// The kind of this name.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// As `kind` in a manifest.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Namespace and name of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl Key {
    /// The resource `name` of `namespace`.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The key of an object.
    pub fn of(object: &impl Resource) -> Self {
        Self::new(object.meta().namespace.as_deref().unwrap_or_default(), &object.name_any())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Kind, namespace and name of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResourceId {
    /// Its kind.
    pub kind: ResourceKind,
    /// Its namespace and name.
    pub key: Key,
}

impl ResourceId {
    /// The resource `key` of `kind`.
    pub fn new(kind: ResourceKind, key: Key) -> Self {
        Self { kind, key }
    }
}
