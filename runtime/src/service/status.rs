//! The answer of `/status`. The contract declares its types, because the operator reads them.

pub use marquee_crds::runtime_status::{
    ObjectiveStatus, ResourceStatus, State, Status, TargetStatus, TrafficStatus,
};
