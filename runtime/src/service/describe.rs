//! Descriptions of served models and pages, for the Open Inference Protocol, the preview's pickers and the start screen.

use std::sync::Arc;

use serde::Serialize;

/// A served model.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelDescription {
    /// Objective, the name that callers use.
    pub objective: Arc<str>,
    /// The surface that it ranks for.
    pub surface: Arc<str>,
    /// SHA-256 of the artifact's manifest.
    #[serde(rename = "revision")]
    pub artifact_digest: Arc<str>,
    /// Architecture as in `marquee.json`, e.g. `ease`.
    pub architecture: String,
    /// Number of titles that it can score.
    pub n_titles: usize,
    /// Number of viewers seen in training.
    pub n_viewers: usize,
    /// Most titles in one top-k answer.
    pub max_top_k: usize,
}

/// A surface that has a page.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SurfaceDescription {
    /// Name of the surface.
    pub surface: Arc<str>,
    /// SHA-256 of the catalogue artifact's manifest.
    pub catalogue: Arc<str>,
    /// Number of titles in the catalogue.
    pub n_titles: usize,
    /// Names of the candidate rows, in the order in which they are tried.
    pub rows: Vec<Arc<str>>,
    /// Objectives of the rows, without duplicates.
    pub objectives: Vec<Arc<str>>,
}

/// A viewer seen in training.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ViewerDescription {
    /// Viewer id.
    pub id: String,
    /// Number of titles watched in training.
    pub n_watched: usize,
}
