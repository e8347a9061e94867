//! Reports the state of a resource: writes its status if that differs in more than times, and publishes an event for each transition.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use marquee_crds::conditions::{self, ConditionDraft, ConditionType, Reason};
use marquee_operator_kit::{
    Error, Resource, Result,
    apply::{Applied, Drift},
    error::ErrorClass,
    events::Transition,
    status::{self, Written},
};

use crate::{
    context::{Context, Marquee},
    served::{PreviousStatus, ServedStatus},
    transition::{self, TransitionEvent, of_conditions},
};

/// Writes the status if it differs, then publishes the transitions. If the status was not written because the resource has changed, the
/// next reconcile finds the transitions. Nothing is published about a resource that is gone.
///
/// # Errors
/// The API server does not accept the status. It is not an error if it accepts no events.
pub async fn status<R: Resource<Marquee, Status: ServedStatus>>(
    ctx: &Context,
    resource: &R,
    mut decided: (R::Status, Vec<TransitionEvent>),
    applied: &Applied,
) -> Result<Written> {
    if let Some(refusal) = applied.error.as_ref().and_then(refusal) {
        let generation = resource.meta().generation.unwrap_or_default();
        let before = PreviousStatus::from(resource).conditions;
        add_refusal(refusal, &mut decided, before, generation, ctx.now());
    }
    let (desired, mut transitions) = decided;
    let written = status::write(ctx, resource, &desired).await?;
    match written {
        Written::UpToDate => {}
        Written::Conflict => transitions.clear(),
        Written::Gone => return Ok(written),
    }
    let regarding = resource.object_ref(&());
    for transition in transitions.iter().chain(&drift_mended(&applied.drift)) {
        let TransitionEvent { warning, reason, action, note } = transition;
        let event = Transition { warning: *warning, reason: reason.as_str(), action, note };
        ctx.events.publish(&regarding, event).await;
    }
    Ok(written)
}

/// What the status says if the API server did not accept a child. None for an error that goes away by itself.
pub fn refusal(error: &Error) -> Option<ConditionDraft> {
    let causes = error.with_causes();
    let (reason, message) = match error.class() {
        ErrorClass::ApiUnavailable => return None,
        ErrorClass::Forbidden => {
            let mend = "the operator's role lacks this right: add it to the role, or install the chart's roles (rbac.create)";
            (Reason::Forbidden, format!("{causes}; {mend}"))
        }
        ErrorClass::ChildRefused => (Reason::ChildRefused, causes),
    };
    Some(ConditionDraft { kind: ConditionType::Degraded, status: Some(true), reason, message })
}

/// Adds a refusal to the status for as long as the child is refused, and to the transitions once.
fn add_refusal<S: ServedStatus>(
    degraded: ConditionDraft,
    (status, transitions): &mut (S, Vec<TransitionEvent>),
    before: &[Condition],
    generation: i64,
    now: Timestamp,
) {
    const REPLACED: [ConditionType; 4] = [
        ConditionType::Degraded,
        ConditionType::RolledOut,
        ConditionType::Reconciling,
        ConditionType::Stalled,
    ];
    *status.why_mut() = degraded.reason.as_str().to_owned();
    let short = |kind, status| ConditionDraft {
        kind,
        status: Some(status),
        reason: degraded.reason,
        message: "a child cannot be applied: see Degraded".to_owned(),
    };
    let (rolled_out, stalled) = (short(ConditionType::RolledOut, false), short(ConditionType::Stalled, true));
    let drafts = [degraded, rolled_out, stalled];
    // The decision did not know of the refusal.
    transitions.retain(|transition| transition.action != transition::action(ConditionType::Degraded));
    transitions.extend(of_conditions(before, &drafts[..1]));
    let conditions = status.conditions_mut();
    conditions.retain(|condition| REPLACED.iter().all(|replaced| replaced.as_str() != condition.type_));
    conditions.extend(conditions::stamp(&drafts, generation, before, &Time(now)));
}

/// One event for each child that was changed by hand and restored.
pub fn drift_mended(drift: &[Drift]) -> Vec<TransitionEvent> {
    let transition = |drift: &Drift| {
        let (kind, name) = (drift.kind.kind(), &drift.name);
        let what = match &drift.field {
            Some(field) => {
                format!("{field} of {kind} {name} was changed by hand, and the operator restored it")
            }
            None => format!(
                "{kind} {name} lacked the label by which the operator finds it, and the operator restored it"
            ),
        };
        TransitionEvent { warning: true, reason: Reason::DriftMended, action: "MendDrift", note: what }
    };
    drift.iter().map(transition).collect()
}

#[cfg(test)]
mod tests {
    use marquee_crds::ranking_model::RankingModelStatus;

    use super::*;

    #[test]
    fn a_refused_child_is_in_the_status_and_once_among_the_events() {
        let refusal = ConditionDraft {
            kind: ConditionType::Degraded,
            status: Some(true),
            reason: Reason::Forbidden,
            message: "cannot create Service m: no".into(),
        };
        let well = TransitionEvent {
            warning: false,
            reason: Reason::AsExpected,
            action: transition::action(ConditionType::Degraded),
            note: String::new(),
        };
        let report = |before: &[Condition]| {
            let mut decided = (RankingModelStatus::default(), vec![well.clone()]);
            add_refusal(refusal.clone(), &mut decided, before, 3, Timestamp::UNIX_EPOCH);
            decided
        };
        let (status, all) = report(&[]);
        let types: Vec<&str> = status.conditions.iter().map(|condition| condition.type_.as_str()).collect();
        assert_eq!((status.why.as_str(), types), ("Forbidden", vec!["Degraded", "RolledOut", "Stalled"]));
        assert_eq!(status.conditions[0].observed_generation, Some(3));
        assert_eq!(all.iter().map(|one| one.reason).collect::<Vec<_>>(), [Reason::Forbidden]);
        let (again, all) = report(&status.conditions);
        assert_eq!((again.conditions, all), (status.conditions, vec![]), "reported already");
    }
}
