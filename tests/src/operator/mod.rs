//! The operator's process on an API server on which no pods run, and what may lie between the two.

mod proxy;
mod stage;

pub use proxy::{Asked, Fate, Proxy};
pub use stage::Stage;
