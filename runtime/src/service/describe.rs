//! What is served, for those who ask: model metadata of the Open Inference Protocol, the preview's pickers, the start screen.

use std::sync::Arc;

use serde::Serialize;

/// A model that is served.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelDescription {
    /// The name that callers use.
    pub objective: Arc<str>,
    /// The surface that it ranks for.
    pub surface: Arc<str>,
    /// SHA-256 of the artifact's manifest.
    #[serde(rename = "revision")]
    pub artifact_digest: Arc<str>,
    /// As `marquee.json` writes it, e.g. `ease`.
    pub architecture: String,
    /// Titles that it can score.
    pub n_titles: usize,
    /// Viewers seen in training.
    pub n_viewers: usize,
    /// Most titles of one top-k answer.
    pub max_top_k: usize,
}

/// A surface that has a page.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SurfaceDescription {
    /// Its name.
    pub surface: Arc<str>,
    /// SHA-256 of the catalogue artifact's manifest.
    pub catalogue: Arc<str>,
    /// Titles in the catalogue.
    pub n_titles: usize,
    /// Names of the candidate rows, in the order in which they are tried.
    pub rows: Vec<Arc<str>>,
    /// Objectives that rank them, each once.
    pub objectives: Vec<Arc<str>>,
}

/// A viewer seen in training.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ViewerDescription {
    /// Viewer id.
    pub id: String,
    /// Titles watched in training.
    pub n_watched: usize,
}
