//! `marquee.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;
use crate::tensor::Dtype;

mod check;

pub(crate) use check::{check_manifest_size, check_path, tensor_bytes};

/// Name of the manifest within the folder.
pub const MANIFEST_FILE: &str = "marquee.json";

/// The newest format that this code reads and the one it writes.
pub const FORMAT_VERSION: u32 = 1;

/// What `marquee.json` says.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// What the weights are for.
    pub architecture: Architecture,
    /// As the architecture reads them.
    pub hyperparameters: serde_json::Map<String, serde_json::Value>,
    /// Every file beside `marquee.json`.
    pub files: Vec<File>,
    /// Where the weights come from.
    pub lineage: Lineage,
    /// What the weights must reproduce before they are served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub golden: Option<Golden>,
}

/// One file of the artifact.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct File {
    /// Relative, within the folder, `/` between parts.
    pub path: String,
    /// What it holds.
    pub role: Role,
    /// In bytes.
    pub size: u64,
    /// 64 lower-case hex digits.
    pub sha256: String,
    /// Of a weights file: every tensor by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tensors: BTreeMap<String, TensorSpec>,
    /// Of an id table or a catalogue: how many lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// What a file holds.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// `*.safetensors`.
    Weights,
    /// Viewer ids, one JSON string a line; line n is row n of the viewer tensors.
    Viewers,
    /// Title ids, one JSON string a line; line n is row n of the title tensors.
    Titles,
    /// Title metadata: one JSON object a line.
    Catalogue,
}

/// A tensor as declared.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TensorSpec {
    /// Element type.
    pub dtype: Dtype,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
}

/// Where the weights come from.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lineage {
    /// SHA-256 over the training data as read.
    pub data_digest: String,
    /// Of every random choice.
    pub seed: u64,
    /// Version of the code that trained.
    pub code_version: String,
    /// Quality as measured at training, by name such as `ndcg@10`.
    #[serde(default)]
    pub metrics: BTreeMap<String, f64>,
    /// Embeddings of one generation may be compared; null where there are none.
    #[serde(default)]
    pub embedding_generation: Option<String>,
}

/// What the weights must reproduce before they are served.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Golden {
    /// Largest `|found - expected| / max(1, |expected|)`.
    pub tolerance: f32,
    /// At least one.
    pub cases: Vec<GoldenCase>,
}

/// One golden input and its output. Indexes, not ids: rows of the id tables.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GoldenCase {
    /// Row of the viewer; null for one unseen in training.
    pub viewer: Option<u32>,
    /// Titles watched since, latest first.
    pub recent: Vec<u32>,
    /// Titles scored.
    pub titles: Vec<u32>,
    /// Their scores.
    pub scores: Vec<f32>,
}
