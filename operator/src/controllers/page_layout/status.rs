//! What the status of a PageLayout says: pure.

use std::collections::{BTreeMap, BTreeSet};

use marquee_crds::{
    PageLayout, RankingModel,
    conditions::{ConditionDraft, ConditionType, Reason, is_true},
    names,
    page_layout::PageLayoutStatus,
    pod_config::{self, Problem, RankerConfig},
    revision_name::RevisionName,
    shared::ColocatedModel,
};

use super::decide::{self, LayoutDecision};
use crate::{
    child::{AppliedChild, ChildKind},
    controllers::{
        SURFACE,
        serving::{
            Plan,
            conditions::{draft, list_of},
            inputs::StatusInputs,
            status,
        },
    },
    observed::{ChildState, Observed, PageFacts, PodFacts},
    resources::colocated_revision,
    rollout::{Finding, Target, main_target},
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
            let (page, namespace) = (names::page(&workload.owner.name), &workload.namespace);
            let models = running_models(layout, &inputs);
            let (status, events) = stamped(served(layout, &inputs, &models));
            let address = format!("{page}.{namespace}.svc:80");
            (PageLayoutStatus { address, models, ..status }, events)
        }
    }
}

/// The models that run in the pods of the revisions that answer, those of the largest share first. If several answer, each model names the
/// revision whose pods run it.
fn running_models(layout: &PageLayout, inputs: &StatusInputs<'_>) -> Vec<ColocatedModel> {
    let targets = inputs.targets;
    let Some(main) = main_target(targets) else { return Vec::new() };
    let others = targets.iter().filter(|target| target.revision != main.revision);
    let models_of = |target: &Target| {
        let mut models = if target.revision == inputs.serving.desired_revision {
            inputs.workload.config.rankers.iter().map(colocated_model).collect()
        } else {
            reported_models(layout, inputs, &target.revision)
        };
        let page_revision = (targets.len() > 1).then(|| target.revision.to_string());
        models.iter_mut().for_each(|model| model.page_revision.clone_from(&page_revision));
        models
    };
    std::iter::once(main).chain(others).flat_map(models_of).collect()
}

fn colocated_model(ranker: &RankerConfig) -> ColocatedModel {
    let name = ranker.resource.split_once('/').map_or(ranker.resource.as_str(), |(_, name)| name);
    ColocatedModel { name: name.to_owned(), revision: colocated_revision(ranker).into(), page_revision: None }
}

/// The models that the previous status lists for an earlier revision of the page. Those without a page revision belong to the one that
/// answered alone.
fn reported_models(
    layout: &PageLayout,
    inputs: &StatusInputs<'_>,
    page_revision: &RevisionName,
) -> Vec<ColocatedModel> {
    let was_main = main_target(&inputs.serving.previous_targets)
        .is_some_and(|previous| previous.revision == *page_revision);
    let is_of = |model: &&ColocatedModel| match &model.page_revision {
        Some(name) => *page_revision == name.as_str(),
        None => was_main,
    };
    layout.status.iter().flat_map(|status| &status.models).filter(is_of).cloned().collect()
}

/// The status of a layout with pods, with the conditions that only layouts have.
fn served(layout: &PageLayout, inputs: &StatusInputs<'_>, running: &[ColocatedModel]) -> StatusDraft {
    let mut status = inputs.status();
    let models = decide::models(layout, &inputs.observed.models);
    let pages = answering_pages(inputs);
    let resolved = models_resolved(layout, &models, running, inputs.targets, &pages);
    let degraded = status.conditions.iter_mut().find(|draft| draft.kind == ConditionType::Degraded);
    if let Some(degraded) = degraded.filter(|degraded| degraded.status == Some(false)) {
        let unresolved =
            (resolved.status == Some(false)).then(|| (resolved.reason, resolved.message.clone()));
        let hidden = never_shown(&pages).map(|message| (Reason::RowsNotShown, message));
        let all: Vec<(Reason, String)> = unresolved.into_iter().chain(hidden).collect();
        if let Some((reason, _)) = all.first() {
            let messages: Vec<&str> = all.iter().map(|(_, message)| message.as_str()).collect();
            *degraded = draft(ConditionType::Degraded, Some(true), *reason, messages.join("; "));
        }
    }
    status.findings.extend(
        (resolved.status == Some(false))
            .then(|| Finding { reason: resolved.reason, message: resolved.message.clone() }),
    );
    status.conditions.push(resolved);
    status.conditions.extend(routes_applied(layout, inputs));
    status
}

/// What the ready pods of the answering revisions report, where they were asked.
fn answering_pages<'a>(inputs: &'a StatusInputs<'_>) -> Vec<&'a PageFacts> {
    let answers =
        |pod: &&PodFacts| inputs.targets.iter().any(|target| pod.revision.as_ref() == Some(&target.revision));
    let ready = inputs.observed.pods.iter().filter(|pod| pod.ready && !pod.deleting);
    ready.filter(answers).filter_map(|pod| pod.page.as_ref()).collect()
}

/// The parts of the layout that can never be shown, and what to do.
fn never_shown(pages: &[&PageFacts]) -> Option<String> {
    let all: BTreeSet<&str> = pages.iter().flat_map(|page| &page.warnings).map(String::as_str).collect();
    (!all.is_empty()).then(|| all.into_iter().collect::<Vec<_>>().join("; "))
}

/// Whether models fill the rows. What the pods report counts; of an objective that none of them reports, whether its model is ready.
fn models_resolved(
    layout: &PageLayout,
    models: &[RankingModel],
    running: &[ColocatedModel],
    targets: &[Target],
    pages: &[&PageFacts],
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
        let runs_in = |target: &Target| {
            let own = running.iter().filter(|known| Some(&known.name) == model.metadata.name.as_ref());
            own.map(|known| known.page_revision.as_deref())
                .any(|page_revision| page_revision.is_none_or(|name| target.revision == name))
        };
        let in_page = !targets.is_empty() && targets.iter().all(runs_in);
        let status = PreviousStatus::from(model);
        let has_viewers = status.targets().next().is_some();
        in_page || (has_viewers && is_true(status.conditions, ConditionType::Ready))
    };
    let asked = models.iter().filter(|model| objectives.contains(model.spec.objective.as_str()));
    let silent = asked.filter_map(|model| {
        let name = model.metadata.name.as_deref().unwrap_or_default();
        match fallback_share(&model.spec.objective, pages) {
            Some(share) => share.map(|share| format!("{name}{share}")),
            None => (!answers(model)).then(|| name.to_owned()),
        }
    });
    let silent: Vec<String> = silent.collect();
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
            format!("RankingModel {one} does not answer, so the fallback fills its rows: see its status")
        }
        several => format!(
            "the RankingModels {} do not answer, so the fallback fills their rows: see their status",
            list_of(several)
        ),
    };
    say(false, Reason::ModelNotReady, message)
}

/// For which share of an objective's viewers the pods report the fallback, as a clause: `Some(None)` for none, `None` where no pod reports
/// the objective.
fn fallback_share(objective: &str, pages: &[&PageFacts]) -> Option<Option<String>> {
    let reports: Vec<u32> =
        pages.iter().filter_map(|page| page.fallback_percent.get(objective).copied()).collect();
    let (least, most) = (reports.iter().min()?, reports.iter().max()?);
    let affected = reports.iter().filter(|percent| **percent > 0).count();
    Some(match (*least, *most) {
        (_, 0) => None,
        (0, _) => Some(format!(" (in {affected} of {} pods of the page)", reports.len())),
        (_, 100..) => Some(String::new()),
        (_, percent) => Some(format!(" (for {percent} % of the viewers)")),
    })
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
            let noun = if others.len() == 1 { "row" } else { "rows" };
            let others: Vec<String> = others.iter().map(|row| format!("{row:?}")).collect();
            format!("{problem}; the same holds for the {noun} {}", list_of(&others))
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
