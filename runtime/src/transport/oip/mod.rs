//! The Open Inference Protocol, version 2: tensors in, tensors out, over HTTP and gRPC.
//!
//! A model has the inputs `viewer` BYTES `[b, 1]`, `titles` BYTES `[b, n]` and optionally `recent` BYTES `[b, m]`
//! (latest first; empty strings pad), and the output `scores` FP32 `[b, n]`. Integers are accepted as ids too: the id
//! is the number in decimal.

pub mod datatype;
mod tensors;
mod unsupported;

pub use datatype::Datatype;
pub use tensors::{Input, Scores, requests};
pub use unsupported::Unsupported;

use crate::service::{ModelDescription, Service, types::ServeError};

/// Full name of the gRPC service.
pub const SERVICE: &str = "inference.GRPCInferenceService";
/// Name of the output.
pub const SCORES: &str = "scores";
/// Extensions of the protocol that the server supports.
pub const EXTENSIONS: [&str; 1] = ["binary_tensor_data"];
/// Name of the server.
pub const SERVER: &str = "marquee";

/// Inputs of every model: name, data type, shape; -1 means any size.
pub const INPUTS: [(&str, &str, [i64; 2]); 3] =
    [("viewer", "BYTES", [-1, 1]), ("titles", "BYTES", [-1, -1]), ("recent", "BYTES", [-1, -1])];
/// Outputs of every model, in the format of [`INPUTS`].
pub const OUTPUTS: [(&str, &str, [i64; 2]); 1] = [(SCORES, "FP32", [-1, -1])];

/// The model with this name, and with this version if one is given.
///
/// # Errors
/// Not found, or not loaded yet.
pub fn model(service: &Service, name: &str, version: Option<&str>) -> Result<ModelDescription, ServeError> {
    let Some(model) = service.model(name) else {
        // The plan knows the reason: unknown, or not loaded yet. If the model was loaded between the two look-ups, the caller
        // asks again.
        let why = service.plan().model(name).err();
        return Err(why.unwrap_or_else(|| {
            ServeError::NotReady(format!("model {name:?} has just been loaded: try again"))
        }));
    };
    match version.filter(|version| !version.is_empty() && **version != *model.artifact_digest) {
        None => Ok(model),
        Some(version) => Err(ServeError::NotFound(format!(
            "model {name:?} has no version {version:?}: it serves {}",
            model.artifact_digest
        ))),
    }
}

/// Whether the model serves: false while it loads, and after a failed load.
///
/// # Errors
/// Not found, if the model or the version does not exist.
pub fn is_model_ready(service: &Service, name: &str, version: Option<&str>) -> Result<bool, ServeError> {
    match model(service, name, version) {
        Ok(_) => Ok(true),
        Err(ServeError::NotReady(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Name of the platform in the metadata.
pub fn platform(model: &ModelDescription) -> String {
    format!("marquee_{}", model.architecture)
}

/// Rejects outputs that do not exist.
///
/// # Errors
/// Invalid, with the name of the output that exists.
pub fn check_outputs<'a>(mut names: impl Iterator<Item = &'a str>) -> Result<(), ServeError> {
    match names.find(|name| *name != SCORES) {
        None => Ok(()),
        Some(name) => {
            Err(ServeError::Invalid(format!("output {name:?} does not exist: the only output is {SCORES:?}")))
        }
    }
}

#[cfg(test)]
mod tests;
