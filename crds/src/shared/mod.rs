//! Types that several kinds share.

mod affinity;
mod artifact_ref;
mod autoscaling;
mod body_size;
mod duration;
mod environment;
mod gateway;
mod placement;
mod quantity;
mod resources;
pub(crate) mod rules;
mod service_account;
mod traffic;

pub use artifact_ref::{ArtifactRef, ArtifactVolume, Credentials};
pub use autoscaling::{Autoscaling, Replicas};
pub use body_size::{BodySize, BodySizeError};
pub use duration::{Duration, DurationError};
pub use environment::{KeyRef, Variable, VariableSource};
pub use gateway::{Gateway, ParentRef};
pub use placement::{LocalSecret, Placement, Toleration, TopologySpread, WhenUnsatisfiable};
pub use quantity::Quantity;
pub use resources::Resources;
pub use service_account::PodServiceAccount;
pub use traffic::{ColocatedModel, RevisionStatus, TrafficTarget, conditions_schema};
