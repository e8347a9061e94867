//! What to say of a RankingModel: pure.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use marquee_crds::{
    PageLayout, RankingModel,
    conditions::{self, ConditionType, Reason, Verdict},
    page_layout::PageLayoutStatus,
    pod_config::ResourceRef,
    ranking_model::RankingModelStatus,
    shared::TrafficTarget,
};

use super::decide::told;
use crate::{
    controllers::serving::{
        Given, Served, happenings,
        verdicts::{self, verdict},
    },
    observed::Observed,
    plan::{Happening, Plan, of_conditions},
    resources::{self, Workload},
    rollout,
};

/// Conditions, stamped; the word for the worst; and what to tell of them.
fn stamped(
    model: &RankingModel,
    verdicts: &[Verdict],
    now: Timestamp,
) -> (RankingModelStatus, Vec<Happening>) {
    let before = told(model).conditions;
    let generation = model.metadata.generation.unwrap_or_default().max(0);
    let status = RankingModelStatus {
        observed_generation: Some(generation),
        conditions: conditions::stamp(&verdicts::with_kstatus(verdicts), generation, before, &Time(now)),
        why: verdicts::why(verdicts),
        ..RankingModelStatus::default()
    };
    (status, of_conditions(before, verdicts))
}

/// Served in pods of its own.
pub(super) fn served(model: &RankingModel, given: &Given<'_>, served: Served) -> Plan<RankingModelStatus> {
    let (status, told) = stamped(model, &served.verdicts, given.now);
    let status = RankingModelStatus {
        replicas: served.replicas,
        ready_replicas: served.ready_replicas,
        pods: served.pods,
        selector: resources::selector_text(given.of),
        revision: served.course.answering.map(|at| at.revision),
        latest_revision: Some(served.wanted),
        traffic: served.traffic,
        revisions: served.revisions,
        ..status
    };
    let happenings = served.happenings.into_iter().chain(told).collect();
    Plan { children: served.children, status, happenings, look_again: served.look_again }
}

/// Not served, because an older model answers to its objective.
pub(super) fn refused(
    model: &RankingModel,
    of: &Workload<'_>,
    older: &ResourceRef,
    now: Timestamp,
) -> Plan<RankingModelStatus> {
    let objective = &model.spec.objective;
    let message = format!(
        "RankingModel {older} answers to the objective {objective:?} and is older: give this one another objective, or remove one \
         of the two"
    );
    let say = |kind, status| verdict(kind, status, Reason::DuplicateObjective, message.clone());
    let verdicts = [
        say(ConditionType::Ready, Some(false)),
        say(ConditionType::Progressing, Some(false)),
        say(ConditionType::ArtifactResolved, None),
        say(ConditionType::Degraded, Some(true)),
        say(ConditionType::Autoscaling, None),
    ];
    empty(model, of, &verdicts, now)
}

/// Not served yet: it will be by the pods of `page`, which do not run it yet.
pub(super) fn awaiting(
    model: &RankingModel,
    of: &Workload<'_>,
    page: &PageLayout,
    now: Timestamp,
) -> Plan<RankingModelStatus> {
    let told = PageLayoutStatus::default();
    let told = page.status.as_ref().unwrap_or(&told);
    let why = false_of_page(told, ConditionType::Progressing)
        .map(|(reason, message)| (reason, format!(": {message}")))
        .unwrap_or((Reason::RevisionStarting, String::new()));
    let name = ResourceRef::of(&page.metadata);
    let message =
        format!("the pods of PageLayout {name} will answer, and do not run this model yet{}", why.1);
    let say = |kind, status| verdict(kind, status, why.0, message.clone());
    let verdicts = [
        say(ConditionType::Ready, Some(false)),
        say(ConditionType::Progressing, Some(why.0 == Reason::RevisionStarting)),
        say(ConditionType::ArtifactResolved, None),
        say(ConditionType::Degraded, None),
        verdict(ConditionType::Autoscaling, Some(true), Reason::Colocated, "the page's pods follow the load"),
    ];
    empty(model, of, &verdicts, now)
}

fn empty(
    model: &RankingModel,
    of: &Workload<'_>,
    verdicts: &[Verdict],
    now: Timestamp,
) -> Plan<RankingModelStatus> {
    let (status, happenings) = stamped(model, verdicts, now);
    let status = RankingModelStatus { pods: "0/0".into(), selector: resources::selector_text(of), ..status };
    Plan { children: Vec::new(), status, happenings, look_again: None }
}

/// What is seen of a model that a page's pods run.
pub(super) struct Colocated<'a> {
    /// The page.
    pub(super) page: &'a PageLayout,
    /// Where it answers.
    pub(super) target: TrafficTarget,
    /// What should be run of the model.
    pub(super) wanted: String,
    /// What there is of the model's own.
    pub(super) observed: &'a Observed,
    /// Whether its own pods drain.
    pub(super) drains: bool,
}

/// Reason and message of the page's condition of this type, where it is false.
fn false_of_page(page: &PageLayoutStatus, kind: ConditionType) -> Option<(Reason, String)> {
    let condition = conditions::find(&page.conditions, kind).filter(|found| found.status == "False")?;
    let reason = Reason::ALL.iter().copied().find(|reason| reason.as_str() == condition.reason)?;
    Some((reason, condition.message.clone()))
}

/// Served by the pods of a page.
pub(super) fn colocated(
    model: &RankingModel,
    of: &Workload<'_>,
    seen: &Colocated<'_>,
    now: Timestamp,
) -> Plan<RankingModelStatus> {
    let Colocated { page, target, wanted, observed, drains } = seen;
    let name = ResourceRef::of(&page.metadata);
    let default = PageLayoutStatus::default();
    let told_of_page = page.status.as_ref().unwrap_or(&default);
    let is_ready = conditions::is_true(&told_of_page.conditions, ConditionType::Ready);
    let is_up_to_date = *wanted == target.revision;
    let pods = &told_of_page.pods;
    let ready = if is_ready {
        let message = format!("answers in the pods of PageLayout {name}, of which {pods} are ready");
        verdict(ConditionType::Ready, Some(true), Reason::Colocated, message)
    } else {
        let message = format!("the pods of PageLayout {name} run this model, and none of them is ready");
        verdict(ConditionType::Ready, Some(false), Reason::NoPodReady, message)
    };
    let stuck = false_of_page(told_of_page, ConditionType::Progressing).filter(|_| !is_up_to_date);
    let progressing = match &stuck {
        Some((reason, message)) => {
            let message = format!("PageLayout {name} does not come to run what the spec asks for: {message}");
            verdict(ConditionType::Progressing, Some(false), *reason, message)
        }
        None if is_up_to_date => {
            let message = format!("PageLayout {name} runs what the spec asks for");
            verdict(ConditionType::Progressing, Some(true), Reason::UpToDate, message)
        }
        None => {
            let message = format!("pods of PageLayout {name} that run what the spec asks for are starting");
            verdict(ConditionType::Progressing, Some(true), Reason::RevisionStarting, message)
        }
    };
    let uri = &model.spec.artifact.uri;
    let artifact = match false_of_page(told_of_page, ConditionType::ArtifactResolved) {
        _ if is_up_to_date => {
            let message = format!("loaded and checked: {uri}");
            verdict(ConditionType::ArtifactResolved, Some(true), Reason::ArtifactLoaded, message)
        }
        Some((reason, message)) => verdict(ConditionType::ArtifactResolved, Some(false), reason, message),
        None => {
            let message = format!("no pod has loaded {uri} yet");
            verdict(ConditionType::ArtifactResolved, None, Reason::RevisionStarting, message)
        }
    };
    let degraded = match (is_ready, stuck) {
        (false, _) => verdict(ConditionType::Degraded, Some(true), Reason::NoPodReady, ready.message.clone()),
        (true, Some((reason, message))) => verdict(ConditionType::Degraded, Some(true), reason, message),
        (true, None) => verdict(ConditionType::Degraded, Some(false), Reason::AsExpected, "nothing is amiss"),
    };
    let autoscaling =
        verdict(ConditionType::Autoscaling, Some(true), Reason::Colocated, "the page's pods follow the load");
    let verdicts = [ready, progressing, artifact, degraded, autoscaling];

    let revisions = rollout::revisions(observed);
    let before = told(model);
    let mut told = happenings::of_revisions(&happenings::Turn {
        before,
        kind: "RankingModel",
        wanted: None,
        traffic_to: Some(&target.revision),
        is_live: &|_| *drains,
        revisions: &revisions,
    });
    let (status, more) = stamped(model, &verdicts, now);
    told.extend(more);
    let own = before.revisions.iter().filter(|_| *drains).cloned();
    let status = RankingModelStatus {
        replicas: revisions
            .values()
            .map(|revision| revision.replicas)
            .fold(0, i32::saturating_add)
            .min(100_000),
        ready_replicas: revisions
            .values()
            .map(|revision| revision.ready)
            .fold(0, i32::saturating_add)
            .min(100_000),
        pods: pods.clone(),
        selector: resources::selector_text(of),
        revision: Some(target.revision.clone()),
        latest_revision: Some(wanted.clone()),
        traffic: vec![target.clone()],
        revisions: own.collect(),
        ..status
    };
    Plan { children: Vec::new(), status, happenings: told, look_again: None }
}
