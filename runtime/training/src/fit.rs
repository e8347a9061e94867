//! From interactions to the tensors of an artifact, whatever the algorithm.

pub mod estimate;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use marquee_algorithms::{
    AlgorithmError, Factors, FitContext, Interactions, biased_mf, bpr, ease, implicit_als, popularity,
    svd_plus_plus,
};
use marquee_artifacts::{Architecture, Dtype, RawTensor};
use marquee_models::{Model, ModelError, ScanOptions, registry, weights::Weights};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::knobs::{Algorithm, Hyperparameters, Kind};

/// What is learnt from.
#[derive(Clone, Copy)]
pub struct Lesson<'a> {
    /// Who watched what.
    pub data: &'a Interactions,
    /// Lowest and highest rating.
    pub scale: (f32, f32),
}

/// What a fit found: everything of an artifact but its id tables.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// What was fitted.
    pub algorithm: Algorithm,
    /// Every hyper-parameter, and what the model needs besides.
    pub hyperparameters: Map<String, Value>,
    /// By name.
    pub tensors: BTreeMap<String, RawTensor>,
}

impl Fitted {
    /// The model, in memory.
    pub fn model(&self) -> Result<Arc<dyn Model>, ModelError> {
        let weights = Weights {
            architecture: architecture(self.algorithm),
            tensors: &self.tensors,
            hyperparameters: &self.hyperparameters,
        };
        registry::build(&weights, ScanOptions::default())
    }

    /// Bytes of all tensors.
    pub fn bytes(&self) -> usize {
        self.tensors.values().map(|tensor| tensor.data.len()).sum()
    }

    fn add(&mut self, name: &str, shape: &[usize], values: Vec<f32>) {
        let data = Bytes::from_owner(Owned(values));
        self.tensors.insert(name.to_owned(), RawTensor { dtype: Dtype::F32, shape: shape.to_vec(), data });
    }

    fn add_factors(&mut self, name: &str, factors: Factors) {
        let shape = [factors.rows(), factors.dim()];
        self.add(name, &shape, factors.into_values());
    }

    fn add_rows(&mut self, name: &str, rows: &[u32]) {
        let data = Bytes::from_owner(Owned(rows.to_vec()));
        self.tensors.insert(name.to_owned(), RawTensor { dtype: Dtype::U32, shape: vec![rows.len()], data });
    }
}

/// Numbers that keep their alignment as bytes.
struct Owned<T>(Vec<T>);

impl<T: bytemuck::NoUninit> AsRef<[u8]> for Owned<T> {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

/// The architecture that serves what `algorithm` finds.
pub fn architecture(algorithm: Algorithm) -> Architecture {
    match algorithm {
        Algorithm::Popularity => Architecture::Popularity,
        Algorithm::BiasedMf => Architecture::BiasedMf,
        Algorithm::SvdPlusPlus => Architecture::SvdPlusPlus,
        Algorithm::ImplicitAls => Architecture::ImplicitAls,
        Algorithm::Bpr => Architecture::Bpr,
        Algorithm::Ease => Architecture::Ease,
    }
}

/// Fits `algorithm`; hyper-parameters that are not given have their defaults.
pub fn fit(
    algorithm: Algorithm,
    given: &Hyperparameters,
    lesson: Lesson<'_>,
    context: &mut FitContext<'_>,
) -> Result<Fitted, AlgorithmError> {
    let data = lesson.data;
    let hyperparameters = resolve(algorithm, given);
    let mut fitted = Fitted { algorithm, hyperparameters, tensors: BTreeMap::new() };
    fitted.add("title.plays", &[data.n_titles()], popularity::fit(data)?);
    fitted.add_rows("history.offsets", data.offsets());
    fitted.add_rows("history.titles", data.titles());
    match algorithm {
        Algorithm::Popularity => {}
        Algorithm::BiasedMf => {
            let found = biased_mf::fit(data, &params(&fitted.hyperparameters)?, context)?;
            fitted.add("global.mean", &[1], vec![found.global_mean]);
            fitted.add("viewer.bias", &[data.n_viewers()], found.viewer_bias);
            fitted.add("title.bias", &[data.n_titles()], found.title_bias);
            fitted.add_factors("viewer.factors", found.viewer_factors);
            fitted.add_factors("title.factors", found.title_factors);
        }
        Algorithm::SvdPlusPlus => {
            let found = svd_plus_plus::fit(data, &params(&fitted.hyperparameters)?, context)?;
            fitted.add("global.mean", &[1], vec![found.global_mean]);
            fitted.add("viewer.bias", &[data.n_viewers()], found.viewer_bias);
            fitted.add("title.bias", &[data.n_titles()], found.title_bias);
            fitted.add_factors("viewer.factors", found.viewer_factors);
            fitted.add_factors("title.factors", found.title_factors);
            fitted.add_factors("title.implicit", found.title_implicit);
        }
        Algorithm::ImplicitAls => {
            let found = implicit_als::fit(data, &params(&als_params(&fitted.hyperparameters))?, context)?;
            fitted.add_factors("viewer.factors", found.viewer_factors);
            fitted.add_factors("title.factors", found.title_factors);
        }
        Algorithm::Bpr => {
            let found = bpr::fit(data, &params(&fitted.hyperparameters)?, context)?;
            fitted.add("title.bias", &[data.n_titles()], found.title_bias);
            fitted.add_factors("viewer.factors", found.viewer_factors);
            fitted.add_factors("title.factors", found.title_factors);
        }
        Algorithm::Ease => {
            let found = ease::fit(data, &params(&fitted.hyperparameters)?, context)?;
            fitted.add_factors("weights", found.weights);
        }
    }
    describe(&mut fitted, lesson.scale);
    Ok(fitted)
}

/// Adds what the model needs beside the hyper-parameters of the fit.
fn describe(fitted: &mut Fitted, scale: (f32, f32)) {
    if !fitted.algorithm.is_explicit() {
        return;
    }
    fitted.hyperparameters.insert("ratingMin".to_owned(), clean(scale.0));
    fitted.hyperparameters.insert("ratingMax".to_owned(), clean(scale.1));
    // Members of an ensemble stand side by side: to the model they are one with that many factors.
    let columns = fitted.tensors.get("title.factors").and_then(|tensor| tensor.shape.get(1)).copied();
    if let Some(each) = fitted.hyperparameters.insert("factors".to_owned(), json!(columns)) {
        fitted.hyperparameters.insert("factorsOfEachMember".to_owned(), each);
    }
}

/// Every hyper-parameter of `algorithm`: as given, else its default.
pub fn resolve(algorithm: Algorithm, given: &Hyperparameters) -> Hyperparameters {
    let defaults = defaults(algorithm);
    let value = |name: &str| given.get(name).or_else(|| defaults.get(name)).cloned();
    algorithm.knobs().iter().filter_map(|knob| Some((knob.name.to_owned(), value(knob.name)?))).collect()
}

fn defaults(algorithm: Algorithm) -> Hyperparameters {
    let mut defaults = match algorithm {
        Algorithm::Popularity => Hyperparameters::new(),
        Algorithm::BiasedMf => fields(&biased_mf::BiasedMfParams::default()),
        Algorithm::SvdPlusPlus => fields(&svd_plus_plus::SvdPlusPlusParams::default()),
        Algorithm::ImplicitAls => fields(&implicit_als::ImplicitAlsParams::default()),
        Algorithm::Bpr => fields(&bpr::BprParams::default()),
        Algorithm::Ease => fields(&ease::EaseParams::default()),
    };
    if let Some(Value::Object(solver)) = defaults.remove("solver") {
        defaults.extend(solver.get("method").map(|method| ("solver".to_owned(), method.clone())));
        defaults.extend(solver.get("steps").map(|steps| ("solverSteps".to_owned(), steps.clone())));
    }
    for knob in algorithm.knobs().iter().filter(|knob| matches!(knob.kind, Kind::Real(..))) {
        #[expect(clippy::cast_possible_truncation, reason = "the parameter is an f32")]
        if let Some(value) = defaults.get_mut(knob.name) {
            *value = clean(value.as_f64().unwrap_or_default() as f32);
        }
    }
    defaults
}

fn fields(params: &impl Serialize) -> Hyperparameters {
    match serde_json::to_value(params) {
        Ok(Value::Object(fields)) => fields,
        _ => Hyperparameters::new(),
    }
}

/// A 32-bit number as a person wrote it: 0.1, not 0.10000000149.
fn clean(value: f32) -> Value {
    json!(value.to_string().parse::<f64>().unwrap_or_else(|_| f64::from(value)))
}

/// Solver and steps are two hyper-parameters for people, one for the fit.
fn als_params(flat: &Hyperparameters) -> Hyperparameters {
    let mut params = flat.clone();
    let steps = params.remove("solverSteps");
    let solver = match params.remove("solver") {
        Some(Value::String(word)) if word == "exact" => json!({ "method": "exact" }),
        _ => json!({ "method": "conjugate-gradient", "steps": steps }),
    };
    params.insert("solver".to_owned(), solver);
    params
}

fn params<T: DeserializeOwned>(fields: &Hyperparameters) -> Result<T, AlgorithmError> {
    serde_json::from_value(Value::Object(fields.clone())).map_err(|error| AlgorithmError::Parameter {
        name: "hyperparameters",
        expected: "values that the algorithm can read",
        found: error.to_string(),
    })
}
