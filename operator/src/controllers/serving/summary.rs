//! What the conditions of a resource say together: what to wait for, each message once, and the worst reason.

use marquee_crds::conditions::{ConditionDraft, ConditionType, Reason};

use super::conditions::draft;
use crate::rollout::Finding;

/// The drafts and those that people and tools wait for.
///
/// `kubectl wait` waits for `RolledOut`: `Ready` stays true while an earlier revision answers. kstatus treats a resource as done if it has
/// an observed generation and `Ready`. That is wrong while an earlier revision answers because the desired one starts or cannot start. Only
/// then the status has `Reconciling` or `Stalled`.
pub fn with_waits(mut drafts: Vec<ConditionDraft>) -> Vec<ConditionDraft> {
    use ConditionType as C;
    let find = |kind| {
        let found = drafts.iter().find(|draft| draft.kind == kind);
        found.map(|draft| (draft.status, draft.reason))
    };
    let (Some((progressing, reason)), Some((ready, why_not_ready))) = (find(C::Progressing), find(C::Ready))
    else {
        return drafts;
    };
    let is_stuck = progressing == Some(false);
    let is_up_to_date = !is_stuck && is_up_to_date(reason);
    // Where nothing answers for the reason that stops the progress, `Ready` says it.
    let speaker = if ready == Some(false) && why_not_ready == reason { "Ready" } else { "Progressing" };
    let say = |kind, status, reason, message: &str| draft(kind, Some(status), reason, message);
    drafts.push(match (is_up_to_date, ready) {
        (true, Some(true)) => {
            say(C::RolledOut, true, Reason::UpToDate, "what the spec asks for answers requests")
        }
        (true, _) => {
            say(C::RolledOut, false, why_not_ready, "what the spec asks for does not answer now: see Ready")
        }
        (false, _) => {
            let message = format!("what the spec asks for does not answer yet: see {speaker}");
            say(C::RolledOut, false, reason, &message)
        }
    });
    if is_stuck {
        let message = format!("what the spec asks for cannot be served: see {speaker}");
        drafts.push(say(C::Stalled, true, reason, &message));
    } else if !is_up_to_date {
        let message = format!("what the spec asks for is on its way: see {speaker}");
        drafts.push(say(C::Reconciling, true, reason, &message));
    }
    drafts
}

/// The drafts with the message of each of `findings` in one of them. The others name its reason, and the condition that has the message.
pub fn say_once(mut drafts: Vec<ConditionDraft>, findings: &[Finding]) -> Vec<ConditionDraft> {
    use ConditionType as C;
    // The condition that is about the finding comes first.
    const SPEAKERS: [C; 5] = [C::ArtifactResolved, C::ModelsResolved, C::Ready, C::Degraded, C::Progressing];
    for Finding { reason, message } in findings.iter().filter(|finding| !finding.message.is_empty()) {
        let says =
            |kind: &C| drafts.iter().any(|draft| draft.kind == *kind && draft.message.contains(message));
        let Some(speaker) = SPEAKERS.into_iter().find(says) else { continue };
        let short = format!("{reason}, see {}", speaker.as_str());
        for draft in drafts.iter_mut().filter(|draft| draft.kind != speaker) {
            draft.message = draft.message.replace(message, &short);
        }
    }
    drafts
}

/// Whether the desired revision answers, as `Progressing` says it.
fn is_up_to_date(reason: Reason) -> bool {
    matches!(reason, Reason::UpToDate | Reason::Colocated | Reason::RevisionDraining)
}

/// The reason of the worst condition; empty when all is well and up to date.
pub fn why(drafts: &[ConditionDraft]) -> String {
    use ConditionType as C;
    let find = |kind| drafts.iter().find(|draft| draft.kind == kind);
    let is_not = |kind, good: bool| find(kind).filter(|draft| draft.status == Some(!good));
    let not_up_to_date = || find(C::Progressing).filter(|draft| !is_up_to_date(draft.reason));
    let unsure = || find(C::Ready).filter(|draft| draft.status != Some(true));
    let worst = is_not(C::Ready, true)
        .or_else(unsure)
        .or_else(|| is_not(C::Degraded, false))
        .or_else(|| is_not(C::ArtifactResolved, true))
        .or_else(|| is_not(C::ModelsResolved, true))
        .or_else(not_up_to_date)
        .or_else(|| is_not(C::RoutesApplied, true))
        .or_else(|| is_not(C::Autoscaling, true));
    worst.map(|draft| draft.reason.as_str().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two(progressing: (bool, Reason), ready: (bool, Reason)) -> Vec<ConditionDraft> {
        let draft = |kind, (status, reason)| draft(kind, Some(status), reason, "");
        vec![draft(ConditionType::Ready, ready), draft(ConditionType::Progressing, progressing)]
    }

    #[test]
    fn who_waits_for_what_was_applied_waits_until_it_answers() {
        use ConditionType::{Reconciling, RolledOut, Stalled};
        let (ready, not_ready) = ((true, Reason::AllPodsReady), (false, Reason::NoPodReady));
        #[rustfmt::skip]
        let cases = [
            // why                                 progressing                              ready      rolled out  for kstatus
            ("the revision before answers",        (true, Reason::RevisionStarting),          ready,     false,      Some(Reconciling)),
            ("it never will",                      (false, Reason::ProgressDeadlineExceeded), ready,     false,      Some(Stalled)),
            ("it answers, and the others drain",   (true, Reason::RevisionDraining),          ready,     true,       None),
            ("it answers",                         (true, Reason::UpToDate),                  ready,     true,       None),
            ("it answered, and lost its pods",     (true, Reason::UpToDate),                  not_ready, false,      None),
        ];
        for (why, progressing, ready, rolled_out, kstatus) in cases {
            let all = with_waits(two(progressing, ready));
            let found = all.iter().find(|draft| draft.kind == RolledOut).map(|draft| draft.status);
            assert_eq!(found, Some(Some(rolled_out)), "{why}");
            let kinds = all.iter().map(|draft| draft.kind);
            let kstatus_kinds: Vec<_> = kinds.filter(|kind| matches!(kind, Reconciling | Stalled)).collect();
            assert_eq!(kstatus_kinds, Vec::from_iter(kstatus), "{why}");
        }
    }

    #[test]
    fn one_condition_has_the_message_and_the_others_point_to_it() {
        use ConditionType::{ArtifactResolved, Degraded, Ready};
        let finding = Finding { reason: Reason::NotFinite, message: "tensor \"b\" holds NaN".into() };
        let say = |kind, message: &str| draft(kind, Some(false), Reason::NotFinite, message);
        let drafts = vec![
            say(Ready, "no pod is ready: tensor \"b\" holds NaN"),
            say(ArtifactResolved, "tensor \"b\" holds NaN"),
            say(Degraded, "r does not answer: tensor \"b\" holds NaN; q answers meanwhile"),
        ];
        let messages: Vec<String> =
            say_once(drafts, &[finding.clone(), finding]).into_iter().map(|draft| draft.message).collect();
        let expected = [
            "no pod is ready: NotFinite, see ArtifactResolved",
            "tensor \"b\" holds NaN",
            "r does not answer: NotFinite, see ArtifactResolved; q answers meanwhile",
        ];
        assert_eq!(messages, expected);
    }
}
