//! What should be for a PageLayout: pure.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use marquee_crds::{PageLayout, RankingModel, page_layout::PageLayoutStatus, pod_config::ResourceRef};

use crate::{
    observed::{Observed, Settings},
    plan::Plan,
};

/// What of other resources bears on a layout.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// The older layout of this namespace that has the same surface.
    pub older: Option<&'a ResourceRef>,
    /// The models of this namespace that rank for the surface.
    pub models: &'a [Arc<RankingModel>],
}

/// What should be for `layout`, with what there is, as of `now`.
pub fn plan(
    _layout: &PageLayout,
    _around: Surroundings<'_>,
    _observed: &Observed,
    _settings: &Settings,
    _now: Timestamp,
) -> Plan<PageLayoutStatus> {
    Plan {
        children: Vec::new(),
        status: PageLayoutStatus::default(),
        happenings: Vec::new(),
        look_again: None,
    }
}
