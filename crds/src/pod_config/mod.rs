//! What a process serves: one pure conversion from the resources, the same for a pod and for a single process.

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
    /// Where the models of the pages answer, when not in this process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery: Option<Discovery>,
}

/// Models that answer in pods of their own: found through the API server, by the objective and the surface in their spec, and asked as
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
    /// The surface it ranks for.
    pub surface: String,
    /// The name by which callers ask.
    pub objective: String,
    /// Its weights.
    pub artifact: ArtifactRef,
    /// Most requests in one forward pass, at least 1.
    pub max_batch: usize,
    /// Longest wait for company while idle.
    pub max_delay: Duration,
    /// Most titles in one top-k answer.
    pub max_top_k: usize,
}

/// One page, as a process serves it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PageConfig {
    /// `namespace/name` of the PageLayout.
    pub resource: String,
    /// The surface whose page this is.
    pub surface: String,
    /// Title metadata.
    pub catalogue: ArtifactRef,
    /// Candidate rows, in the order in which they are tried.
    pub rows: Vec<RowConfig>,
    /// Rows shown at most.
    pub rows_shown: usize,
    /// Titles in a row at most.
    pub titles_per_row: usize,
    /// Whether a title may stand in two rows.
    pub deduplicate: Deduplicate,
    /// Longest that the page may take.
    pub deadline: Duration,
    /// What replaces a row that misses it.
    pub fallback: Fallback,
}

/// One candidate row.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RowConfig {
    /// Unique on the page.
    pub name: String,
    /// What the viewer reads; may hold `{title}`.
    pub heading: String,
    /// Where its titles come from.
    pub source: Source,
}

/// Where a row's titles come from.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum Source {
    /// The best titles of a model.
    Model {
        /// Answers to this.
        objective: String,
    },
    /// The titles of a genre, ranked by a model or by popularity.
    Genre {
        /// As the catalogue writes it.
        name: String,
        /// Ranks the slice; popularity when absent.
        objective: Option<String>,
    },
    /// What most viewers watched.
    Popular,
    /// Near a title that this viewer watched lately.
    BecauseYouWatched {
        /// Says what is near.
        objective: String,
    },
}

impl Source {
    /// The objective that must be served for this row to be ranked.
    pub fn objective(&self) -> Option<&str> {
        match self {
            Self::Model { objective } | Self::BecauseYouWatched { objective } => Some(objective),
            Self::Genre { objective, .. } => objective.as_deref(),
            Self::Popular => None,
        }
    }

    /// The member of a layout's `source` that this is.
    pub fn member(&self) -> &'static str {
        match self {
            Self::Model { .. } => "model",
            Self::Genre { .. } => "genre",
            Self::Popular => "popular",
            Self::BecauseYouWatched { .. } => "becauseYouWatched",
        }
    }
}
