//! What the status of a RankingModel says: pure.

use marquee_crds::{
    PageLayout, RankingModel,
    conditions::{self, ConditionDraft, ConditionType, Reason},
    page_layout::PageLayoutStatus,
    pod_config::ResourceRef,
    ranking_model::RankingModelStatus,
};

use super::decide::ModelDecision;
use crate::{
    child::AppliedChild,
    controllers::{
        OBJECTIVE,
        serving::{
            Plan,
            conditions::{NO_PROBLEM, draft},
            inputs::StatusInputs,
            status, transitions,
        },
    },
    observed::Observed,
    rollout::{self, Target},
    served::{PreviousStatus, StatusDraft},
    transition::TransitionEvent,
};

/// The status of `model` and the events of its transition, once the children of `plan` are `applied`.
pub fn status(
    model: &RankingModel,
    observed: &Observed,
    plan: &Plan<'_, ModelDecision<'_>>,
    applied: &[AppliedChild],
) -> (RankingModelStatus, Vec<TransitionEvent>) {
    let previous = PreviousStatus::from(model);
    let Plan { workload, now, .. } = plan;
    let draft = match &plan.decision {
        ModelDecision::Refused(older) => {
            let claim = (OBJECTIVE, model.spec.objective.as_str());
            status::refused(workload, older, claim, Reason::DuplicateObjective, &[])
        }
        ModelDecision::AwaitsPage(page) => status::without_pods(workload, awaits(page)),
        ModelDecision::Hosted { page, target, desired_revision } => StatusDraft {
            pods: page.status.as_ref().map(|status| status.pods.clone()).unwrap_or_default(),
            latest_revision: desired_revision.clone(),
            conditions: hosted_conditions(model, page, desired_revision.as_ref() == Some(&target.revision)),
            ..hosted(plan, previous, observed, target)
        },
        ModelDecision::Serving(serving) => {
            StatusInputs::new(plan, serving, observed, applied, previous).status()
        }
    };
    status::stamped(draft, model.metadata.generation, previous, *now)
}

/// The conditions of a model that the pods of `page` will run.
fn awaits(page: &PageLayout) -> Vec<ConditionDraft> {
    let (reason, more) = false_of_page(page, ConditionType::Progressing)
        .map(|(reason, message)| (reason, format!(": {message}")))
        .unwrap_or((Reason::RevisionStarting, String::new()));
    let name = ResourceRef::of(&page.metadata);
    let message = format!("the pods of PageLayout {name} will answer, and do not run this model yet{more}");
    let say = |kind, status| draft(kind, status, reason, message.clone());
    vec![
        say(ConditionType::Ready, Some(false)),
        say(ConditionType::Progressing, Some(reason == Reason::RevisionStarting)),
        say(ConditionType::ArtifactResolved, None),
        say(ConditionType::Degraded, None),
        page_scales(),
    ]
}

fn page_scales() -> ConditionDraft {
    draft(ConditionType::Autoscaling, Some(true), Reason::Colocated, "the page's pods follow the load")
}

/// Reason and message of the page's condition of this type, where it is false.
fn false_of_page(page: &PageLayout, kind: ConditionType) -> Option<(Reason, String)> {
    let conditions = &page.status.as_ref()?.conditions;
    let condition = conditions::find(conditions, kind).filter(|found| found.status == "False")?;
    let reason = Reason::ALL.iter().copied().find(|reason| reason.as_str() == condition.reason)?;
    Some((reason, condition.message.clone()))
}

/// The status of a model whose `target` the pods of a page run, without its conditions.
fn hosted(
    plan: &Plan<'_, ModelDecision<'_>>,
    previous: PreviousStatus<'_>,
    observed: &Observed,
    target: &Target,
) -> StatusDraft {
    let drains = !plan.children.is_empty();
    let revisions = rollout::revisions(observed);
    let mut events: Vec<TransitionEvent> = Vec::new();
    events.extend(transitions::traffic_moved(&previous, std::slice::from_ref(target)));
    events.extend(transitions::retired(&previous, |_| drains));
    StatusDraft {
        replicas: status::n_pods(&revisions, |revision| revision.replicas),
        ready_replicas: status::n_pods(&revisions, |revision| revision.ready),
        revision: Some(target.revision.clone()),
        traffic: status::traffic(&plan.workload, std::slice::from_ref(target)),
        revisions: previous.revisions.iter().filter(|_| drains).cloned().collect(),
        events,
        ..status::without_pods(&plan.workload, Vec::new())
    }
}

/// The conditions of a model that the pods of `page` run.
fn hosted_conditions(model: &RankingModel, page: &PageLayout, is_up_to_date: bool) -> Vec<ConditionDraft> {
    let name = ResourceRef::of(&page.metadata);
    let default = PageLayoutStatus::default();
    let page_status = page.status.as_ref().unwrap_or(&default);
    let is_ready = conditions::is_true(&page_status.conditions, ConditionType::Ready);
    let ready = if is_ready {
        let pods = &page_status.pods;
        let message = format!("the pods of PageLayout {name} answer: {pods} are ready");
        draft(ConditionType::Ready, Some(true), Reason::Colocated, message)
    } else {
        let message = format!("the pods of PageLayout {name} run this model, and none of them is ready");
        draft(ConditionType::Ready, Some(false), Reason::NoPodReady, message)
    };
    let stuck = false_of_page(page, ConditionType::Progressing).filter(|_| !is_up_to_date);
    let progressing = match &stuck {
        Some((reason, message)) => {
            let message = format!("PageLayout {name} cannot run what the spec asks for: {message}");
            draft(ConditionType::Progressing, Some(false), *reason, message)
        }
        None if is_up_to_date => {
            let message = format!("PageLayout {name} runs what the spec asks for");
            draft(ConditionType::Progressing, Some(true), Reason::UpToDate, message)
        }
        None => {
            let message = format!("pods of PageLayout {name} that run what the spec asks for are starting");
            draft(ConditionType::Progressing, Some(true), Reason::RevisionStarting, message)
        }
    };
    let uri = &model.spec.artifact.uri;
    let artifact = match false_of_page(page, ConditionType::ArtifactResolved) {
        _ if is_up_to_date => {
            let message = format!("loaded and checked: {uri}");
            draft(ConditionType::ArtifactResolved, Some(true), Reason::ArtifactLoaded, message)
        }
        Some((reason, message)) => draft(ConditionType::ArtifactResolved, Some(false), reason, message),
        None => {
            let message = format!("no pod has loaded {uri} yet");
            draft(ConditionType::ArtifactResolved, None, Reason::RevisionStarting, message)
        }
    };
    let degraded = match (is_ready, stuck) {
        (false, _) => draft(ConditionType::Degraded, Some(true), Reason::NoPodReady, ready.message.clone()),
        (true, Some((reason, message))) => draft(ConditionType::Degraded, Some(true), reason, message),
        (true, None) => draft(ConditionType::Degraded, Some(false), Reason::AsExpected, NO_PROBLEM),
    };
    vec![ready, progressing, artifact, degraded, page_scales()]
}
