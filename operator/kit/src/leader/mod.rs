//! Leader election: only the operator that holds the Lease writes.

pub mod election;
pub mod guard;
mod lease;

pub use guard::Guard;
pub use lease::{Leader, Lost};
