//! The pods that the watches reported, and the facts of children and pods that decisions read.

pub mod facts;
pub mod pods;
