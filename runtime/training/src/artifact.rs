//! A fit as an artifact on disk, checked as a server will check it.

use std::{path::Path, sync::Arc};

use marquee_artifacts::{Artifact, Digest, Lineage, OpenOptions, Role, TensorData, Writer, open};
use marquee_models::{Model, ScanOptions, golden, registry::Registry};

use crate::{data::Ids, error::TrainingError, fit::Fitted};

/// Where an artifact comes from and whose rows it has.
pub struct Origin<'a> {
    /// Ids of the viewers, by row.
    pub viewers: &'a Ids,
    /// Ids of the titles, by row.
    pub titles: &'a Ids,
    /// Data, seed, code, figures.
    pub lineage: Lineage,
}

/// Writes `fitted` to `folder`, golden outputs included, and reads it back as a server would.
///
/// An older artifact there is replaced at the very end; whatever fails before leaves it as it was.
pub fn write(folder: &Path, fitted: &Fitted, origin: Origin<'_>) -> Result<Digest, TrainingError> {
    write_of(Registry::default(), folder, fitted, origin)
}

/// As [`write`], for one of the architectures of `registry`.
pub fn write_of(
    registry: Registry<'_>,
    folder: &Path,
    fitted: &Fitted,
    origin: Origin<'_>,
) -> Result<Digest, TrainingError> {
    let mut writer = Writer::create(folder)?;
    let tensors: Vec<TensorData<'_>> = fitted
        .tensors
        .iter()
        .map(|(name, raw)| TensorData { name, dtype: raw.dtype, shape: raw.shape.clone(), data: &raw.data })
        .collect();
    writer.tensors("weights.safetensors", &tensors)?;
    writer.ids(Role::Viewers, origin.viewers.iter())?;
    writer.ids(Role::Titles, origin.titles.iter())?;
    let draft = writer.draft(fitted.architecture(), &fitted.hyperparameters, &origin.lineage)?;
    let golden = {
        let model = load_of(registry, &draft, folder)?;
        golden::make(&*model, origin.lineage.seed).map_err(|source| model_error(folder, source))?
    };
    let hyperparameters = fitted.hyperparameters.clone();
    let digest = writer.finish(fitted.architecture(), hyperparameters, origin.lineage, Some(golden))?;
    check(registry, folder, digest)?;
    Ok(digest)
}

/// Opens what was just written and lets it reproduce its golden outputs.
fn check(registry: Registry<'_>, folder: &Path, digest: Digest) -> Result<(), TrainingError> {
    let artifact = open_whole(folder, Some(digest))?;
    let model = load_of(registry, &artifact, folder)?;
    let Some(golden) = &artifact.manifest.golden else { return Ok(()) };
    golden::check(&*model, golden)
        .map_err(|source| TrainingError::Golden { dir: folder.to_owned(), source: Box::new(source) })
}

/// Opens an artifact and checks everything but its golden outputs.
pub fn open_whole(folder: &Path, expected: Option<Digest>) -> Result<Artifact, TrainingError> {
    let options = OpenOptions { expected, ..OpenOptions::default() };
    open(folder, &options)
        .map_err(|source| TrainingError::Artifact { dir: folder.to_owned(), source: Box::new(source) })
}

/// The model of an artifact.
pub fn load(artifact: &Artifact, folder: &Path) -> Result<Arc<dyn Model>, TrainingError> {
    load_of(Registry::default(), artifact, folder)
}

fn load_of(
    registry: Registry<'_>,
    artifact: &Artifact,
    folder: &Path,
) -> Result<Arc<dyn Model>, TrainingError> {
    registry.load(artifact, ScanOptions::default()).map_err(|source| model_error(folder, source))
}

fn model_error(folder: &Path, source: marquee_models::ModelError) -> TrainingError {
    TrainingError::Model { what: folder.display().to_string(), source }
}
