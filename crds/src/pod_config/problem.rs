//! Problems that prevent resources from being served as written.

use std::{convert::Infallible, fmt, str::FromStr};

use kube::core::ObjectMeta;
use serde::{Deserialize, Serialize};

/// Namespace and name of a resource. The namespace is `default` if the resource names none.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name in the namespace.
    pub name: String,
}

impl ResourceRef {
    /// Reference to the resource with this metadata.
    pub fn of(meta: &ObjectMeta) -> Self {
        let namespace = meta.namespace.clone().filter(|text| !text.is_empty());
        Self {
            namespace: namespace.unwrap_or_else(|| "default".into()),
            name: meta.name.clone().unwrap_or_default(),
        }
    }
}

impl fmt::Display for ResourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl FromStr for ResourceRef {
    type Err = Infallible;

    /// Parses the format of `Display`. Text without `/` is a name in `default`.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (namespace, name) = text.split_once('/').unwrap_or(("default", text));
        Ok(Self { namespace: namespace.into(), name: name.into() })
    }
}

/// The effect of a problem.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The resource is served, but a fallback replaces part of it. A single process starts and warns; `verify` fails.
    Degraded,
    /// The resource is not served. A single process refuses to start; a cluster serves the rest and reports the problem in
    /// the status.
    Refused,
}

/// A problem in a set of resources. The message names the resource and says how to fix it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Two models claim the same objective.
    #[error(
        "RankingModel {second} claims the objective {objective:?}, which RankingModel {first} already serves: give it another \
         objective, or remove one of them"
    )]
    DuplicateObjective {
        /// The objective.
        objective: String,
        /// The model that serves the objective: the older one, then the first by namespace and name.
        first: ResourceRef,
        /// The resource that is not served.
        second: ResourceRef,
    },
    /// Two layouts claim the same surface.
    #[error(
        "PageLayout {second} claims the surface {surface:?}, which PageLayout {first} already serves: give it another \
         surface, or remove one of them"
    )]
    DuplicateLayout {
        /// The surface.
        surface: String,
        /// The layout that serves the surface: the older one, then the first by namespace and name.
        first: ResourceRef,
        /// The resource that is not served.
        second: ResourceRef,
    },
    /// A row names an objective that no model of its surface serves. The fallback fills the row.
    #[error("row {row:?} of PageLayout {layout} asks for the objective {objective:?}, {}", missing(surface, elsewhere.as_ref(), hint))]
    DanglingRow {
        /// The layout that contains the row.
        layout: ResourceRef,
        /// The layout's surface.
        surface: String,
        /// Name of the row.
        row: String,
        /// Index of the row in `candidateRows`, counted from 0.
        index: usize,
        /// The field of `source` that names the objective.
        member: &'static str,
        /// The objective that the row names.
        objective: String,
        /// The model that serves the objective for another surface, and that surface.
        elsewhere: Option<(String, String)>,
        /// The likely intention, or the known objectives.
        hint: String,
    },
}

fn missing(surface: &str, elsewhere: Option<&(String, String)>, hint: &str) -> String {
    match elsewhere {
        Some((model, other)) => format!(
            "which RankingModel {model} serves for the surface {other:?}, not for {surface:?}: name an objective of \
             this surface{hint}"
        ),
        None if hint.is_empty() => {
            format!("but the surface {surface:?} has no RankingModel: add one with this objective")
        }
        None => format!("which no RankingModel of the surface {surface:?} serves{hint}"),
    }
}

impl Problem {
    /// The effect of the problem.
    pub fn severity(&self) -> Severity {
        match self {
            Self::DuplicateObjective { .. } | Self::DuplicateLayout { .. } => Severity::Refused,
            Self::DanglingRow { .. } => Severity::Degraded,
        }
    }

    /// CamelCase reason for conditions, events and metrics. The set of values is small and fixed.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::DuplicateObjective { .. } => "DuplicateObjective",
            Self::DuplicateLayout { .. } => "DuplicateLayout",
            Self::DanglingRow { .. } => "ObjectiveNotFound",
        }
    }

    /// Kind of the resource that must be edited.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DuplicateObjective { .. } => "RankingModel",
            Self::DuplicateLayout { .. } | Self::DanglingRow { .. } => "PageLayout",
        }
    }

    /// The resource that must be edited.
    pub fn resource(&self) -> &ResourceRef {
        match self {
            Self::DuplicateObjective { second, .. } | Self::DuplicateLayout { second, .. } => second,
            Self::DanglingRow { layout, .. } => layout,
        }
    }

    /// The field of it that is wrong, e.g. `spec.candidateRows[3].source.model.objective`.
    pub fn field(&self) -> String {
        match self {
            Self::DuplicateObjective { .. } => "spec.objective".into(),
            Self::DuplicateLayout { .. } => "spec.surface".into(),
            Self::DanglingRow { index, member, .. } => {
                format!("spec.candidateRows[{index}].source.{member}.objective")
            }
        }
    }
}
