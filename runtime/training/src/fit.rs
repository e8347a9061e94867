//! From interactions to the tensors of an artifact, whatever the algorithm.

pub mod duration;
pub mod estimate;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use marquee_algorithms::{
    AlgorithmError, FitContext, Hyperparameters, Interactions, metrics::RatingScale, popularity,
    trainer::plain_number,
};
use marquee_artifacts::{Architecture, Dtype, RawTensor};
use marquee_models::{Model, ModelError, ScanOptions, registry::Registry, weights::Weights};
use serde_json::{Map, Value, json};

use crate::trainers::Algorithm;

/// What is learnt from.
#[derive(Clone, Copy)]
pub struct TrainingData<'a> {
    /// Who watched what.
    pub interactions: &'a Interactions,
    /// Of the ratings.
    pub scale: RatingScale,
}

/// What a fit found: everything of an artifact but its id tables.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// What was fitted.
    pub algorithm: Algorithm,
    /// Every hyperparameter, and what the model needs besides.
    pub hyperparameters: Map<String, Value>,
    /// By name.
    pub tensors: BTreeMap<String, RawTensor>,
}

impl Fitted {
    /// The architecture that serves it.
    pub fn architecture(&self) -> Architecture {
        Architecture::named(self.algorithm.0.architecture)
    }

    /// The model, in memory.
    pub fn model(&self) -> Result<Arc<dyn Model>, ModelError> {
        self.model_of(Registry::default())
    }

    /// The model, in memory, of one of the architectures of `registry`.
    pub fn model_of(&self, registry: Registry<'_>) -> Result<Arc<dyn Model>, ModelError> {
        let weights = Weights {
            architecture: self.architecture(),
            tensors: &self.tensors,
            hyperparameters: &self.hyperparameters,
        };
        registry.build(&weights, ScanOptions::default())
    }

    /// Bytes of all tensors.
    pub fn bytes(&self) -> usize {
        self.tensors.values().map(|tensor| tensor.data.len()).sum()
    }

    fn add(&mut self, name: &str, shape: &[usize], values: Vec<f32>) {
        let data = Bytes::from_owner(Owned(values));
        self.tensors.insert(name.to_owned(), RawTensor { dtype: Dtype::F32, shape: shape.to_vec(), data });
    }

    fn add_rows(&mut self, name: &str, rows: Vec<u32>) {
        let shape = vec![rows.len()];
        let data = Bytes::from_owner(Owned(rows));
        self.tensors.insert(name.to_owned(), RawTensor { dtype: Dtype::U32, shape, data });
    }
}

/// Numbers that keep their alignment as bytes.
struct Owned<T>(Vec<T>);

impl<T: bytemuck::NoUninit> AsRef<[u8]> for Owned<T> {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

/// Fits `algorithm`; hyperparameters that are not given have their defaults.
pub fn fit(
    algorithm: Algorithm,
    given: &Hyperparameters,
    data: TrainingData<'_>,
    context: &mut FitContext<'_>,
) -> Result<Fitted, AlgorithmError> {
    let interactions = data.interactions;
    let hyperparameters = algorithm.0.resolve(given);
    let mut fitted = Fitted { algorithm, hyperparameters, tensors: BTreeMap::new() };
    fitted.add("title.plays", &[interactions.n_titles()], popularity::fit(interactions)?);
    fitted.add_rows("history.offsets", interactions.offsets().to_vec());
    fitted.add_rows("history.titles", interactions.titles().to_vec());
    fitted.add_rows("history.sequence", interactions.titles_in_order());
    for tensor in (algorithm.0.fit)(interactions, &fitted.hyperparameters, context)? {
        fitted.add(tensor.name, &tensor.shape, tensor.values);
    }
    describe(&mut fitted, data.scale);
    Ok(fitted)
}

/// Adds what the model needs beside the hyperparameters of the fit.
fn describe(fitted: &mut Fitted, scale: RatingScale) {
    if !fitted.algorithm.is_explicit() {
        return;
    }
    fitted.hyperparameters.insert("ratingMin".to_owned(), plain_number(scale.least));
    fitted.hyperparameters.insert("ratingMax".to_owned(), plain_number(scale.most));
    // Members of an ensemble stand side by side: to the model they are one with that many factors.
    let columns = fitted.tensors.get("title.factors").and_then(|tensor| tensor.shape.get(1)).copied();
    if let Some(each) = fitted.hyperparameters.insert("factors".to_owned(), json!(columns)) {
        fitted.hyperparameters.insert("factorsOfEachMember".to_owned(), each);
    }
}
