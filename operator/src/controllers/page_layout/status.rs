//! What to say of a PageLayout: pure.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use marquee_crds::{
    PageLayout, RankingModel,
    conditions::{self, ConditionType, Reason, Verdict},
    names,
    page_layout::{PageLayoutStatus, Topology},
    pod_config::{self, Problem, ResourceRef},
    shared::ColocatedModel,
};

use super::decide::told;
use crate::{
    controllers::serving::{
        Given, Served, main_target,
        verdicts::{self, verdict},
    },
    observed::{ChildState, Observed},
    plan::{Happening, Plan, of_conditions},
    resources::{self, Workload},
};

/// Conditions, stamped; the word for the worst; and what to tell of them.
fn stamped(layout: &PageLayout, verdicts: &[Verdict], now: Timestamp) -> (PageLayoutStatus, Vec<Happening>) {
    let before = told(layout).conditions;
    let generation = layout.metadata.generation.unwrap_or_default().max(0);
    let status = PageLayoutStatus {
        observed_generation: Some(generation),
        conditions: conditions::stamp(&verdicts::with_kstatus(verdicts), generation, before, &Time(now)),
        why: verdicts::why(verdicts),
        ..PageLayoutStatus::default()
    };
    (status, of_conditions(before, verdicts))
}

/// Served.
pub(super) fn served(
    layout: &PageLayout,
    given: &Given<'_>,
    served: Served,
    runs: Vec<ColocatedModel>,
    models: &[RankingModel],
) -> Plan<PageLayoutStatus> {
    let mut verdicts = served.verdicts;
    let resolved = models_resolved(layout, models, &runs);
    if resolved.status == Some(false) {
        let degraded = verdicts.iter_mut().find(|verdict| verdict.kind == ConditionType::Degraded);
        if let Some(degraded) = degraded.filter(|degraded| degraded.status == Some(false)) {
            *degraded =
                verdict(ConditionType::Degraded, Some(true), resolved.reason, resolved.message.clone());
        }
    }
    verdicts.push(resolved);
    verdicts.extend(routes_applied(layout, given.observed));

    let (status, told) = stamped(layout, &verdicts, given.now);
    let status = PageLayoutStatus {
        replicas: served.replicas,
        ready_replicas: served.ready_replicas,
        pods: served.pods,
        selector: resources::selector_text(given.of),
        address: format!("{}.{}.svc:80", names::page(&given.of.parent.name), given.of.parent.namespace),
        revision: served.course.answering.map(|at| at.revision),
        latest_revision: Some(served.wanted),
        traffic: served.traffic,
        models: runs,
        revisions: served.revisions,
        ..status
    };
    let happenings = served.happenings.into_iter().chain(told).collect();
    Plan { children: served.children, status, happenings, look_again: served.look_again }
}

/// Not served, because an older layout has its surface.
pub(super) fn refused(
    layout: &PageLayout,
    of: &Workload<'_>,
    older: &ResourceRef,
    now: Timestamp,
) -> Plan<PageLayoutStatus> {
    let surface = &layout.spec.surface;
    let message = format!(
        "PageLayout {older} has the surface {surface:?} and is older: give this one another surface, or remove one of the two"
    );
    let say = |kind, status| verdict(kind, status, Reason::DuplicateLayout, message.clone());
    let verdicts = [
        say(ConditionType::Ready, Some(false)),
        say(ConditionType::Progressing, Some(false)),
        say(ConditionType::ArtifactResolved, None),
        say(ConditionType::Degraded, Some(true)),
        say(ConditionType::Autoscaling, None),
        say(ConditionType::ModelsResolved, None),
    ];
    let (status, happenings) = stamped(layout, &verdicts, now);
    let status = PageLayoutStatus { pods: "0/0".into(), selector: resources::selector_text(of), ..status };
    Plan { children: Vec::new(), status, happenings, look_again: None }
}

/// Whether a model answers to every objective that a row names.
fn models_resolved(layout: &PageLayout, models: &[RankingModel], runs: &[ColocatedModel]) -> Verdict {
    let say = |status, reason, message: String| {
        verdict(ConditionType::ModelsResolved, Some(status), reason, message)
    };
    let (config, problems) = pod_config::convert(models, std::slice::from_ref(layout));
    let dangling: Vec<String> = problems
        .iter()
        .filter(|problem| matches!(problem, Problem::DanglingRow { .. }))
        .map(ToString::to_string)
        .collect();
    if !dangling.is_empty() {
        let message = format!("{}; the fallback stands in these rows", dangling.join("; "));
        return say(false, Reason::ObjectiveNotFound, message);
    }
    let rows = config.pages.iter().flat_map(|page| &page.rows);
    let objectives: std::collections::BTreeSet<&str> =
        rows.filter_map(|row| row.source.objective()).collect();
    let answers = |model: &RankingModel| {
        let in_page = runs.iter().any(|runs| Some(&runs.name) == model.metadata.name.as_ref());
        let target = model.status.as_ref().and_then(|status| main_target(&status.traffic));
        in_page || (layout.spec.topology == Topology::Microservices && target.is_some())
    };
    let asked = models.iter().filter(|model| objectives.contains(model.spec.objective.as_str()));
    let silent: Vec<&str> =
        asked.filter(|model| !answers(model)).filter_map(|model| model.metadata.name.as_deref()).collect();
    if !silent.is_empty() {
        let message = format!(
            "RankingModel {} does not answer yet, and the fallback stands in its rows: see its status",
            silent.join(", ")
        );
        return say(false, Reason::ModelNotReady, message);
    }
    let message = format!("a model answers to each of the {} objectives that rows name", objectives.len());
    say(true, Reason::AllModelsServed, message)
}

/// Whether there is a way in from outside; none where none is asked for.
fn routes_applied(layout: &PageLayout, observed: &Observed) -> Option<Verdict> {
    layout.spec.gateway.as_ref()?;
    let say = |status, reason, message: String| {
        Some(verdict(ConditionType::RoutesApplied, status, reason, message))
    };
    let there = &observed.capabilities;
    if !there.http_routes {
        let message = "gateway is not in use: this cluster has no HTTPRoute; install the CRDs of Gateway API";
        return say(Some(false), Reason::GatewayApiNotInstalled, message.into());
    }
    let mut accepted = 0;
    let mut refusals = Vec::new();
    for child in &observed.children {
        if let ChildState::Route { accepted: by, refused } = &child.state {
            accepted += by;
            refusals.extend(
                refused.iter().map(|message| format!("{} {}: {message}", child.kind.kind(), child.name)),
            );
        }
    }
    if !refusals.is_empty() {
        return say(Some(false), Reason::RouteNotAccepted, refusals.join("; "));
    }
    let without_grpc = if there.grpc_routes { "" } else { "; this cluster has no GRPCRoute: gRPC has none" };
    if accepted == 0 {
        let message = format!("no Gateway has answered yet: check gateway.parentRefs{without_grpc}");
        return say(None, Reason::Reconciling, message);
    }
    say(Some(true), Reason::RoutesApplied, format!("Gateways accept the routes{without_grpc}"))
}
