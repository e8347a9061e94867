//! The operator's process on an API server on which no pods run, and what may lie between the two.

mod fixture;
mod proxy;

pub use fixture::{OperatorFixture, is_ready};
pub use proxy::{Asked, Fate, Proxy};
