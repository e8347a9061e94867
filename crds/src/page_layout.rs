//! One surface's page.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shared::{ArtifactRef, Duration, rules};

/// Which rows may stand on the page, how many are shown, and what happens when time runs out.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(group = "marquee.dev", version = "v1alpha1", kind = "PageLayout", namespaced, cel)]
#[kube(shortname = "pl", category = "marquee", derive = "PartialEq")]
#[kube(doc = "One surface's page: candidate rows, how many are shown, and what answers when time runs out.")]
#[kube(printcolumn(name = "Surface", type_ = "string", json_path = ".spec.surface"))]
#[kube(printcolumn(name = "Rows", type_ = "integer", json_path = ".spec.page.rows"))]
#[kube(printcolumn(name = "Deadline", type_ = "string", json_path = ".spec.deadline"))]
#[kube(printcolumn(name = "Fallback", type_ = "string", json_path = ".spec.fallback", priority = 1))]
#[kube(printcolumn(name = "Catalogue", type_ = "string", json_path = ".spec.catalogue.uri", priority = 1))]
#[kube(printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"))]
#[serde(rename_all = "camelCase")]
pub struct PageLayoutSpec {
    /// The surface whose page this is, e.g. `home`. Fixed for life. One layout a surface: where two claim it, the older
    /// one is served.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("surface"))]
    #[x_kube(validation = rules::fixed("surface", "create another layout for the other surface"))]
    pub surface: String,
    /// The artifact of architecture `catalogue` that holds the titles' names, years, genres and plays.
    pub catalogue: ArtifactRef,
    /// The rows that may stand on the page, in the order in which they are tried. Those without titles for the viewer are
    /// passed over, so that more rows here than `page.rows` keep the page full.
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("self.all(a, self.exists_one(b, b.name == a.name))")
        .message("two candidate rows have one name: rename one"))]
    pub candidate_rows: Vec<CandidateRow>,
    /// How much of it is shown.
    #[serde(default)]
    pub page: PageSize,
    /// Where a title may stand twice. `Page`: nowhere, it stands in the first row that has it. `Row`: in several rows, but
    /// once in each.
    #[serde(default)]
    pub deduplicate: Deduplicate,
    /// Longest that a page may take, from 1ms to 10s. What is not there by then is replaced by `fallback`.
    #[serde(default = "default_deadline")]
    #[x_kube(validation = rules::duration("deadline", "1ms", "10s", "100ms"))]
    pub deadline: Duration,
    /// What stands in a row whose model misses the deadline, fails or is not there. `Popular`: the most popular titles of
    /// the row's slice. `LastGood`: what this viewer saw last in the row, popular titles for a viewer without one.
    /// `OmitRow`: the row is left out. The response marks the row as degraded.
    #[serde(default)]
    pub fallback: Fallback,
}

fn default_deadline() -> Duration {
    Duration::from_millis(100)
}

/// A row that may stand on the page.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.source.becauseYouWatched) || !self.heading.contains('{title}')")
    .message("{title} stands for the title watched, which only a becauseYouWatched row has: take it out of the heading"))]
pub struct CandidateRow {
    /// Name of the row in responses, logs and metrics. Unique on the page.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("name"))]
    pub name: String,
    /// What the viewer reads above the row, on one line. In a `becauseYouWatched` row `{title}` stands for the name of the
    /// title watched; no other braces are allowed.
    #[schemars(length(min = 1, max = 120))]
    #[x_kube(validation = Rule::new("self.matches('^[^[:space:]]([^[:cntrl:]]*[^[:space:]])?$')")
        .message("heading begins or ends with a space, or holds a line break: write it on one line"))]
    #[x_kube(validation = Rule::new("!self.replace('{title}', '').matches('[{}]')")
        .message("heading holds a brace that is no {title}: {title} is the only placeholder"))]
    pub heading: String,
    /// Where the titles of the row come from: exactly one member.
    pub source: RowSource,
}

/// Where the titles of a row come from: exactly one member is set.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.model), has(self.genre), has(self.popular), has(self.becauseYouWatched)].exists_one(set, set)")
    .message("a row has exactly one source: set one of model, genre, popular (as {}) and becauseYouWatched"))]
pub struct RowSource {
    /// The best titles of a model for this viewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelSource>,
    /// The titles of one genre, ranked by a model for this viewer, or by popularity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genre: Option<GenreSource>,
    /// The titles that most viewers watched. It has no members: write `popular: {}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub popular: Option<PopularSource>,
    /// Titles that a model finds near one that this viewer watched lately. Passed over for a viewer who watched nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because_you_watched: Option<BecauseYouWatchedSource>,
}

/// The best titles of a model for this viewer.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ModelSource {
    /// The objective that a RankingModel of this surface answers to.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("objective"))]
    pub objective: String,
}

/// The titles of one genre.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GenreSource {
    /// The genre, as the catalogue writes it.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// The objective whose model ranks the slice: one that a RankingModel of this surface answers to. Without it the slice
    /// is ranked by popularity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("objective"))]
    pub objective: Option<String>,
}

/// The titles that most viewers watched.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct PopularSource {}

/// Titles near one that this viewer watched lately.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BecauseYouWatchedSource {
    /// The objective whose model says what is near: one that a RankingModel of this surface answers to.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("objective"))]
    pub objective: String,
}

/// How much of a page is shown.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct PageSize {
    /// Most rows shown: the first of the candidate rows that have titles. May be more than there are candidate rows.
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

/// What stands in a row whose model misses the deadline, fails or is not there.
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
