//! One surface's page.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ranking_model::{default_history, default_progress_deadline},
    shared::{
        ArtifactRef, Autoscaling, BodySize, ColocatedModel, Duration, Gateway, Placement, Replicas,
        Resources, RevisionStatus, TrafficTarget, conditions_schema, rules,
    },
};

/// Candidate rows of the page, the number of rows shown, and the fallback after the deadline.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(group = "marquee.dev", version = "v1alpha1", kind = "PageLayout", namespaced, cel)]
#[kube(status = "PageLayoutStatus", shortname = "pl", category = "marquee", derive = "PartialEq")]
#[kube(
    doc = "One surface's page: its candidate rows, the number of rows shown, the fallback after the deadline, and its pods."
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
    /// The surface of this page, e.g. `home`. It cannot change. If two layouts claim the same surface, the older one is
    /// served.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("surface"))]
    #[x_kube(validation = rules::fixed("surface", "create another layout for the other surface"))]
    pub surface: String,
    /// The artifact of architecture `catalogue`, with the names, years, genres and plays of the titles.
    pub catalogue: ArtifactRef,
    /// Candidate rows, in the order in which the page tries them. The page skips rows without titles for the viewer, so more
    /// rows here than `page.rows` keep the page full.
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("self.all(a, self.exists_one(b, b.name == a.name))")
        .message("two candidate rows have the same name: rename one"))]
    pub candidate_rows: Vec<CandidateRow>,
    /// Size of the page.
    #[serde(default)]
    pub page: PageSize,
    /// Scope in which a title appears only once. `Page`: only in the first row that has it. `Row`: once in each row, possibly
    /// in several rows.
    #[serde(default)]
    pub deduplicate: Deduplicate,
    /// Time limit for a page, from 1ms to 10s. `fallback` replaces rows that are not ready by then.
    #[serde(default = "default_deadline")]
    #[x_kube(validation = rules::duration("deadline", "1ms", "10s", "100ms"))]
    pub deadline: Duration,
    /// Content of a row whose model misses the deadline, fails or does not exist. `Popular`: the most popular titles of the
    /// row's slice. `LastGood`: the titles that this viewer last saw in the row, or popular titles for a viewer without any.
    /// `OmitRow`: the page omits the row. The response marks the row as degraded.
    #[serde(default)]
    pub fallback: Fallback,
    /// Where the models run. `Microservices`: each model in pods of its own, which the page's pods query. `Monolith`: all
    /// models of the surface in the page's pods, and in no others.
    #[serde(default)]
    pub topology: Topology,
    /// Largest request that a pod accepts, after decompression, from 64Ki to 1024Mi. When absent: 4Mi.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_body: Option<BodySize>,
    /// Number of pods of the page.
    #[serde(default)]
    pub replicas: Replicas,
    /// Targets of the autoscaler.
    #[serde(default)]
    pub autoscaling: Autoscaling,
    /// CPU, memory and devices of each pod; with `Monolith` this includes the models.
    #[serde(default)]
    pub resources: Resources,
    /// Access from outside the cluster. Without it, only the Service in the cluster serves the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Gateway>,
    /// Where the pods run, and what they carry.
    #[serde(flatten)]
    pub placement: Placement,
    /// Time limit for a new revision to serve, from 1s to 60m. After it, `Progressing` is false and gives the cause; the
    /// previous revision keeps serving.
    #[serde(default = "default_progress_deadline")]
    #[x_kube(validation = rules::duration("progressDeadline", "1s", "60m", "10m"))]
    pub progress_deadline: Duration,
    /// Number of earlier revisions whose configuration is kept for a roll-back.
    #[serde(default = "default_history")]
    #[schemars(range(min = 0, max = 20))]
    pub revision_history_limit: i32,
}

/// Where a page's models run.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Topology {
    /// Each model in pods of its own, which the page's pods query.
    #[default]
    Microservices,
    /// All models in the page's pods.
    Monolith,
}

fn default_deadline() -> Duration {
    Duration::from_millis(100)
}

/// A candidate row of the page.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.source.becauseYouWatched) || !self.heading.contains('{title}')")
    .message("{title} stands for the watched title, which only a becauseYouWatched row has: remove it from the heading"))]
pub struct CandidateRow {
    /// Name of the row in responses, logs and metrics. Unique on the page.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("name"))]
    pub name: String,
    /// Text above the row, on one line. In a `becauseYouWatched` row, `{title}` stands for the name of the watched title. No
    /// other braces are allowed.
    #[schemars(length(min = 1, max = 120))]
    #[x_kube(validation = Rule::new("self.matches('^[^[:space:]]([^[:cntrl:]]*[^[:space:]])?$')")
        .message("heading starts or ends with a space, or contains a line break: write it on one line"))]
    #[x_kube(validation = Rule::new("!self.replace('{title}', '').matches('[{}]')")
        .message("heading contains a brace outside {title}: {title} is the only placeholder"))]
    pub heading: String,
    /// Source of the row's titles: set exactly one field.
    pub source: RowSource,
}

/// Source of a row's titles. Exactly one field is set.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.model), has(self.genre), has(self.popular), has(self.becauseYouWatched)].exists_one(set, set)")
    .message("a row needs exactly one source: set one of model, genre, popular (as {}) and becauseYouWatched"))]
pub struct RowSource {
    /// The best titles of a model for this viewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelSource>,
    /// The titles of one genre, ranked by a model for this viewer, or by popularity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genre: Option<GenreSource>,
    /// The titles that most viewers watched. It has no fields: write `popular: {}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub popular: Option<PopularSource>,
    /// Titles that a model finds similar to one that this viewer watched recently. Skipped for a viewer who watched nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because_you_watched: Option<BecauseYouWatchedSource>,
}

/// The best titles of a model for this viewer.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ModelSource {
    /// The objective of a RankingModel of this surface.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("objective"))]
    pub objective: String,
}

/// The titles of one genre.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GenreSource {
    /// Name of the genre in the catalogue.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// The objective of a RankingModel of this surface, which ranks the genre's titles. Without it, popularity ranks them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("objective"))]
    pub objective: Option<String>,
}

/// The titles that most viewers watched.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct PopularSource {}

/// Titles that are similar to one that this viewer watched recently.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BecauseYouWatchedSource {
    /// The objective of a RankingModel of this surface, which finds the similar titles.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::name("objective"))]
    pub objective: String,
}

/// Size of a page.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct PageSize {
    /// Maximum number of rows shown: the first candidate rows that have titles. May exceed the number of candidate rows.
    #[schemars(range(min = 1, max = 64))]
    pub rows: u32,
    /// Maximum number of titles in a row.
    #[schemars(range(min = 1, max = 200))]
    pub titles_per_row: u32,
}

impl Default for PageSize {
    fn default() -> Self {
        Self { rows: 10, titles_per_row: 20 }
    }
}

/// Scope in which a title appears only once.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Deduplicate {
    /// A title appears once on the page, in the first row that has it.
    #[default]
    Page,
    /// A title appears once in each row, and may appear in several rows.
    Row,
}

/// Content of a row whose model misses the deadline, fails or does not exist.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Fallback {
    /// The most popular titles of the row's slice.
    #[default]
    Popular,
    /// The titles that this viewer last saw in the row; popular titles for a viewer without any.
    LastGood,
    /// The page omits the row.
    OmitRow,
}

/// What is served, what is being rolled out, and why something is not served.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct PageLayoutStatus {
    /// Generation of the spec that this status describes; -1 until the operator has seen the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = 999_999_999_999_999_i64))]
    pub observed_generation: Option<i64>,
    /// Conditions, one per type.
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
    /// Number of pods of all revisions.
    #[schemars(range(min = 0, max = 100_000))]
    pub replicas: i32,
    /// Number of ready pods.
    #[schemars(range(min = 0, max = 100_000))]
    pub ready_replicas: i32,
    /// Ready and desired pods of the serving revision, for people: `2/3`.
    #[schemars(length(max = 32))]
    pub pods: String,
    /// Label selector of the pods, for `kubectl scale` and autoscalers.
    #[schemars(length(max = 1024))]
    pub selector: String,
    /// `host:port` of the page's HTTP service in the cluster.
    #[schemars(length(max = 253))]
    pub address: String,
    /// The serving revision; absent until one serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub revision: Option<String>,
    /// The revision that the spec asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub latest_revision: Option<String>,
    /// One word that says why the resource is not ready or not up to date; empty if all is well.
    #[schemars(length(max = 64))]
    pub why: String,
    /// The serving revisions, with their shares and addresses.
    #[schemars(length(max = 8))]
    pub traffic: Vec<TrafficTarget>,
    /// With `Monolith`: the models that run in the pods of each serving revision, those of the revision with the largest share first. Their
    /// own status follows this list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2048))]
    pub models: Vec<ColocatedModel>,
    /// All revisions: the serving one, one that is being rolled out, and those kept for a roll-back.
    #[schemars(length(max = 32))]
    pub revisions: Vec<RevisionStatus>,
}
