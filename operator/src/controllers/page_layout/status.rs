//! What the status of a PageLayout says: pure.

use std::collections::{BTreeMap, BTreeSet};

use marquee_crds::{
    PageLayout, RankingModel,
    conditions::{ConditionDraft, ConditionType, Reason},
    names,
    page_layout::{PageLayoutStatus, Topology},
    pod_config::{self, Problem, RankerConfig},
    shared::ColocatedModel,
};

use super::decide::{self, LayoutDecision};
use crate::{
    child::{AppliedChild, ChildKind},
    controllers::{
        SURFACE,
        serving::{Plan, conditions::draft, inputs::StatusInputs, status},
    },
    observed::{ChildState, Observed},
    resources::colocated_revision,
    rollout::main_target,
    served::{PreviousStatus, StatusDraft},
    transition::TransitionEvent,
};

/// The status of `layout` and the events of its transition, once the children of `plan` are `applied`.
pub fn status(
    layout: &PageLayout,
    observed: &Observed,
    plan: &Plan<'_, LayoutDecision<'_>>,
    applied: &[AppliedChild],
) -> (PageLayoutStatus, Vec<TransitionEvent>) {
    let previous = PreviousStatus::from(layout);
    let Plan { workload, now, .. } = plan;
    let stamped = |draft| status::stamped(draft, layout.metadata.generation, previous, *now);
    match &plan.decision {
        LayoutDecision::Refused(older) => {
            let (claim, more) = ((SURFACE, layout.spec.surface.as_str()), [ConditionType::ModelsResolved]);
            stamped(status::refused(workload, older, claim, Reason::DuplicateLayout, &more))
        }
        LayoutDecision::Serving(serving) => {
            let inputs = StatusInputs::new(plan, serving, observed, applied, previous);
            let (page, namespace) = (names::page(&workload.parent.name), &workload.parent.namespace);
            let models = running_models(layout, &inputs);
            let (status, events) = stamped(served(layout, &inputs, &models));
            let address = format!("{page}.{namespace}.svc:80");
            (PageLayoutStatus { address, models, ..status }, events)
        }
    }
}

/// The models that run in the pods of the revision that answers; of several, the one with the largest share.
fn running_models(layout: &PageLayout, inputs: &StatusInputs<'_>) -> Vec<ColocatedModel> {
    let Some(main) = main_target(inputs.targets) else { return Vec::new() };
    if main.revision == inputs.serving.desired_revision {
        let model = |ranker: &RankerConfig| ColocatedModel {
            name: ranker
                .resource
                .split_once('/')
                .map_or(ranker.resource.as_str(), |(_, name)| name)
                .to_owned(),
            revision: colocated_revision(ranker).into(),
        };
        return inputs.workload.config.rankers.iter().map(model).collect();
    }
    let is_same = main_target(&inputs.serving.previous_targets)
        .is_some_and(|previous| previous.revision == main.revision);
    let known = layout.status.as_ref().filter(|_| is_same);
    known.map(|status| status.models.clone()).unwrap_or_default()
}

/// The status of a layout with pods, with the conditions that only layouts have.
fn served(layout: &PageLayout, inputs: &StatusInputs<'_>, running: &[ColocatedModel]) -> StatusDraft {
    let mut status = inputs.status();
    let models = decide::models(layout, &inputs.observed.models);
    let resolved = models_resolved(layout, &models, running);
    if resolved.status == Some(false) {
        let degraded = status.conditions.iter_mut().find(|draft| draft.kind == ConditionType::Degraded);
        if let Some(degraded) = degraded.filter(|degraded| degraded.status == Some(false)) {
            *degraded = draft(ConditionType::Degraded, Some(true), resolved.reason, resolved.message.clone());
        }
    }
    status.conditions.push(resolved);
    status.conditions.extend(routes_applied(layout, inputs));
    status
}

/// Whether a model answers to every objective that a row names.
fn models_resolved(
    layout: &PageLayout,
    models: &[RankingModel],
    running: &[ColocatedModel],
) -> ConditionDraft {
    let say =
        |status, reason, message: String| draft(ConditionType::ModelsResolved, Some(status), reason, message);
    let (config, problems) = pod_config::convert(models, std::slice::from_ref(layout));
    let missing = missing_objectives(&problems);
    if !missing.is_empty() {
        return say(false, Reason::ObjectiveNotFound, format!("{missing}; these rows show the fallback"));
    }
    let rows = config.pages.iter().flat_map(|page| &page.rows);
    let objectives: BTreeSet<&str> = rows.filter_map(|row| row.source.objective()).collect();
    let answers = |model: &RankingModel| {
        let in_page = running.iter().any(|known| Some(&known.name) == model.metadata.name.as_ref());
        let has_targets = PreviousStatus::from(model).targets().next().is_some();
        in_page || (layout.spec.topology == Topology::Microservices && has_targets)
    };
    let asked = models.iter().filter(|model| objectives.contains(model.spec.objective.as_str()));
    let silent: Vec<&str> =
        asked.filter(|model| !answers(model)).filter_map(|model| model.metadata.name.as_deref()).collect();
    let message = match silent.as_slice() {
        [] => {
            let message = match objectives.len() {
                0 => "no row needs a model".to_owned(),
                1 => "a model answers for the objective that rows name".to_owned(),
                n => format!("a model answers for each of the {n} objectives that rows name"),
            };
            return say(true, Reason::AllModelsServed, message);
        }
        [one] => {
            format!("RankingModel {one} does not answer yet, and its rows show the fallback: see its status")
        }
        several => format!(
            "the RankingModels {} do not answer yet, and their rows show the fallback: see their status",
            several.join(", ")
        ),
    };
    say(false, Reason::ModelNotReady, message)
}

/// The rows whose objective no model serves, one sentence for each objective.
fn missing_objectives(problems: &[Problem]) -> String {
    let mut by_objective: BTreeMap<&str, (&Problem, Vec<&str>)> = BTreeMap::new();
    for problem in problems {
        if let Problem::DanglingRow { objective, row, .. } = problem {
            by_objective.entry(objective).or_insert((problem, Vec::new())).1.push(row);
        }
    }
    let sentence = |(problem, rows): &(&Problem, Vec<&str>)| match rows.as_slice() {
        [_] => problem.to_string(),
        [_, others @ ..] => {
            let others: Vec<String> = others.iter().map(|row| format!("{row:?}")).collect();
            format!("{problem}; the same holds for {}", others.join(", "))
        }
        [] => String::new(),
    };
    by_objective.values().map(sentence).collect::<Vec<_>>().join("; ")
}

/// Whether the page can be reached from outside; `None` where the spec does not ask for it.
fn routes_applied(layout: &PageLayout, inputs: &StatusInputs<'_>) -> Option<ConditionDraft> {
    layout.spec.gateway.as_ref()?;
    let say =
        |status, reason, message: String| Some(draft(ConditionType::RoutesApplied, status, reason, message));
    let StatusInputs { observed, workload, .. } = inputs;
    let capabilities = &observed.capabilities;
    if !capabilities.http_routes {
        let message = "gateway is not in use: this cluster has no HTTPRoute; install the CRDs of Gateway API";
        return say(Some(false), Reason::GatewayApiNotInstalled, message.into());
    }
    if !inputs.exists(ChildKind::HttpRoute, &workload.name()) {
        return say(None, Reason::Reconciling, "the routes are not applied yet".into());
    }
    let mut n_accepted = 0;
    let mut refusals = Vec::new();
    for child in &observed.children {
        if let ChildState::Route { accepted, refused } = &child.state {
            let (kind, name) = (child.kind.kind(), &child.name);
            n_accepted += accepted;
            refusals.extend(refused.iter().map(|message| format!("{kind} {name}: {message}")));
        }
    }
    if !refusals.is_empty() {
        return say(Some(false), Reason::RouteNotAccepted, refusals.join("; "));
    }
    let without_grpc =
        if capabilities.grpc_routes { "" } else { "; gRPC has no route: this cluster has no GRPCRoute" };
    if n_accepted == 0 {
        let message = format!("no Gateway has answered yet: check gateway.parentRefs{without_grpc}");
        return say(None, Reason::Reconciling, message);
    }
    say(Some(true), Reason::RoutesApplied, format!("Gateways accept the routes{without_grpc}"))
}
