//! Leader election: of several operators the one that holds the Lease writes.

pub mod election;
pub mod guard;
mod lease;

pub use guard::Guard;
pub use lease::{Leader, Lost};
