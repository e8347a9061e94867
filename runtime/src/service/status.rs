//! What `/status` answers: declared in the contract, because the operator reads it.

pub use marquee_crds::runtime_status::{ResourceStatus, State, Status, TargetStatus, TrafficStatus};
