//! Configuration of a process: one pure conversion from the resources, used for pods and for a single process.

mod convert;
mod problem;

pub use convert::{convert, monolith_pod, older, page_pod, ranker_pod};
pub use problem::{Problem, ResourceRef, Severity};

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    page_layout::{Deduplicate, Fallback},
    shared::ArtifactRef,
};

/// Everything that one process serves.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct PodConfig {
    /// The models, sorted by objective.
    pub rankers: Vec<RankerConfig>,
    /// The pages, sorted by surface.
    pub pages: Vec<PageConfig>,
    /// How to find the models of the pages, if they run in other pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery: Option<Discovery>,
}

/// Models that run in pods of their own.
///
/// A page finds them through the API server, by the objective and the surface in their spec. It sends queries as
/// `status.traffic` says.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Discovery {
    /// The namespace of the RankingModels, and of the Services in their traffic.
    pub namespace: String,
}

/// One model, as a process serves it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RankerConfig {
    /// `namespace/name` of the RankingModel.
    pub resource: String,
    /// The surface that the model ranks for.
    pub surface: String,
    /// The name that callers use for the ranking.
    pub objective: String,
    /// The weights of the model.
    pub artifact: ArtifactRef,
    /// Maximum number of requests in one forward pass, at least 1.
    pub max_batch: usize,
    /// Longest time that an idle model waits for more requests before it starts a batch.
    pub max_delay: Duration,
    /// Maximum number of titles in one top-k answer.
    pub max_top_k: usize,
}

/// One page, as a process serves it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PageConfig {
    /// `namespace/name` of the PageLayout.
    pub resource: String,
    /// The surface that this page belongs to.
    pub surface: String,
    /// Title metadata.
    pub catalogue: ArtifactRef,
    /// Candidate rows, in the order in which the page tries them.
    pub rows: Vec<RowConfig>,
    /// Maximum number of rows on the page.
    pub rows_shown: usize,
    /// Maximum number of titles in a row.
    pub titles_per_row: usize,
    /// Whether a title may appear in two rows.
    pub deduplicate: Deduplicate,
    /// Time limit for the page.
    pub deadline: Duration,
    /// Replacement for a row that misses the deadline.
    pub fallback: Fallback,
}

/// One candidate row.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RowConfig {
    /// Unique on the page.
    pub name: String,
    /// Text that the viewer reads; may contain `{title}`.
    pub heading: String,
    /// Source of the row's titles.
    pub source: Source,
}

/// Source of a row's titles.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum Source {
    /// The best titles of a model.
    Model {
        /// Objective of the model.
        objective: String,
    },
    /// The titles of a genre, ranked by a model or by popularity.
    Genre {
        /// Name of the genre in the catalogue.
        name: String,
        /// Objective of the model that ranks the titles; without it, popularity ranks them.
        objective: Option<String>,
    },
    /// The titles that most viewers watched.
    Popular,
    /// Titles that are similar to one that this viewer watched recently.
    BecauseYouWatched {
        /// Objective of the model that finds similar titles.
        objective: String,
    },
}

impl Source {
    /// The objective that this row needs, if it needs one.
    pub fn objective(&self) -> Option<&str> {
        match self {
            Self::Model { objective } | Self::BecauseYouWatched { objective } => Some(objective),
            Self::Genre { objective, .. } => objective.as_deref(),
            Self::Popular => None,
        }
    }

    /// The field of a layout's `source` for this variant.
    pub fn member(&self) -> &'static str {
        match self {
            Self::Model { .. } => "model",
            Self::Genre { .. } => "genre",
            Self::Popular => "popular",
            Self::BecauseYouWatched { .. } => "becauseYouWatched",
        }
    }
}
