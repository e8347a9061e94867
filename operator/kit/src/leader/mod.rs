//! Leader election: only the operator that holds the Lease writes.

pub mod election;
pub mod guard;
pub mod holder;
mod lease;

pub use guard::Guard;
pub use holder::HolderPod;
pub use lease::{Leader, LeaseName, Lost};
