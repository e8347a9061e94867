//! How work is let in, put together, bounded in time and replaced when it does not come.

pub mod admission;
pub mod batcher;
pub mod deadline;
pub mod fallback;
pub mod threads;
