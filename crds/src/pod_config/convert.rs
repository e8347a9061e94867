//! Resources in, [`PodConfig`] out.

use super::{PageConfig, PodConfig, RankerConfig};
use crate::{PageLayout, RankingModel};

/// Why a set of resources cannot be served as it stands. The message names the resource and the mend.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// Two models answer to one objective.
    #[error(
        "RankingModel {second} has the objective {objective:?} that RankingModel {first} answers to: give it another"
    )]
    DuplicateObjective {
        /// The objective.
        objective: String,
        /// Comes first by namespace and name.
        first: String,
        /// Is refused.
        second: String,
    },
}

/// What one process serves of these resources, and every problem found. A resource with a problem is left out.
pub fn convert(models: &[RankingModel], layouts: &[PageLayout]) -> (PodConfig, Vec<Problem>) {
    let _ = (models, layouts);
    let (rankers, pages): (Vec<RankerConfig>, Vec<PageConfig>) = (Vec::new(), Vec::new());
    (PodConfig { rankers, pages }, Vec::new())
}
