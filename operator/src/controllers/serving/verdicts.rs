//! What is true of something served, in conditions.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use marquee_crds::{
    conditions::{ConditionType, Reason, Verdict, is_true},
    metrics::IN_FLIGHT,
    shared::Duration,
};

use crate::{
    resources::{Scaling, Workload, scaling},
    rollout::{Course, Finding, Phase, Revision, Revisions},
};

/// The mend where an autoscaler cannot read the requests in flight.
const ADAPTER: &str = "give the adapter behind the custom metrics API a rule for it, as examples/autoscaling shows, and see that the pods are scraped";

/// What is seen of a parent once its course is decided.
pub struct Scene<'a> {
    /// The spec.
    pub of: &'a Workload<'a>,
    /// The revision that it asks for.
    pub wanted: &'a str,
    /// Which revisions answer.
    pub course: &'a Course,
    /// Those that there are.
    pub revisions: &'a Revisions,
    /// What is in the way of the wanted revision.
    pub finding: Option<Finding>,
    /// What is in the way of the pods that are missing of what answers.
    pub finding_of_answering: Option<Finding>,
    /// Conditions as they were.
    pub before: &'a [Condition],
    /// What the wanted revision waits for besides its pods.
    pub held_for: Option<&'a str>,
    /// Whether what answers is so young that its autoscaler need not have measured it yet.
    pub is_unmeasured: bool,
}

/// A verdict.
pub fn verdict(
    kind: ConditionType,
    status: Option<bool>,
    reason: Reason,
    message: impl Into<String>,
) -> Verdict {
    Verdict { kind, status, reason, message: message.into() }
}

/// The verdicts with those for kstatus, which reads a generation that is observed and Ready as done. While the revision before answers
/// for one that is starting, or that never starts, that would be wrong: these two say so, and are there only then.
pub fn with_kstatus(verdicts: &[Verdict]) -> Vec<Verdict> {
    let progressing = verdicts.iter().find(|verdict| verdict.kind == ConditionType::Progressing);
    let more = progressing.and_then(|verdict| {
        let kind = match verdict.status {
            Some(false) => ConditionType::Stalled,
            _ if is_up_to_date(verdict.reason) => return None,
            _ => ConditionType::Reconciling,
        };
        Some(Verdict { kind, status: Some(true), ..verdict.clone() })
    });
    verdicts.iter().cloned().chain(more).collect()
}

/// Whether what the spec asks for is what answers, as `Progressing` says it.
fn is_up_to_date(reason: Reason) -> bool {
    matches!(reason, Reason::UpToDate | Reason::Colocated | Reason::RevisionDraining)
}

/// One word for what is worst; none when all is well and up to date.
pub fn why(verdicts: &[Verdict]) -> String {
    use ConditionType as C;
    let find = |kind| verdicts.iter().find(|verdict| verdict.kind == kind);
    let is_not = |kind, good: bool| find(kind).filter(|verdict| verdict.status == Some(!good));
    let not_up_to_date = || find(C::Progressing).filter(|verdict| !is_up_to_date(verdict.reason));
    let unsure = || find(C::Ready).filter(|verdict| verdict.status != Some(true));
    let worst = is_not(C::Ready, true)
        .or_else(unsure)
        .or_else(|| is_not(C::Degraded, false))
        .or_else(|| is_not(C::ArtifactResolved, true))
        .or_else(|| is_not(C::ModelsResolved, true))
        .or_else(not_up_to_date)
        .or_else(|| is_not(C::RoutesApplied, true))
        .or_else(|| is_not(C::Autoscaling, true));
    worst.map(|verdict| verdict.reason.as_str().to_owned()).unwrap_or_default()
}

impl Scene<'_> {
    /// The conditions that both kinds have.
    pub fn verdicts(&self) -> Vec<Verdict> {
        vec![self.ready(), self.progressing(), self.artifact_resolved(), self.degraded(), self.autoscaling()]
    }

    /// What answers now, in pods of its own.
    fn answering(&self) -> Option<(&str, Revision)> {
        let at = self.course.answering.as_ref().filter(|at| !at.elsewhere)?;
        Some((&at.revision, self.revisions.get(&at.revision).cloned().unwrap_or_default()))
    }

    fn wanted_revision(&self) -> Revision {
        self.revisions.get(self.wanted).cloned().unwrap_or_default()
    }

    /// Whether the wanted revision has had its time.
    fn is_late(&self) -> bool {
        matches!(self.course.phase, Phase::Starting { late: true, .. })
    }

    fn ready(&self) -> Verdict {
        let say =
            |status, reason, message: String| verdict(ConditionType::Ready, Some(status), reason, message);
        if self.course.answering.as_ref().is_some_and(|at| at.elsewhere) {
            let message = format!(
                "the page's pods answer until {} pods of revision {} are ready",
                self.course.pods, self.wanted
            );
            return say(true, Reason::Colocated, message);
        }
        match self.answering() {
            Some((name, Revision { ready, wanted, .. })) if ready > 0 => {
                let told = format!("{ready} of {} pods of revision {name} are ready", wanted.max(ready));
                if ready >= wanted {
                    return say(true, Reason::AllPodsReady, told);
                }
                let more = self.finding_of_answering.as_ref();
                let more = more.map(|finding| format!(": {}", finding.message)).unwrap_or_default();
                say(true, Reason::FewerPodsThanWanted, format!("{told}{more}"))
            }
            Some((name, _)) => {
                let found = self.finding_of_answering.as_ref();
                let (reason, more) = found.map_or((Reason::NoPodReady, String::new()), |finding| {
                    (finding.reason, format!(": {}", finding.message))
                });
                say(false, reason, format!("no pod of revision {name} is ready{more}"))
            }
            None => {
                let (reason, more) = self.in_the_way();
                let message = format!("no pod of revision {} is ready yet{more}", self.wanted);
                say(false, reason, message)
            }
        }
    }

    /// What keeps the wanted revision from answering, and a clause for it.
    fn in_the_way(&self) -> (Reason, String) {
        match &self.finding {
            Some(finding) => (finding.reason, format!(": {}", finding.message)),
            None if self.is_late() => {
                (Reason::ProgressDeadlineExceeded, format!(", after {}", self.deadline()))
            }
            None => (Reason::RevisionStarting, String::new()),
        }
    }

    fn deadline(&self) -> Duration {
        self.of.progress_deadline
    }

    /// Clause for what answers meanwhile.
    fn meanwhile(&self) -> String {
        match self.course.answering.as_ref() {
            Some(at) if at.elsewhere => "; the page's pods answer meanwhile".into(),
            Some(at) => format!("; revision {} answers meanwhile", at.revision),
            None => String::new(),
        }
    }

    fn progressing(&self) -> Verdict {
        let say = |status, reason, message: String| {
            verdict(ConditionType::Progressing, Some(status), reason, message)
        };
        let wanted = self.wanted;
        let ready = self.wanted_revision().ready;
        let pods = self.course.pods;
        match self.course.phase {
            Phase::Settled => {
                say(true, Reason::UpToDate, format!("revision {wanted} is what the spec asks for"))
            }
            Phase::Draining { until } => {
                let message =
                    format!("revision {wanted} answers; what answered before keeps its pods until {until}");
                say(true, Reason::RevisionDraining, message)
            }
            Phase::Blocked => {
                let finding = self.finding.as_ref();
                let reason = finding.map_or(Reason::ConfigInvalid, |finding| finding.reason);
                let told = finding.map(|finding| finding.message.clone()).unwrap_or_default();
                say(false, reason, format!("no pods are made: {told}{}", self.meanwhile()))
            }
            Phase::Starting { late, held: true } => {
                let held_for = self.held_for.unwrap_or("what it needs");
                let message =
                    format!("revision {wanted} is ready, and waits for {held_for}{}", self.meanwhile());
                let reason = if late { Reason::ProgressDeadlineExceeded } else { Reason::ModelNotReady };
                say(!late, reason, message)
            }
            Phase::Starting { late, held: false } => {
                let more =
                    self.finding.as_ref().map(|finding| format!(": {}", finding.message)).unwrap_or_default();
                let told = format!("{ready} of {pods} pods of revision {wanted} are ready");
                if late {
                    let message = format!("{told} after {}{more}{}", self.deadline(), self.meanwhile());
                    return say(false, Reason::ProgressDeadlineExceeded, message);
                }
                say(true, Reason::RevisionStarting, format!("{told}{more}{}", self.meanwhile()))
            }
        }
    }

    fn artifact_resolved(&self) -> Verdict {
        let say = |status, reason, message: String| {
            verdict(ConditionType::ArtifactResolved, status, reason, message)
        };
        let artifacts = self.of.artifact_text();
        if self.wanted_revision().ready > 0 {
            let message = format!("loaded and checked: {artifacts}");
            return say(Some(true), Reason::ArtifactLoaded, message);
        }
        match &self.finding {
            Some(finding) if finding.is_of_artifact() => {
                say(Some(false), finding.reason, finding.message.clone())
            }
            Some(finding) if finding.reason == Reason::ArtifactLoading => {
                say(None, finding.reason, finding.message.clone())
            }
            // What was loaded once is there, even while no pod is ready.
            _ if self.is_resolved_before() => {
                say(Some(true), Reason::ArtifactLoaded, format!("loaded and checked: {artifacts}"))
            }
            _ => say(None, Reason::RevisionStarting, format!("no pod has loaded {artifacts} yet")),
        }
    }

    fn is_resolved_before(&self) -> bool {
        let answers =
            self.course.answering.as_ref().is_some_and(|at| !at.elsewhere && at.revision == self.wanted);
        answers && is_true(self.before, ConditionType::ArtifactResolved)
    }

    fn degraded(&self) -> Verdict {
        let say = |status, reason, message: String| verdict(ConditionType::Degraded, status, reason, message);
        let ready = self.ready();
        if ready.status != Some(true) {
            let is_on_its_way = ready.reason.is_progress();
            return say(if is_on_its_way { None } else { Some(true) }, ready.reason, ready.message);
        }
        let is_up_to_date = super::is_settled(self.course);
        if !is_up_to_date {
            let (reason, more) = self.in_the_way();
            if self.is_late() || !reason.is_progress() {
                let message = format!("revision {} does not answer{more}{}", self.wanted, self.meanwhile());
                return say(Some(true), reason, message);
            }
        }
        let least = self.of.replicas.min.max(1);
        match self.answering() {
            Some((name, Revision { ready, .. })) if is_up_to_date && ready < least => {
                let more = self.finding_of_answering.as_ref();
                let reason = more.map_or(Reason::FewerPodsThanWanted, |finding| finding.reason);
                let more = more.map(|finding| format!(": {}", finding.message)).unwrap_or_default();
                let message = format!("{ready} pods of revision {name} are ready, of at least {least}{more}");
                say(Some(true), reason, message)
            }
            _ => say(Some(false), Reason::AsExpected, "nothing is amiss".into()),
        }
    }

    fn autoscaling(&self) -> Verdict {
        let say = |status, reason, message: String| {
            verdict(ConditionType::Autoscaling, Some(status), reason, message)
        };
        let (min, most) = (self.of.replicas.min, self.of.replicas.most());
        let cpu = self.of.autoscaling.target_cpu_percent;
        let aim = |in_flight: Option<i32>| {
            let more = in_flight.map(|n| format!(" and {n} requests in flight a pod")).unwrap_or_default();
            format!("{min} to {most} pods, aiming at {cpu} % CPU{more}")
        };
        let answering = self.answering().filter(|_| !self.is_unmeasured);
        let facts = answering.map(|(_, revision)| revision.autoscaler).unwrap_or_default();
        match (scaling(self.of), facts.inactive) {
            (Scaling::Fixed, _) => say(
                true,
                Reason::FixedReplicas,
                format!("always {min} pods: replicas.max is not above replicas.min"),
            ),
            (Scaling::Autoscaler { .. }, Some((reason, told))) => {
                let of = if reason == "FailedGetPodsMetric" {
                    ADAPTER
                } else {
                    "check the cluster's metrics server"
                };
                let message = format!("the autoscaler does not scale ({reason}): {told}; {of}");
                say(false, Reason::MetricsUnavailable, message)
            }
            (Scaling::ScaledObject { prometheus, .. }, Some((reason, told))) => {
                let message = format!(
                    "KEDA does not scale as asked ({reason}): {told}; check that Prometheus answers KEDA at {prometheus}, and has {IN_FLIGHT} of these pods"
                );
                say(false, Reason::MetricsUnavailable, message)
            }
            (Scaling::Autoscaler { .. }, None) if !facts.unread.is_empty() => {
                let message = format!(
                    "{}; targetInFlightRequests is not in use: the custom metrics API does not tell {} of these pods; {ADAPTER}",
                    aim(None),
                    facts.unread.join(" and ")
                );
                say(false, Reason::MetricsUnavailable, message)
            }
            (Scaling::Autoscaler { in_flight: None }, None)
                if self.of.autoscaling.target_in_flight_requests.is_some() =>
            {
                let mend = if self.of.capabilities.keda {
                    "tell the operator where Prometheus is (--prometheus) for KEDA to ask"
                } else {
                    "install KEDA or a custom metrics API, or leave targetInFlightRequests out"
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
