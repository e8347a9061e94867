//! One surface's page.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shared::{ArtifactRef, Duration};

/// One surface's page: which rows may stand on it, how many are shown, and what happens when time runs out.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(group = "marquee.dev", version = "v1alpha1", kind = "PageLayout", namespaced, cel)]
#[kube(shortname = "pl", category = "marquee", derive = "PartialEq")]
#[kube(doc = "One surface's page: candidate rows, how many are shown, and what answers when time runs out.")]
#[kube(printcolumn(name = "Surface", type_ = "string", json_path = ".spec.surface"))]
#[kube(printcolumn(name = "Rows", type_ = "integer", json_path = ".spec.page.rows"))]
#[kube(printcolumn(name = "Deadline", type_ = "string", json_path = ".spec.deadline"))]
#[kube(printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"))]
#[serde(rename_all = "camelCase")]
pub struct PageLayoutSpec {
    /// The surface whose page this is, e.g. `home`. Fixed for life; one layout a surface.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("surface is fixed for life: create another layout for the other surface"))]
    pub surface: String,
    /// The artifact that holds the metadata of the titles: names, years, genres.
    pub catalogue: ArtifactRef,
    /// The rows that may stand on the page, in the order in which they are tried.
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("self.all(a, self.exists_one(b, b.name == a.name))").message("two candidate rows have one name: rename one"))]
    pub candidate_rows: Vec<CandidateRow>,
    /// How much of it is shown.
    #[serde(default)]
    pub page: PageSize,
    /// Whether a title may stand in two rows of one page.
    #[serde(default)]
    pub deduplicate: Deduplicate,
    /// Longest that a page may take. What is not there by then is replaced by `fallback`.
    #[serde(default = "default_deadline")]
    pub deadline: Duration,
    /// What stands in a row whose model misses the deadline or fails.
    #[serde(default)]
    pub fallback: Fallback,
}

fn default_deadline() -> Duration {
    Duration(std::time::Duration::from_millis(100))
}

/// A row that may stand on the page.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CandidateRow {
    /// Name of the row in responses, logs and metrics. Unique on the page.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// What the viewer reads above the row. `{title}` stands for the title watched, in a `becauseYouWatched` row.
    #[schemars(length(min = 1, max = 120))]
    pub heading: String,
    /// Where the titles of the row come from.
    pub source: RowSource,
}

/// Where the titles of a row come from: exactly one member is set.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.model), has(self.genre), has(self.popular), has(self.becauseYouWatched)].filter(x, x).size() == 1")
    .message("a row has exactly one source: set one of model, genre, popular and becauseYouWatched"))]
pub struct RowSource {
    /// The best titles of a model for this viewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelSource>,
    /// The titles of one genre, ranked by a model for this viewer, or by popularity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genre: Option<GenreSource>,
    /// The titles that most viewers watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub popular: Option<PopularSource>,
    /// Titles that a model finds near one that this viewer watched lately. Absent for a viewer who watched nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because_you_watched: Option<BecauseYouWatchedSource>,
}

/// The best titles of a model for this viewer.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ModelSource {
    /// The objective that a RankingModel of this surface answers to.
    #[schemars(length(min = 1, max = 63))]
    pub objective: String,
}

/// The titles of one genre.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GenreSource {
    /// The genre, as the catalogue writes it.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// The objective whose model ranks the slice; by popularity when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub objective: Option<String>,
}

/// The titles that most viewers watched.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct PopularSource {}

/// Titles near one that this viewer watched lately.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BecauseYouWatchedSource {
    /// The objective whose model says what is near.
    #[schemars(length(min = 1, max = 63))]
    pub objective: String,
}

/// How much of a page is shown.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct PageSize {
    /// Rows shown: the first of the candidate rows that have titles.
    #[schemars(range(min = 1, max = 64))]
    pub rows: u32,
    /// Most titles in a row.
    #[schemars(range(min = 1, max = 200))]
    pub titles_per_row: u32,
}

impl Default for PageSize {
    fn default() -> Self {
        Self { rows: 10, titles_per_row: 20 }
    }
}

/// Whether a title may stand in two rows of one page.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Deduplicate {
    /// A title stands on the page once, in the first row that has it.
    #[default]
    Page,
    /// A title stands once in a row, and may stand in several rows.
    Row,
}

/// What stands in a row whose model misses the deadline or fails.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Fallback {
    /// The most popular titles of the row's slice.
    #[default]
    Popular,
    /// What this viewer saw last in the row; popular titles for a viewer without one.
    LastGood,
    /// The row is left out.
    OmitRow,
}
