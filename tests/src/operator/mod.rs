//! The operator process on an API server without pods, and a proxy between the two that injects faults.

mod fixture;
mod proxy;

pub use fixture::{OperatorFixture, is_ready};
pub use proxy::{FaultAction, Proxy, ProxyRequest};
