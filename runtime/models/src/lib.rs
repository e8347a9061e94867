//! Model architectures as Candle modules behind one trait, and the exact top-k scan. Pure: no I/O, no clock, no tokio.

pub mod model;
// to come: registry (manifest -> Box<dyn Model>), golden, one file an architecture, scan/ (top-k kernels), linalg

pub use model::{Model, ModelError, Scored, TopKQuery, Viewer};
