//! The Open Inference Protocol, version 2: tensors in, tensors out, whatever the listener.
//!
//! A model has the inputs `viewer` BYTES `[b, 1]`, `titles` BYTES `[b, n]` and optionally `recent` BYTES `[b, m]`
//! (latest first; empty strings pad), and the output `scores` FP32 `[b, n]`. Integers are taken for ids as well: the
//! id is the number in decimal.

pub mod datatype;
mod tensors;

pub use datatype::Datatype;
pub use tensors::{Input, Scores, requests};

use crate::service::{ModelDescription, Service, types::ServeError};

/// Name of the output.
pub const SCORES: &str = "scores";
/// Extensions of the protocol that are honoured.
pub const EXTENSIONS: [&str; 1] = ["binary_tensor_data"];
/// Name of the server.
pub const SERVER: &str = "marquee";

/// Inputs and output of every model: name, data type, shape; -1 is any size.
pub const INPUTS: [(&str, &str, [i64; 2]); 3] =
    [("viewer", "BYTES", [-1, 1]), ("titles", "BYTES", [-1, -1]), ("recent", "BYTES", [-1, -1])];
/// See [`INPUTS`].
pub const OUTPUTS: [(&str, &str, [i64; 2]); 1] = [(SCORES, "FP32", [-1, -1])];

/// The model of that name, in that version if one is asked for.
///
/// # Errors
/// Not found, and what is.
pub fn model(service: &Service, name: &str, version: Option<&str>) -> Result<ModelDescription, ServeError> {
    let Some(model) = service.model(name) else {
        // The plan says why: unknown, or not loaded yet. A model loaded between the two questions is not ready here.
        let why = service.plan().model(name).err();
        return Err(
            why.unwrap_or_else(|| ServeError::NotReady(format!("{name:?} was loaded only now: ask again")))
        );
    };
    match version.filter(|version| !version.is_empty() && **version != *model.artifact_digest) {
        None => Ok(model),
        Some(version) => Err(ServeError::NotFound(format!(
            "model {name:?} has no version {version:?}: it serves {}",
            model.artifact_digest
        ))),
    }
}

/// Name of the platform, as metadata has it.
pub fn platform(model: &ModelDescription) -> String {
    format!("marquee_{}", model.architecture)
}

/// Refuses outputs that no model has.
///
/// # Errors
/// Invalid, and what there is.
pub fn check_outputs<'a>(mut names: impl Iterator<Item = &'a str>) -> Result<(), ServeError> {
    match names.find(|name| *name != SCORES) {
        None => Ok(()),
        Some(name) => {
            Err(ServeError::Invalid(format!("output {name:?} does not exist: there is one, {SCORES:?}")))
        }
    }
}
