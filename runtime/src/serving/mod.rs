//! Controls work: admission, batching, deadlines, and fallbacks for missing answers.

pub mod admission;
pub mod batcher;
pub mod deadline;
pub mod fallback;
pub mod threads;
