//! One surface's page.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ranking_model::{default_history, default_progress_deadline},
    shared::{
        ArtifactRef, Autoscaling, ColocatedModel, Duration, Gateway, Placement, Replicas, Resources,
        RevisionStatus, TrafficTarget, conditions_schema, rules,
    },
};

/// Which rows may stand on the page, how many are shown, and what happens when time runs out.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(group = "marquee.dev", version = "v1alpha1", kind = "PageLayout", namespaced, cel)]
#[kube(status = "PageLayoutStatus", shortname = "pl", category = "marquee", derive = "PartialEq")]
#[kube(
    doc = "One surface's page, served: candidate rows, how many are shown, what answers when time runs out, and on which pods."
)]
#[kube(scale(
    spec_replicas_path = ".spec.replicas.min",
    status_replicas_path = ".status.replicas",
    label_selector_path = ".status.selector"
))]
#[kube(validation = rules::resource_name("PageLayout"))]
#[kube(printcolumn(name = "Surface", type_ = "string", json_path = ".spec.surface"))]
#[kube(printcolumn(
    name = "Ready",
    type_ = "string",
    json_path = r#".status.conditions[?(@.type=="Ready")].status"#
))]
#[kube(printcolumn(name = "Pods", type_ = "string", json_path = ".status.pods"))]
#[kube(printcolumn(name = "Revision", type_ = "string", json_path = ".status.revision"))]
#[kube(printcolumn(name = "Why", type_ = "string", json_path = ".status.why"))]
#[kube(printcolumn(name = "Topology", type_ = "string", json_path = ".spec.topology"))]
#[kube(printcolumn(name = "Address", type_ = "string", json_path = ".status.address", priority = 1))]
#[kube(printcolumn(name = "Deadline", type_ = "string", json_path = ".spec.deadline", priority = 1))]
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
    /// Longest time that a page may take, from 1ms to 10s. `fallback` replaces what is missing by then.
    #[serde(default = "default_deadline")]
    #[x_kube(validation = rules::duration("deadline", "1ms", "10s", "100ms"))]
    pub deadline: Duration,
    /// What stands in a row whose model misses the deadline, fails or is not there. `Popular`: the most popular titles of
    /// the row's slice. `LastGood`: what this viewer saw last in the row, popular titles for a viewer without one.
    /// `OmitRow`: the row is left out. The response marks the row as degraded.
    #[serde(default)]
    pub fallback: Fallback,
    /// Where the models run. `Microservices`: each in pods of its own, which the page's pods ask. `Monolith`: all models of the
    /// surface in the page's pods, and in no others.
    #[serde(default)]
    pub topology: Topology,
    /// Number of pods the page.
    #[serde(default)]
    pub replicas: Replicas,
    /// Targets of the autoscaler.
    #[serde(default)]
    pub autoscaling: Autoscaling,
    /// Requests and limits of each pod; with `Monolith` that includes the models.
    #[serde(default)]
    pub resources: Resources,
    /// How the page is reached from outside; without it, through its Service in the cluster only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Gateway>,
    /// Where the pods run, and what they carry.
    #[serde(flatten)]
    pub placement: Placement,
    /// Longest time that a new revision may take until it serves, from 1s to 60m. After that `Progressing` is false and says
    /// why; the earlier revision continues to serve.
    #[serde(default = "default_progress_deadline")]
    #[x_kube(validation = rules::duration("progressDeadline", "1s", "60m", "10m"))]
    pub progress_deadline: Duration,
    /// How many earlier revisions keep their configuration, for a roll-back.
    #[serde(default = "default_history")]
    #[schemars(range(min = 0, max = 20))]
    pub revision_history_limit: i32,
}

/// Where a page's models run.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Topology {
    /// Each in pods of its own, which the page's pods ask.
    #[default]
    Microservices,
    /// All in the page's pods.
    Monolith,
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

/// What is served, what is starting, and what keeps it from serving.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct PageLayoutStatus {
    /// The generation of the spec that this status describes; -1 until the operator has seen the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = 999_999_999_999_999_i64))]
    pub observed_generation: Option<i64>,
    /// Conditions, one of each type.
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
    /// Number of pods, all revisions together.
    #[schemars(range(min = 0, max = 100_000))]
    pub replicas: i32,
    /// Number of ready pods.
    #[schemars(range(min = 0, max = 100_000))]
    pub ready_replicas: i32,
    /// Ready pods and wanted pods of the revisions that answer, for people: `2/3`.
    #[schemars(length(max = 32))]
    pub pods: String,
    /// Selects the pods; what `kubectl scale` and autoscalers read.
    #[schemars(length(max = 1024))]
    pub selector: String,
    /// `host:port` in the cluster at which the page answers HTTP.
    #[schemars(length(max = 253))]
    pub address: String,
    /// The revision that answers; of several, the one with the largest share. Absent until one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub revision: Option<String>,
    /// The revision that the spec asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub latest_revision: Option<String>,
    /// One word that says why the resource is not ready or not up to date; empty when all is well.
    #[schemars(length(max = 64))]
    pub why: String,
    /// Every revision that answers, with its share and its endpoint.
    #[schemars(length(max = 8))]
    pub traffic: Vec<TrafficTarget>,
    /// With `Monolith`: the models that run in the pods of `revision`. Their own status follows it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub models: Vec<ColocatedModel>,
    /// Existing revisions: those that answer, one that is starting, and those kept for a roll-back.
    #[schemars(length(max = 32))]
    pub revisions: Vec<RevisionStatus>,
}
