//! The conditions of a resource that has pods of its own.

use std::fmt;

use marquee_crds::{
    conditions::{ConditionDraft, ConditionType, Reason, is_true},
    labels,
    metrics::IN_FLIGHT,
    shared::Duration,
};

use super::inputs::StatusInputs;
use crate::{
    observed::AutoscalerFacts,
    resources::{Scaling, scaling},
    rollout::{Finding, Phase, Revision, Target},
};

/// What to do if an autoscaler cannot read the requests in flight.
const ADAPTER: &str = "add a rule for this metric to the adapter of the custom metrics API, as in examples/autoscaling, and check that Prometheus scrapes the pods";

/// Message of `Degraded` if it is false.
pub const NO_PROBLEM: &str = "no problem is known";

/// A draft.
pub fn draft(
    kind: ConditionType,
    status: Option<bool>,
    reason: Reason,
    message: impl Into<String>,
) -> ConditionDraft {
    ConditionDraft { kind, status, reason, message: message.into() }
}

/// A number with its noun: `1 pod`, `2 pods`.
pub fn count_of(n: i32, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// How many pods are ready, of how many: `1 of 1 pod of revision a`, and the verb.
fn ready_of(ready: i32, wanted: i32, revision: impl fmt::Display) -> (String, &'static str) {
    let pods = format!("{ready} of {} of revision {revision}", count_of(wanted, "pod"));
    (pods, if ready == 1 || wanted == 1 { "is" } else { "are" })
}

/// A list in a sentence: `a`, `a and b`, `a, b and c`.
pub fn list_of(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// The message of a finding as a clause.
fn clause(finding: Option<&Finding>) -> String {
    finding.map(|finding| format!(": {}", finding.message)).unwrap_or_default()
}

/// The conditions that both kinds have.
pub fn drafts(inputs: &StatusInputs<'_>) -> Vec<ConditionDraft> {
    let (ready, progressing) = (inputs.ready(), inputs.progressing());
    vec![ready, progressing, inputs.artifact_resolved(), inputs.degraded(), inputs.autoscaling()]
}

impl StatusInputs<'_> {
    /// Whether the deadline of the desired revision has passed.
    fn is_late(&self) -> bool {
        matches!(self.serving.rollout.phase, Phase::Starting { late: true, .. })
    }

    fn deadline(&self) -> Duration {
        self.workload.progress_deadline
    }

    /// The names of the answering revisions. If there are several, each has its share.
    fn names(&self, and: &str) -> String {
        match self.answering.as_slice() {
            [(target, _)] => target.revision.to_string(),
            several => {
                let all =
                    several.iter().map(|(target, _)| format!("{} ({} %)", target.revision, target.weight));
                all.collect::<Vec<_>>().join(and)
            }
        }
    }

    fn ready(&self) -> ConditionDraft {
        let say =
            |status, reason, message: String| draft(ConditionType::Ready, Some(status), reason, message);
        if self.is_hosted() {
            let (pods, desired) = (self.serving.rollout.pods, &self.serving.desired_revision);
            let verb = if pods == 1 { "is" } else { "are" };
            let pods = count_of(pods, "pod");
            let message = format!("the page's pods answer until {pods} of revision {desired} {verb} ready");
            return say(true, Reason::Colocated, message);
        }
        if self.answering.is_empty() {
            let (reason, more) = self.obstacle();
            return say(
                false,
                reason,
                format!("no pod of revision {} is ready{more}", self.serving.desired_revision),
            );
        }
        let more = clause(self.finding_of_answering.as_ref());
        if self.answering.iter().all(|(_, revision)| revision.ready == 0) {
            let reason = self.finding_of_answering.as_ref().map_or(Reason::NoPodReady, |found| found.reason);
            return say(false, reason, format!("no pod of revision {} is ready{more}", self.names(" or ")));
        }
        let pods = |(target, revision): &(&Target, Revision)| {
            let Revision { ready, wanted, .. } = revision;
            let share =
                if self.answering.len() > 1 { format!(" ({} %)", target.weight) } else { String::new() };
            ready_of(*ready, *wanted.max(ready), format!("{}{share}", target.revision))
        };
        let pods: Vec<(String, &str)> = self.answering.iter().map(pods).collect();
        let message = match pods.as_slice() {
            [(pods, verb)] => format!("{pods} {verb} ready"),
            several => {
                let several: Vec<String> = several.iter().map(|(pods, _)| pods.clone()).collect();
                format!("{} are ready", list_of(&several))
            }
        };
        if self.answering.iter().all(|(_, revision)| revision.ready >= revision.wanted) {
            return say(true, Reason::AllPodsReady, message);
        }
        say(true, Reason::FewerPodsThanWanted, format!("{message}{more}"))
    }

    /// What keeps the desired revision from answering, and a clause for it.
    fn obstacle(&self) -> (Reason, String) {
        match &self.finding {
            Some(finding) => (finding.reason, clause(Some(finding))),
            None if self.is_late() => {
                let mend = format!(
                    " after {}: look at its pods (`kubectl get pods -l {}={}`), or raise progressDeadline",
                    self.deadline(),
                    labels::REVISION,
                    self.serving.desired_revision
                );
                (Reason::ProgressDeadlineExceeded, mend)
            }
            None => (Reason::RevisionStarting, String::new()),
        }
    }

    /// A clause that names what answers meanwhile.
    fn meanwhile(&self) -> String {
        match (self.is_hosted(), self.answering.len()) {
            (true, _) => "; the page's pods answer meanwhile".into(),
            (false, 0) => String::new(),
            (false, 1) => format!("; revision {} answers meanwhile", self.names(" and ")),
            (false, _) => format!("; the revisions {} answer meanwhile", self.names(" and ")),
        }
    }

    fn progressing(&self) -> ConditionDraft {
        let say = |status, reason, message: String| {
            draft(ConditionType::Progressing, Some(status), reason, message)
        };
        let (desired, pods, ready) =
            (&self.serving.desired_revision, self.serving.rollout.pods, self.n_ready());
        match self.serving.rollout.phase {
            Phase::Settled => {
                say(true, Reason::UpToDate, format!("revision {desired} is what the spec asks for"))
            }
            Phase::Draining { until } => {
                let message =
                    format!("revision {desired} answers; earlier revisions keep their pods until {until}");
                say(true, Reason::RevisionDraining, message)
            }
            Phase::Blocked => {
                let finding = self.finding.as_ref();
                if let Some(waits) = finding.filter(|finding| finding.reason == Reason::RevisionWaiting) {
                    return say(true, waits.reason, format!("{}{}", waits.message, self.meanwhile()));
                }
                let reason = finding.map_or(Reason::ConfigInvalid, |finding| finding.reason);
                say(
                    false,
                    reason,
                    format!("the operator cannot create pods{}{}", clause(finding), self.meanwhile()),
                )
            }
            Phase::Starting { late, held: true } => {
                let waits_for = self.serving.waits_for.as_deref().unwrap_or("what it needs");
                let message =
                    format!("revision {desired} is ready and waits for {waits_for}{}", self.meanwhile());
                let reason = if late { Reason::ProgressDeadlineExceeded } else { Reason::ModelNotReady };
                say(!late, reason, message)
            }
            Phase::Starting { late, held: false } => {
                let more = clause(self.finding.as_ref());
                let (pods, verb) = ready_of(ready, pods, desired);
                let message = format!("{pods} {verb} ready");
                if late {
                    let message = format!("{message} after {}{more}{}", self.deadline(), self.meanwhile());
                    return say(false, Reason::ProgressDeadlineExceeded, message);
                }
                say(true, Reason::RevisionStarting, format!("{message}{more}{}", self.meanwhile()))
            }
        }
    }

    fn artifact_resolved(&self) -> ConditionDraft {
        let say =
            |status, reason, message: String| draft(ConditionType::ArtifactResolved, status, reason, message);
        let artifacts = self.workload.artifact_text();
        if self.n_ready() > 0 {
            return say(Some(true), Reason::ArtifactLoaded, format!("loaded and checked: {artifacts}"));
        }
        match &self.finding {
            Some(finding) if finding.is_of_artifact() => {
                say(Some(false), finding.reason, finding.message.clone())
            }
            Some(finding) if finding.reason == Reason::ArtifactLoading => {
                say(None, finding.reason, finding.message.clone())
            }
            // A pod has loaded the artifact before, so it exists even if no pod is ready now.
            _ if self.was_resolved() => {
                say(Some(true), Reason::ArtifactLoaded, format!("loaded and checked: {artifacts}"))
            }
            _ => say(None, Reason::RevisionStarting, format!("no pod has loaded {artifacts} yet")),
        }
    }

    fn was_resolved(&self) -> bool {
        let answers =
            self.answering.iter().any(|(target, _)| target.revision == self.serving.desired_revision);
        answers && is_true(self.previous.conditions, ConditionType::ArtifactResolved)
    }

    fn degraded(&self) -> ConditionDraft {
        let say = |status, reason, message: String| draft(ConditionType::Degraded, status, reason, message);
        let ready = self.ready();
        if ready.status != Some(true) {
            let is_on_its_way = ready.reason.is_progress();
            let message = "no request is answered: see Ready";
            return say(if is_on_its_way { None } else { Some(true) }, ready.reason, message.into());
        }
        let least = self.workload.replicas.min.max(1);
        if !self.serving.rollout.is_settled() {
            let (reason, more) = self.obstacle();
            if self.is_late() || !reason.is_progress() {
                let message = format!(
                    "revision {} does not answer{more}{}",
                    self.serving.desired_revision,
                    self.meanwhile()
                );
                return say(Some(true), reason, message);
            }
        } else if let Some((target, revision)) =
            self.answering.first().filter(|(_, revision)| revision.ready < least)
        {
            let finding = self.finding_of_answering.as_ref();
            let reason = finding.map_or(Reason::FewerPodsThanWanted, |finding| finding.reason);
            let (ready, name, more) = (revision.ready, &target.revision, clause(finding));
            let (ready, verb) = (count_of(ready, "pod"), if ready == 1 { "is" } else { "are" });
            let message = format!("{ready} of revision {name} {verb} ready; the minimum is {least}{more}");
            return say(Some(true), reason, message);
        }
        say(Some(false), Reason::AsExpected, NO_PROBLEM.into())
    }

    fn autoscaling(&self) -> ConditionDraft {
        let kind = ConditionType::Autoscaling;
        let say = |status, reason, message: String| draft(kind, Some(status), reason, message);
        let (min, most) = (self.workload.replicas.min, self.workload.replicas.most());
        let cpu = self.workload.autoscaling.target_cpu_percent;
        let aim = |in_flight: Option<i32>| {
            let more = in_flight
                .map(|n| format!(" and {} in flight per pod", count_of(n, "request")))
                .unwrap_or_default();
            format!("{min} to {most} pods, with a target of {cpu} % CPU{more}")
        };
        let AutoscalerFacts { inactive, unread } = &self.autoscaler;
        match (scaling(self.workload), inactive) {
            (Scaling::Fixed, _) => say(
                true,
                Reason::FixedReplicas,
                format!("the number of replicas is fixed at {min}: replicas.max is not above replicas.min"),
            ),
            (Scaling::Autoscaler { .. }, Some((reason, said))) => {
                let mend = if reason == "FailedGetPodsMetric" {
                    ADAPTER
                } else {
                    "check that the cluster has a metrics server (`kubectl top pods`)"
                };
                let message = format!("the autoscaler does not scale ({reason}): {said}; {mend}");
                say(false, Reason::MetricsUnavailable, message)
            }
            (Scaling::ScaledObject { prometheus, .. }, Some((reason, said))) => {
                let message = format!(
                    "KEDA does not scale as configured ({reason}): {said}; check that KEDA can query Prometheus at {prometheus}, and that Prometheus has {IN_FLIGHT} for these pods"
                );
                say(false, Reason::MetricsUnavailable, message)
            }
            (Scaling::Autoscaler { .. } | Scaling::ScaledObject { .. }, None) if !self.has_autoscaler() => {
                draft(kind, None, Reason::Reconciling, "the autoscaler is not applied yet")
            }
            (Scaling::Autoscaler { .. }, None) if !unread.is_empty() => {
                let message = format!(
                    "{}; targetInFlightRequests is not in use: the custom metrics API does not have {} for these pods; {ADAPTER}",
                    aim(None),
                    list_of(unread)
                );
                say(false, Reason::MetricsUnavailable, message)
            }
            (Scaling::Autoscaler { in_flight: None }, None)
                if self.workload.autoscaling.target_in_flight_requests.is_some() =>
            {
                let mend = if self.workload.capabilities.keda {
                    "set prometheusUrl in the chart's values (--prometheus of the operator), so that KEDA can query it"
                } else {
                    "install KEDA or a custom metrics API, or remove targetInFlightRequests"
                };
                let message = format!("{}; targetInFlightRequests is not in use: {mend}", aim(None));
                say(false, Reason::MetricsApiNotInstalled, message)
            }
            (Scaling::Autoscaler { in_flight }, None) => say(true, Reason::AutoscalerApplied, aim(in_flight)),
            (Scaling::ScaledObject { in_flight, .. }, None) => {
                say(true, Reason::AutoscalerApplied, format!("{}, by KEDA", aim(Some(in_flight))))
            }
        }
    }
}
