//! What should be for a PageLayout: pure.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use marquee_crds::{
    PageLayout, RankingModel, names,
    page_layout::{PageLayoutStatus, Topology},
    pod_config::{ResourceRef, older},
    shared::ColocatedModel,
};

use super::status;
use crate::{
    controllers::{
        ranking_model::decide::colocated_revision,
        serving::{self, Given, Told},
    },
    observed::{Observed, Settings},
    plan::Plan,
    resources::Workload,
    rollout::Before,
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
    layout: &PageLayout,
    around: Surroundings<'_>,
    observed: &Observed,
    settings: &Settings,
    now: Timestamp,
) -> Plan<PageLayoutStatus> {
    let now = serving::whole_seconds(now);
    let models = models(layout, around.models);
    let of = Workload::of_layout(layout, &models, settings, &observed.capabilities);
    if let Some(older) = around.older {
        return status::refused(layout, &of, older, now);
    }
    let before = told(layout);
    let answered = serving::main_target(before.traffic).map(|target| Before {
        revision: target.revision.clone(),
        since: target.since.0,
        elsewhere: false,
    });
    let ran = layout.status.as_ref().map_or(&[][..], |status| &status.models);
    let given = Given { of: &of, observed, before, answered, held_for: held_for(layout, ran, &models), now };
    let served = serving::serve(&given);
    let answering = served.course.answering.as_ref().map(|at| at.revision.as_str());
    let runs = if answering == Some(&served.wanted) {
        let told_of = |ranker: &marquee_crds::pod_config::RankerConfig| ColocatedModel {
            name: ranker
                .resource
                .split_once('/')
                .map_or(ranker.resource.as_str(), |(_, name)| name)
                .to_owned(),
            revision: colocated_revision(ranker),
        };
        of.config.rankers.iter().map(told_of).collect()
    } else if answering.is_some()
        && answering == serving::main_target(before.traffic).map(|at| at.revision.as_str())
    {
        ran.to_vec()
    } else {
        Vec::new()
    };
    status::served(layout, &given, served, runs, &models)
}

/// What the layout's status says.
pub(super) fn told(layout: &PageLayout) -> Told<'_> {
    layout.status.as_ref().map_or_else(Told::default, |status| Told {
        conditions: &status.conditions,
        latest: status.latest_revision.as_deref(),
        traffic: &status.traffic,
        revisions: &status.revisions,
    })
}

/// The models of the surface, of two that claim an objective the older, sorted by name.
fn models(layout: &PageLayout, all: &[Arc<RankingModel>]) -> Vec<RankingModel> {
    let mut own: Vec<&RankingModel> =
        all.iter().map(AsRef::as_ref).filter(|model| model.spec.surface == layout.spec.surface).collect();
    own.sort_by(|one, other| older(&one.metadata, &other.metadata));
    let mut first: Vec<RankingModel> = Vec::new();
    for model in own {
        if !first.iter().any(|held| held.spec.objective == model.spec.objective) {
            first.push(model.clone());
        }
    }
    first.sort_by(|one, other| one.metadata.name.cmp(&other.metadata.name));
    first
}

/// What pods without models wait for: that every model which answers in the pods of now has pods of its own.
fn held_for(layout: &PageLayout, ran: &[ColocatedModel], models: &[RankingModel]) -> Option<String> {
    if layout.spec.topology == Topology::Monolith {
        return None;
    }
    let resource = ResourceRef::of(&layout.metadata);
    let page = names::endpoint(&names::page(&resource.name), &resource.namespace);
    let has_own = |model: &RankingModel| {
        let target = model.status.as_ref().and_then(|status| serving::main_target(&status.traffic));
        target.is_some_and(|target| target.endpoint != page)
    };
    let waits = models.iter().filter(|model| {
        let runs_here = ran.iter().any(|runs| Some(&runs.name) == model.metadata.name.as_ref());
        runs_here && !has_own(model)
    });
    let names: Vec<&str> = waits.filter_map(|model| model.metadata.name.as_deref()).collect();
    (!names.is_empty()).then(|| format!("pods of their own of RankingModel {}", names.join(", ")))
}
