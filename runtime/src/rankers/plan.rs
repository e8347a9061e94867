//! Which pods answer for which objective, and with which share of viewers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::service::types::RevisionName;

/// Everything that pages ask in other processes. As a file (`--traffic-plan`) it is written by whoever runs those processes.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrafficPlan {
    /// Revisions of the model that answers, by objective. An objective without any has no pods now.
    pub objectives: BTreeMap<String, Vec<Target>>,
}

/// A revision that answers.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// Its name.
    pub revision: RevisionName,
    /// Its share of viewers, in percent.
    pub weight: u32,
    /// `host:port` of the gRPC of each of its pods that takes requests.
    pub addresses: Vec<String>,
}

impl TrafficPlan {
    /// The targets that viewers are sent to.
    pub fn weighted(&self) -> impl Iterator<Item = (&str, &Target)> {
        let all = self
            .objectives
            .iter()
            .flat_map(|(objective, targets)| targets.iter().map(move |target| (objective.as_str(), target)));
        all.filter(|(_, target)| target.weight > 0)
    }
}
