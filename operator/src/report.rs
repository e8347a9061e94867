//! Reports what became of a resource: its status where that differs in more than times, and an event for each transition.

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

/// Writes the status where it differs, then publishes the transitions. A status that was not written because the resource has changed gives
/// no transitions: the next reconcile finds them. Nothing is published about a resource that is gone.
///
/// # Errors
/// The API server does not accept the status. It is no error if it accepts no events.
pub async fn status<R: Resource<Marquee, Status: ServedStatus>>(
    ctx: &Context,
    resource: &R,
    (mut desired, mut transitions): (R::Status, Vec<TransitionEvent>),
    applied: &Applied,
) -> Result<Written> {
    if let Some(refusal) = applied.error.as_ref().and_then(|error| Refusal::of(error, resource, ctx.now())) {
        refusal.add_to(&mut desired, PreviousStatus::from(resource).conditions, &mut transitions);
    }
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

/// The API server did not accept a child.
struct Refusal {
    reason: Reason,
    message: String,
    generation: i64,
    now: Timestamp,
}

impl Refusal {
    /// None for an error that goes away by itself.
    fn of(error: &Error, resource: &impl Resource<Marquee>, now: Timestamp) -> Option<Self> {
        let generation = resource.meta().generation.unwrap_or_default();
        let (reason, message) = refusal(error)?;
        Some(Self { reason, message, generation, now })
    }

    /// Adds it to the status for as long as the child is refused, and to the transitions once.
    fn add_to(
        &self,
        status: &mut impl ServedStatus,
        before: &[Condition],
        transitions: &mut Vec<TransitionEvent>,
    ) {
        use ConditionType as C;
        const REPLACED: [C; 4] = [C::Degraded, C::RolledOut, C::Reconciling, C::Stalled];
        let draft = |kind, status, message| ConditionDraft {
            kind,
            status: Some(status),
            reason: self.reason,
            message,
        };
        let short = || "a child cannot be applied: see Degraded".to_owned();
        let drafts = [
            draft(C::Degraded, true, self.message.clone()),
            draft(C::RolledOut, false, short()),
            draft(C::Stalled, true, short()),
        ];
        // The decision did not know of the refusal.
        transitions.retain(|transition| transition.action != transition::action(C::Degraded));
        transitions.extend(of_conditions(before, &drafts[..1]));
        let conditions = status.conditions_mut();
        conditions.retain(|condition| REPLACED.iter().all(|replaced| replaced.as_str() != condition.type_));
        conditions.extend(conditions::stamp(&drafts, self.generation, before, &Time(self.now)));
        *status.why_mut() = self.reason.as_str().to_owned();
    }
}

/// Why the API server did not accept a child, in one word and with the mend; none for an error that goes away by itself.
pub fn refusal(error: &Error) -> Option<(Reason, String)> {
    let said = error.with_causes();
    match error.class() {
        ErrorClass::ApiUnavailable => None,
        ErrorClass::Forbidden => {
            let mend = "the operator's role lacks this right: add it to the role, or install the chart's roles (rbac.create)";
            Some((Reason::Forbidden, format!("{said}; {mend}")))
        }
        ErrorClass::ChildRefused => Some((Reason::ChildRefused, said)),
    }
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
        let refusal = Refusal {
            reason: Reason::Forbidden,
            message: "cannot create Service m: no".into(),
            generation: 3,
            now: Timestamp::UNIX_EPOCH,
        };
        let well = TransitionEvent {
            warning: false,
            reason: Reason::AsExpected,
            action: transition::action(ConditionType::Degraded),
            note: String::new(),
        };
        let report = |before: &[Condition]| {
            let (mut status, mut all) = (RankingModelStatus::default(), vec![well.clone()]);
            refusal.add_to(&mut status, before, &mut all);
            (status, all)
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
