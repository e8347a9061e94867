//! What should be for a RankingModel: pure.

use k8s_openapi::jiff::Timestamp;
use marquee_crds::{PageLayout, RankingModel, pod_config::ResourceRef, ranking_model::RankingModelStatus};

use crate::{
    observed::{Observed, Settings},
    plan::Plan,
};

/// What of other resources bears on a model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// The older model of this namespace that answers to the same objective.
    pub older: Option<&'a ResourceRef>,
    /// The layout of this namespace that has the model's surface: the oldest, wherever its models run. Its spec and status say
    /// whether the model answers in its pods.
    pub page: Option<&'a PageLayout>,
}

/// What should be for `model`, with what there is, as of `now`.
pub fn plan(
    _model: &RankingModel,
    _around: Surroundings<'_>,
    _observed: &Observed,
    _settings: &Settings,
    _now: Timestamp,
) -> Plan<RankingModelStatus> {
    Plan {
        children: Vec::new(),
        status: RankingModelStatus::default(),
        happenings: Vec::new(),
        look_again: None,
    }
}
