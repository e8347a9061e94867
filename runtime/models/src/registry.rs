//! From an artifact to the model that it holds.

use std::sync::Arc;

use marquee_artifacts::manifest::Architecture;
use marquee_artifacts::{Artifact, IdTable};

use crate::biased_mf::BiasedMf;
use crate::bpr::Bpr;
use crate::ease::Ease;
use crate::implicit_als::ImplicitAls;
use crate::model::{Model, ModelError};
use crate::popularity::MostPlayed;
use crate::scan::ScanOptions;
use crate::svd_plus_plus::SvdPlusPlus;
use crate::weights::{Weights, architecture_name};

/// The model of an artifact, on the machine's best CPU level and without a quantized copy.
///
/// Nothing large is copied: tensors stay in the mapped file. Golden outputs are not checked here (see [`crate::golden`]).
pub fn load(artifact: &Artifact) -> Result<Arc<dyn Model>, ModelError> {
    load_with(artifact, ScanOptions::default())
}

/// The model of an artifact, scanned as `options` say.
pub fn load_with(artifact: &Artifact, options: ScanOptions) -> Result<Arc<dyn Model>, ModelError> {
    let manifest = &artifact.manifest;
    let weights = Weights {
        architecture: manifest.architecture,
        tensors: &artifact.tensors,
        hyperparameters: &manifest.hyperparameters,
    };
    let model = build(&weights, options)?;
    let name = architecture_name(manifest.architecture);
    let check = |what: &str, table: Option<&IdTable>, rows: usize| match table.map_or(0, IdTable::len) {
        ids if ids == rows => Ok(()),
        ids => Err(ModelError::Weights(format!(
            "{what} ids of {name}: expected {rows}, as many as the tensors have rows, found {ids}"
        ))),
    };
    check("title", artifact.titles.as_ref(), model.n_titles())?;
    check("viewer", artifact.viewers.as_ref(), model.n_viewers())?;
    Ok(model)
}

/// The model of weights that come from anywhere.
pub fn build(weights: &Weights<'_>, options: ScanOptions) -> Result<Arc<dyn Model>, ModelError> {
    Ok(match weights.architecture {
        Architecture::Popularity => Arc::new(MostPlayed::load(weights)?),
        Architecture::BiasedMf => Arc::new(BiasedMf::load(weights, options)?),
        Architecture::SvdPlusPlus => Arc::new(SvdPlusPlus::load(weights, options)?),
        Architecture::ImplicitAls => Arc::new(ImplicitAls::load(weights, options)?),
        Architecture::Bpr => Arc::new(Bpr::load(weights, options)?),
        Architecture::Ease => Arc::new(Ease::load(weights)?),
        Architecture::Catalogue => {
            let text = "catalogue is title metadata and ranks nothing: name a model's artifact instead";
            return Err(ModelError::Weights(text.to_owned()));
        }
    })
}
