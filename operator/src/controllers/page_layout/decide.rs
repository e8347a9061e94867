//! What should exist for a PageLayout: pure.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use marquee_crds::{PageLayout, RankingModel, names, page_layout::Topology, pod_config::ResourceRef};

use crate::{
    context::precedence,
    controllers::serving::{self, Plan, conditions::list_of, decide::ServingDecision},
    observed::{Observed, Settings},
    resources::Workload,
    rollout::Target,
    served::PreviousStatus,
};

/// How a layout is served.
#[derive(Clone, Debug)]
pub enum LayoutDecision<'a> {
    /// Not at all: an older layout has its surface.
    Refused(&'a ResourceRef),
    /// By pods.
    Serving(Box<ServingDecision>),
}

/// What should exist for `layout`, given what exists, as of `now`.
pub fn plan<'a>(
    layout: &'a PageLayout,
    observed: &'a Observed,
    settings: &'a Settings,
    now: Timestamp,
) -> Plan<'a, LayoutDecision<'a>> {
    let now = serving::whole_seconds(now);
    let models = models(layout, &observed.models);
    let workload = Workload::of_layout(layout, &models, settings, &observed.capabilities);
    if let Some(older) = &observed.older {
        return Plan::without_children(workload, LayoutDecision::Refused(older), now);
    }
    let targets = PreviousStatus::from(layout).targets();
    let previous_targets = targets.map(|target| Target::from_status(target, None)).collect();
    let waits_for = waits_for(layout, &models);
    serving::decide::decide(workload, observed, previous_targets, waits_for, now)
        .map(|serving| LayoutDecision::Serving(Box::new(serving)))
}

/// The models of the layout's surface, sorted by name. Of two models with one objective the older counts, unless it is being deleted.
pub(super) fn models(layout: &PageLayout, all: &[Arc<RankingModel>]) -> Vec<RankingModel> {
    let mut own: Vec<&RankingModel> =
        all.iter().map(AsRef::as_ref).filter(|model| model.spec.surface == layout.spec.surface).collect();
    own.sort_by(|one, other| precedence(&one.metadata, &other.metadata));
    let mut first: Vec<RankingModel> = Vec::new();
    for model in own {
        if !first.iter().any(|known| known.spec.objective == model.spec.objective) {
            first.push(model.clone());
        }
    }
    first.sort_by(|one, other| one.metadata.name.cmp(&other.metadata.name));
    first
}

/// Pods without models wait until each model that runs in the present pods has its own pods.
fn waits_for(layout: &PageLayout, models: &[RankingModel]) -> Option<String> {
    if layout.spec.topology == Topology::Monolith {
        return None;
    }
    let resource = ResourceRef::of(&layout.metadata);
    let page = names::endpoint(&names::page(&resource.name), &resource.namespace);
    let has_own_pods = |model: &RankingModel| {
        let mut targets = PreviousStatus::from(model).targets().peekable();
        targets.peek().is_some() && targets.all(|target| target.endpoint != page)
    };
    let hosted = layout.status.as_ref().map_or(&[][..], |status| &status.models);
    let is_hosted =
        |model: &&RankingModel| hosted.iter().any(|known| Some(&known.name) == model.metadata.name.as_ref());
    let waits = models.iter().filter(is_hosted).filter(|model| !has_own_pods(model));
    let names: Vec<String> = waits.filter_map(|model| model.metadata.name.clone()).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("RankingModel {one} to have pods of its own")),
        several => Some(format!("the RankingModels {} to have pods of their own", list_of(several))),
    }
}
