//! What `/status` answers: what is served, since when, from which artifact, and why not ready.

use std::collections::BTreeMap;

use marquee_crds::conditions::Reason;
use serde::Serialize;

use super::loads::Loading;

/// The whole of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Whether `/readyz` says yes.
    pub ready: bool,
    /// Why not; empty when ready.
    pub reasons: Vec<String>,
    /// RFC 3339 time of the last change of what is served; empty before the first.
    pub since: String,
    /// Counts the plans that were served, from 1.
    pub generation: u64,
    /// The models, by objective.
    pub models: Vec<ResourceStatus>,
    /// The pages, by surface.
    pub pages: Vec<ResourceStatus>,
    /// What is wrong with the manifests as they lie now; empty when nothing is.
    pub manifest_problems: Vec<String>,
    /// The traffic plan in use, where models of the pages answer in other processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<TrafficStatus>,
}

/// The traffic plan in use.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrafficStatus {
    /// Counts the plans that were followed, from 1.
    pub generation: u64,
    /// RFC 3339 time since which this one is.
    pub since: String,
    /// By objective.
    pub objectives: BTreeMap<String, Vec<TargetStatus>>,
}

/// A revision of the traffic plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetStatus {
    /// Its name.
    pub revision: String,
    /// Its share of viewers, in percent.
    pub weight: u32,
    /// Pods that take requests.
    pub endpoints: usize,
    /// Whether pages ask it. A revision takes viewers once its titles are known.
    pub answers: bool,
}

/// How a resource is doing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceStatus {
    /// `namespace/name`.
    pub resource: String,
    /// Objective of a model, surface of a page.
    pub name: String,
    /// See [`State`].
    pub state: State,
    /// RFC 3339 time since which it is so.
    pub since: String,
    /// Where the artifact lies (of a page: the catalogue).
    pub uri: String,
    /// SHA-256 of the manifest of the artifact that serves; absent when none does.
    #[serde(rename = "revision", skip_serializing_if = "Option::is_none")]
    pub artifact_digest: Option<String>,
    /// Architecture of the model that serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Titles that it knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_titles: Option<usize>,
    /// Bytes of the artifact's files, mapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapped_bytes: Option<u64>,
    /// Bytes held beside the mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heap_bytes: Option<usize>,
    /// How far the load of its artifact is, while one is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loading: Option<Loading>,
    /// What of it can never be shown or ranked, with the mend.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Why the artifact is not served, in one word; absent when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What is wrong, with its causes; absent when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a resource is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum State {
    /// Its artifact is fetched and checked for the first time.
    Loading,
    /// As its manifest says.
    Serving,
    /// As an earlier manifest or artifact said: the newer one is bad, and `error` says why.
    ServingPrevious,
    /// Not at all; `error` says why.
    Failed,
}
