//! Why resources cannot be served as they stand.

use std::{convert::Infallible, fmt, str::FromStr};

use kube::core::ObjectMeta;
use serde::{Deserialize, Serialize};

/// Namespace and name of a resource; `default` where no namespace is given.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name in the namespace.
    pub name: String,
}

impl ResourceRef {
    /// Of the resource that has this metadata.
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

    /// Reads what `Display` writes; a text without `/` is a name in `default`.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (namespace, name) = text.split_once('/').unwrap_or(("default", text));
        Ok(Self { namespace: namespace.into(), name: name.into() })
    }
}

/// What a problem costs.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Served, but a fallback answers for a part of it. A single process starts and warns; `verify` fails.
    Degraded,
    /// Left out. A single process does not start with it; a cluster serves the rest and says so in its status.
    Refused,
}

/// Why a set of resources cannot be served as it stands. The message names the resource and the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Two models answer to one objective.
    #[error(
        "RankingModel {second} claims the objective {objective:?}, which RankingModel {first} answers to: give it another \
         objective, or remove one of the two"
    )]
    DuplicateObjective {
        /// The objective.
        objective: String,
        /// Answers to it: the older one, then the first by namespace and name.
        first: ResourceRef,
        /// Is left out.
        second: ResourceRef,
    },
    /// Two layouts claim one surface.
    #[error(
        "PageLayout {second} claims the surface {surface:?}, whose page is PageLayout {first}: give it another surface, or \
         remove one of the two"
    )]
    DuplicateLayout {
        /// The surface.
        surface: String,
        /// Is the surface's page: the older one, then the first by namespace and name.
        first: ResourceRef,
        /// Is left out.
        second: ResourceRef,
    },
    /// A row asks for an objective that no model of its surface answers to: its fallback does.
    #[error("row {row:?} of PageLayout {layout} asks for the objective {objective:?}, {}", missing(surface, elsewhere.as_ref(), hint))]
    DanglingRow {
        /// Whose row.
        layout: ResourceRef,
        /// The layout's surface.
        surface: String,
        /// Name of the row.
        row: String,
        /// Its place among the candidate rows, from 0.
        index: usize,
        /// The member of `source` that names the objective.
        member: &'static str,
        /// What it asks for.
        objective: String,
        /// The model that answers to it for another surface, and that surface.
        elsewhere: Option<(String, String)>,
        /// What was probably meant, or what is known.
        hint: String,
    },
}

fn missing(surface: &str, elsewhere: Option<&(String, String)>, hint: &str) -> String {
    match elsewhere {
        Some((model, other)) => format!(
            "which RankingModel {model} answers to for the surface {other:?}, not for {surface:?}: name one of this \
             surface{hint}"
        ),
        None if hint.is_empty() => {
            format!("but the surface {surface:?} has no RankingModel: add one that answers to it")
        }
        None => format!("which no RankingModel of the surface {surface:?} answers to{hint}"),
    }
}

impl Problem {
    /// What it costs.
    pub fn severity(&self) -> Severity {
        match self {
            Self::DuplicateObjective { .. } | Self::DuplicateLayout { .. } => Severity::Refused,
            Self::DanglingRow { .. } => Severity::Degraded,
        }
    }

    /// CamelCase word for conditions, events and metrics: few values, ever.
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
