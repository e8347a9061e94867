//! Model architectures behind one contract, and the exact top-k scan. Pure: no I/O, no clock, no tokio.
//!
//! Reading order: the contract (rows, viewer, model, capabilities, device); from artifact to model, and the check that it
//! computes what it should; one file an architecture, each with its descriptor; what the architectures share; the scan over all titles; the small linear
//! systems of fold-in.
//!
//! A model must not cost more memory than its mapped file, so the large matrices stay where they lie
//! ([`weights::Table`]) and factor models answer with plain slices.

pub mod rows;
pub mod viewer;

pub mod capabilities;
pub mod capability;
pub mod device;
pub mod error;
pub mod model;

pub mod descriptor;
pub mod registry;

pub mod golden;

pub mod popularity;

pub mod biased_mf;
pub mod svd_plus_plus;

pub mod bpr;
pub mod implicit_als;

pub mod ease;

pub mod explicit;
pub mod factors;
mod lists;
pub mod watch_history;
pub mod weights;

pub mod cpu;
pub mod scan;
pub mod select;

pub mod linalg;

pub use capabilities::{NearQuery, TopKQuery};
pub use capability::Capability;
pub use descriptor::Descriptor;
pub use error::ModelError;
pub use model::Model;
pub use rows::{Scored, TitleRow, ViewerRow};
pub use scan::ScanOptions;
pub use viewer::{EventKind, Features, ViewerContext, ViewerEvent};
