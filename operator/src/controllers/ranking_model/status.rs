//! What the status of a RankingModel says: pure.

use marquee_crds::{RankingModel, conditions::Reason, ranking_model::RankingModelStatus};

use super::{
    decide::ModelDecision,
    host::{Host, obstacle},
};
use crate::{
    child::AppliedChild,
    controllers::{
        OBJECTIVE,
        serving::{Plan, inputs::StatusInputs, status, transitions},
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
        ModelDecision::AwaitsPage { page, desired_revision, late } => {
            let host = Host { model, page, late: *late, obstacle: obstacle(page) };
            StatusDraft {
                latest_revision: desired_revision.clone(),
                findings: host.obstacle.iter().cloned().collect(),
                ..status::without_pods(workload, host.awaited_conditions())
            }
        }
        ModelDecision::Hosted { page, target, desired_revision, late } => {
            let is_up_to_date = desired_revision.as_ref() == Some(&target.revision);
            let obstacle = if is_up_to_date { None } else { obstacle(page) };
            let host = Host { model, page, late: *late, obstacle };
            StatusDraft {
                pods: page.status.as_ref().map(|status| status.pods.clone()).unwrap_or_default(),
                latest_revision: desired_revision.clone(),
                conditions: host.conditions(is_up_to_date),
                findings: host.obstacle.iter().cloned().collect(),
                ..hosted(plan, previous, observed, target)
            }
        }
        ModelDecision::Serving(serving) => {
            StatusInputs::new(plan, serving, observed, applied, previous).status()
        }
    };
    status::stamped(draft, model.metadata.generation, previous, *now)
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
