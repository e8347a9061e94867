//! The traffic plan: which pods answer for each objective, and for which share of viewers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::service::types::RevisionName;

/// The rankers in other processes that pages use. With `--traffic-plan`, the user writes it to a file.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrafficPlan {
    /// Revisions that answer, by objective. An objective with an empty list has no pods now.
    pub objectives: BTreeMap<String, Vec<Target>>,
}

/// A revision that answers.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// Name of the revision.
    pub revision: RevisionName,
    /// Share of viewers, in percent.
    pub weight: u32,
    /// gRPC address (`host:port`) of each pod that accepts requests.
    pub addresses: Vec<String>,
}

impl TrafficPlan {
    /// The targets with a weight above 0, with their objectives.
    pub fn weighted(&self) -> impl Iterator<Item = (&str, &Target)> {
        let all = self
            .objectives
            .iter()
            .flat_map(|(objective, targets)| targets.iter().map(move |target| (objective.as_str(), target)));
        all.filter(|(_, target)| target.weight > 0)
    }
}
