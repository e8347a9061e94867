//! What the watches reported of pods, and the facts of children and pods that decisions read.

pub mod facts;
pub mod pods;
