//! Manifests from a folder: read, checked as an API server checks them, and explained.
//!
//! [`load`] accepts what `kubectl apply` would have a cluster accept, and fills in the same defaults: the schemas and the
//! CEL rules are those of the definitions that a cluster installs. What is wrong is told all at once, each with file,
//! line, resource, field and the mend. [`reload`] also checks what may not change between two readings.

mod document;
mod error;
mod folder;
pub mod limits;
mod load;
mod metadata;
mod note;
mod schema;
mod yaml;

pub use error::{Fault, ManifestError};
pub use load::{Loaded, load, reload};
pub use note::Note;
pub use yaml::Position;
