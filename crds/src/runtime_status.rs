//! The answer of a runtime's `/status`: written by the runtime, read by the operator and by people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::conditions::Reason;

/// The whole answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Whether `/readyz` says yes.
    pub ready: bool,
    /// Why `/readyz` says no; empty when it says yes.
    pub reasons: Vec<String>,
    /// Time of the last change in what is served, in RFC 3339; empty before the first.
    pub since: String,
    /// Number of the plan that is served, counted from 1.
    pub generation: u64,
    /// The models, by objective.
    pub models: Vec<ResourceStatus>,
    /// The pages, by surface.
    pub pages: Vec<ResourceStatus>,
    /// What is wrong with the present manifests; empty when they are valid.
    pub manifest_problems: Vec<String>,
    /// The traffic plan in use, where other processes answer for models of the pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<TrafficStatus>,
}

/// The traffic plan in use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TrafficStatus {
    /// Number of the plan, counted from 1.
    pub generation: u64,
    /// Time since which it is in use, in RFC 3339.
    pub since: String,
    /// The targets of each objective.
    pub objectives: BTreeMap<String, Vec<TargetStatus>>,
}

/// A revision in the traffic plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TargetStatus {
    /// The revision.
    pub revision: String,
    /// Its share of viewers, in percent.
    pub weight: u32,
    /// Pods that take requests.
    pub endpoints: usize,
    /// Whether it answers pages now: its titles are known, and it has a pod that takes requests.
    pub answers: bool,
}

/// Status of one model or page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceStatus {
    /// `namespace/name`.
    pub resource: String,
    /// Objective of a model, or surface of a page.
    pub name: String,
    /// What it is doing.
    pub state: State,
    /// Time since which it is so, in RFC 3339.
    pub since: String,
    /// Where the artifact is stored. For a page this is the catalogue.
    pub uri: String,
    /// Digest of the artifact that is served: the SHA-256 of its manifest. Absent when none is served. In JSON it keeps its first name.
    #[serde(rename = "revision", skip_serializing_if = "Option::is_none")]
    pub artifact_digest: Option<String>,
    /// Architecture of the model that is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Titles that it knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_titles: Option<usize>,
    /// Bytes of the artifact's files, mapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapped_bytes: Option<u64>,
    /// Bytes of heap memory in addition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heap_bytes: Option<usize>,
    /// Progress of the load of its artifact; absent when none is in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loading: Option<Loading>,
    /// For a page: whether models answer for the objectives that its rows name, sorted by objective.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<ObjectiveStatus>,
    /// What of it can never be shown or ranked, and what to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Why the artifact is not served, in one word; absent when it is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What is wrong, with its causes; absent when nothing is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What fills the rows of one objective on a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectiveStatus {
    /// The objective.
    pub objective: String,
    /// Share of viewers, in percent, whose rows the layout's fallback fills because no model answers for them: 0 while a model
    /// answers for every viewer.
    pub fallback_percent: u32,
}

/// What a resource is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It fetches and checks its first artifact.
    #[default]
    Loading,
    /// It is served as its manifest says.
    Serving,
    /// It is served as an earlier manifest or artifact says: the newer one is invalid, and `error` says why.
    ServingPrevious,
    /// It is not served; `error` says why.
    Failed,
}

/// Progress of the load of an artifact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Loading {
    /// Bytes of the artifact that were fetched; once all were, bytes that were checked.
    pub bytes: u64,
    /// Bytes of the artifact; 0 until its manifest was read.
    pub total_bytes: u64,
    /// Time since the load began.
    pub seconds: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_runtime_writes_the_operator_reads() {
        let loading = Loading { bytes: 3, total_bytes: 10, seconds: 1.5 };
        let model = ResourceStatus {
            uri: "s3://b/a".into(),
            artifact_digest: Some("0".repeat(64)),
            loading: Some(loading),
            ..ResourceStatus::default()
        };
        let objectives = vec![ObjectiveStatus { objective: "top-picks".into(), fallback_percent: 100 }];
        let page = ResourceStatus { objectives, ..ResourceStatus::default() };
        let status = Status { models: vec![model], pages: vec![page], ..Status::default() };
        let text = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status);
        assert!(text.contains(r#""revision":"0000"#), "the digest keeps its name in JSON: {text}");
    }

    #[test]
    fn a_status_with_fields_missing_or_unknown_is_read() {
        let text = r#"{"models":[{"uri":"s3://b/a","newer":1}],"newer":{}}"#;
        let status: Status = serde_json::from_str(text).unwrap();
        assert_eq!((status.models[0].uri.as_str(), &status.models[0].loading), ("s3://b/a", &None));
    }
}
