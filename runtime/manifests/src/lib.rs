//! Reads manifests from a folder and checks them as an API server does.
//!
//! [`load`] accepts what `kubectl apply` accepts, and fills in the same defaults: it uses the schemas and CEL rules of the
//! definitions that a cluster installs. It reports all errors at once, each with file, line, resource, field and fix.
//! [`reload`] also checks that fields which must not change did not change.

mod document;
mod error;
mod folder;
pub mod limits;
mod load;
mod metadata;
mod note;
mod position;
mod schema;
mod yaml;

pub use error::{Fault, ManifestError};
pub use load::{Loaded, load, reload};
pub use note::Note;
pub use position::Position;
