//! Which of several operators writes: the one that holds the Lease.

pub mod election;
pub mod guard;
mod lease;

pub use guard::Guard;
pub use lease::{Leader, Lost};
