//! Model architectures as Candle modules behind one trait, and the exact top-k scan. Pure: no I/O, no clock, no tokio.
//!
//! Reading order: the trait; from artifact to model, and the check that it computes what it should; one file an
//! architecture; what the factor models share; the scan over all titles; the small linear systems of fold-in.
//!
//! A Candle tensor must own its values, and a model must not cost more than its mapped file. So the large matrices stay
//! where they lie ([`weights::Table`]) and take part in Candle through custom operations ([`scan::TitleIndex::forward`],
//! [`ease::Ease::forward`]); viewers, which are small, are ordinary tensors.

pub mod model;
pub mod registry;

pub mod golden;

pub mod popularity;

pub mod biased_mf;
pub mod svd_plus_plus;

pub mod bpr;
pub mod implicit_als;

pub mod ease;

pub mod audience;
pub mod explicit;
pub mod factors;
pub mod weights;

pub mod cpu;
pub mod scan;
pub mod select;

pub mod linalg;

pub use model::{Model, ModelError, Scored, TopKQuery, Viewer};
pub use scan::ScanOptions;
