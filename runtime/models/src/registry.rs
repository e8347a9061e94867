//! Which architectures there are, and the way from an artifact to the model that it holds.

use std::sync::Arc;

use marquee_artifacts::{Artifact, Layout};

use crate::descriptor::Descriptor;
use crate::error::ModelError;
use crate::model::Model;
use crate::scan::ScanOptions;
use crate::weights::Weights;
use crate::{biased_mf, bpr, ease, implicit_als, popularity, svd_plus_plus};

/// Every architecture.
pub const ARCHITECTURES: &[&Descriptor] = &[
    &popularity::DESCRIPTOR,
    &biased_mf::DESCRIPTOR,
    &svd_plus_plus::DESCRIPTOR,
    &implicit_als::DESCRIPTOR,
    &bpr::DESCRIPTOR,
    &ease::DESCRIPTOR,
];

/// The models that can be loaded: those of a list of architectures.
#[derive(Clone, Copy, Debug)]
pub struct Registry<'a>(pub &'a [&'a Descriptor]);

impl Default for Registry<'_> {
    fn default() -> Self {
        Self(ARCHITECTURES)
    }
}

/// The model of an artifact, on the machine's best CPU level and without a quantized copy.
pub fn load(artifact: &Artifact) -> Result<Arc<dyn Model>, ModelError> {
    load_with(artifact, ScanOptions::default())
}

/// The model of an artifact, scanned as `options` say.
pub fn load_with(artifact: &Artifact, options: ScanOptions) -> Result<Arc<dyn Model>, ModelError> {
    Registry::default().load(artifact, options)
}

/// The model of weights that come from anywhere.
pub fn build(weights: &Weights<'_>, options: ScanOptions) -> Result<Arc<dyn Model>, ModelError> {
    Registry::default().build(weights, options)
}

impl<'a> Registry<'a> {
    /// The architecture of that name.
    pub fn find(self, name: &str) -> Option<&'a Descriptor> {
        self.0.iter().find(|descriptor| descriptor.name() == name).copied()
    }

    /// The model of an artifact, once its tensors are those of its architecture.
    ///
    /// Nothing large is copied: tensors stay in the mapped file. Golden outputs are not checked here (see [`crate::golden`]).
    pub fn load(self, artifact: &Artifact, options: ScanOptions) -> Result<Arc<dyn Model>, ModelError> {
        let manifest = &artifact.manifest;
        let architecture = &manifest.architecture;
        if !architecture.is_catalogue() {
            let layouts: Vec<Layout> = self.0.iter().map(|descriptor| descriptor.layout).collect();
            artifact.check_layout(&layouts)?;
        }
        let weights = Weights {
            architecture: architecture.clone(),
            tensors: &artifact.tensors,
            hyperparameters: &manifest.hyperparameters,
        };
        let model = self.build(&weights, options)?;
        let check = |what: &str, ids: usize, rows: usize| match ids == rows {
            true => Ok(()),
            false => Err(ModelError::Weights(format!(
                "{what} ids of {architecture}: expected {rows}, as many as the tensors have rows, found {ids}"
            ))),
        };
        check("title", artifact.n_titles(), model.n_titles())?;
        check("viewer", artifact.n_viewers(), model.n_viewers())?;
        Ok(model)
    }

    /// The model of weights that come from anywhere.
    pub fn build(self, weights: &Weights<'_>, options: ScanOptions) -> Result<Arc<dyn Model>, ModelError> {
        let architecture = &weights.architecture;
        if architecture.is_catalogue() {
            let text = "catalogue is title metadata and ranks nothing: name a model's artifact instead";
            return Err(ModelError::Weights(text.to_owned()));
        }
        let descriptor = self.find(architecture.name()).ok_or_else(|| {
            ModelError::Weights(format!("architecture {architecture} is unknown: upgrade marquee-runtime"))
        })?;
        (descriptor.load)(weights, options)
    }
}
