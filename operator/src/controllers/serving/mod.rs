//! What both kinds decide alike: which revision answers, which children there are, and what to say of it. Pure.

pub mod happenings;

pub mod verdicts;

use std::time::Duration;

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use marquee_crds::{
    conditions::Verdict,
    shared::{RevisionStatus, TrafficTarget},
};

use crate::{
    child::{Child, ChildKind},
    observed::{AutoscalerFacts, Observed},
    plan::Happening,
    resources::{self, Workload},
    rollout::{self, Before, Course, Finding, Needs, Phase, Revisions, Wish, diagnosis},
};

/// Longest text that a status holds of where weights lie, in bytes.
const LONGEST_ARTIFACT: usize = 1024;
/// Most revisions that a status lists.
const MOST_REVISIONS: usize = 32;
/// Most pods that a status counts.
const MOST_PODS: i32 = 100_000;

/// What a decision is made from.
pub struct Given<'a> {
    /// The spec, in the terms of Kubernetes.
    pub of: &'a Workload<'a>,
    /// What there is.
    pub observed: &'a Observed,
    /// What the status says.
    pub before: Told<'a>,
    /// What answered until now.
    pub answered: Option<Before>,
    /// What else the spec's revision waits for before it may take over, as a clause.
    pub held_for: Option<String>,
    /// As of when.
    pub now: Timestamp,
}

/// What a status says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'a> {
    /// Conditions.
    pub conditions: &'a [Condition],
    /// The revision that the spec asked for.
    pub latest: Option<&'a str>,
    /// What answered.
    pub traffic: &'a [TrafficTarget],
    /// Revisions that there were.
    pub revisions: &'a [RevisionStatus],
}

/// Pods that have just come are unknown to an autoscaler: it leaves them alone for half a minute, and they are measured, and looked at,
/// every 15 s.
const MEASURED_AFTER: Duration = Duration::from_secs(60);

/// What follows, for either kind.
pub struct Served {
    /// Every child that should exist.
    pub children: Vec<Child>,
    /// The revision that the spec asks for.
    pub wanted: String,
    /// Which revisions answer.
    pub course: Course,
    /// Status: which answer, and where.
    pub traffic: Vec<TrafficTarget>,
    /// Status: revisions.
    pub revisions: Vec<RevisionStatus>,
    /// Status: all pods.
    pub replicas: i32,
    /// Status: ready pods.
    pub ready_replicas: i32,
    /// Status: pods, for people.
    pub pods: String,
    /// Conditions.
    pub verdicts: Vec<Verdict>,
    /// What to tell of revisions; what to tell of conditions is found once all of them are known.
    pub happenings: Vec<Happening>,
    /// When to look again.
    pub look_again: Option<Duration>,
}

/// Time in whole seconds, as a status holds it: else what was written would differ from what is decided.
pub fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// The target with the largest share.
pub fn main_target(traffic: &[TrafficTarget]) -> Option<&TrafficTarget> {
    traffic.iter().filter(|target| target.weight > 0).max_by_key(|target| target.weight)
}

/// What follows from `given`.
pub fn serve(given: &Given<'_>) -> Served {
    let Given { of, observed, before, now, .. } = given;
    let wanted = resources::revision(of);
    let blocked = resources::problem(of).map(|(reason, message)| Finding { reason, message });
    let revisions = rollout::revisions(observed);
    let wish = Wish {
        revision: blocked.is_none().then_some(wanted.as_str()),
        min: of.replicas.min.max(1),
        most: of.replicas.most(),
        deadline: of.progress_deadline.0,
        drain: of.settings.drain,
        may_take_over: given.held_for.is_none(),
    };
    let course = rollout::course(&wish, &revisions, given.answered.clone(), *now);

    let secrets = resources::secrets(of);
    let memory = of.resources.limits.get("memory").map(|limit| limit.0.as_str());
    let needs = Needs { secrets: &secrets, memory };
    let diagnose = |name: &str| rollout::diagnose(name, revisions.get(name), observed, needs, *now);
    let answering = course.answering.as_ref().filter(|at| !at.elsewhere).map(|at| at.revision.clone());
    let unmeasured = course.answering.as_ref().and_then(|at| unmeasured_for(at, &revisions, *now));
    let scene = verdicts::Scene {
        of,
        wanted: &wanted,
        course: &course,
        revisions: &revisions,
        finding: blocked.or_else(|| diagnose(&wanted)),
        finding_of_answering: answering.as_deref().and_then(diagnose),
        before: before.conditions,
        held_for: given.held_for.as_deref(),
        is_unmeasured: unmeasured.is_some(),
    };
    let verdicts = scene.verdicts();

    let is_live = |name: &str| wish.revision == Some(name) || course.kept.iter().any(|kept| kept == name);
    let live: Vec<&str> = wish.revision.into_iter().chain(course.kept.iter().map(String::as_str)).collect();
    let history = rollout::history(observed, &live, of.history);
    let statuses = revision_statuses(given, &wanted, &revisions, &live, &history);
    let happenings = happenings::of_revisions(&happenings::Turn {
        before: *before,
        kind: of.part.kind(),
        wanted: wish.revision,
        traffic_to: answering.as_deref(),
        is_live: &is_live,
        revisions: &revisions,
    });

    let mut children = resources::once(of, answering.as_deref().unwrap_or(&wanted), fetches(given, &course));
    if wish.revision.is_some() {
        children.extend(resources::of_revision(of, &wanted, course.pods, observed));
    }
    children.extend(course.kept.iter().flat_map(|kept| resources::kept(of, kept, observed)));
    children.extend(history.iter().map(|child| Child::kept(ChildKind::ConfigMap, child.name.clone())));
    children.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));

    let telling = diagnosis::telling_after(observed, &wanted, *now).map(Duration::from_secs);
    let sum = |count: fn(&rollout::Revision) -> i32| {
        revisions.values().map(count).fold(0, i32::saturating_add).clamp(0, MOST_PODS)
    };
    Served {
        pods: pods_text(answering.as_deref().unwrap_or(&wanted), &revisions, course.pods),
        traffic: traffic(given, &course),
        revisions: statuses,
        replicas: sum(|revision| revision.replicas),
        ready_replicas: sum(|revision| revision.ready),
        look_again: [course.look_again, telling, unmeasured].into_iter().flatten().min(),
        children,
        verdicts,
        happenings,
        course,
        wanted,
    }
}

/// For how much longer it is no news that the autoscaler of what answers at `at` cannot read a metric; none where it can, or should by now.
fn unmeasured_for(at: &Before, revisions: &Revisions, now: Timestamp) -> Option<Duration> {
    let blind = revisions.get(&at.revision)?.autoscaler != AutoscalerFacts::default();
    let age = u64::try_from(now.duration_since(at.since).as_secs()).unwrap_or(0);
    let left = MEASURED_AFTER.saturating_sub(Duration::from_secs(age));
    (blind && !left.is_zero()).then_some(left)
}

/// Whether any pod that there is, or will be, fetches artifacts from elsewhere.
fn fetches(given: &Given<'_>, course: &Course) -> bool {
    let is_kept = |revision: &str| course.kept.iter().any(|kept| kept == revision);
    let mut of_kept = given
        .observed
        .children
        .iter()
        .filter(|child| child.revision.as_deref().is_some_and(is_kept))
        .filter_map(|child| child.artifact.as_deref());
    given.of.artifacts().iter().any(|(_, artifact)| !artifact.is_local())
        || of_kept.any(|uris| uris.split(' ').any(|uri| !uri.starts_with("file://")))
}

fn traffic(given: &Given<'_>, course: &Course) -> Vec<TrafficTarget> {
    let Some(at) = &course.answering else { return Vec::new() };
    if at.elsewhere {
        return main_target(given.before.traffic).cloned().into_iter().collect();
    }
    vec![TrafficTarget {
        endpoint: given.of.endpoint(&at.revision),
        revision: at.revision.clone(),
        weight: 100,
        since: Time(at.since),
    }]
}

fn pods_text(revision: &str, revisions: &Revisions, asked: i32) -> String {
    let (ready, wanted) =
        revisions.get(revision).map_or((0, asked), |revision| (revision.ready, revision.wanted));
    format!("{ready}/{wanted}")
}

fn revision_statuses(
    given: &Given<'_>,
    wanted: &str,
    revisions: &Revisions,
    live: &[&str],
    history: &[&crate::observed::ChildFacts],
) -> Vec<RevisionStatus> {
    let config = |name: &str| {
        given
            .observed
            .children
            .iter()
            .find(|child| child.kind == ChildKind::ConfigMap && child.revision.as_deref() == Some(name))
    };
    let artifact = |name: &str| {
        let text =
            if name == wanted { Some(given.of.artifact_text()) } else { config(name)?.artifact.clone() };
        // Of more uris than there is room for, the first says most.
        text.map(|text| {
            if text.len() <= LONGEST_ARTIFACT {
                text
            } else {
                text.split(' ').next().unwrap_or_default().to_owned()
            }
        })
    };
    let status = |name: &str, is_live: bool| {
        let pods = revisions.get(name).filter(|_| is_live);
        RevisionStatus {
            name: name.to_owned(),
            artifact: artifact(name).filter(|text| !text.is_empty() && text.len() <= LONGEST_ARTIFACT),
            replicas: pods.map_or(0, |revision| revision.replicas).min(MOST_PODS),
            ready_replicas: pods.map_or(0, |revision| revision.ready).min(MOST_PODS),
        }
    };
    let past = history.iter().filter_map(|child| child.revision.as_deref());
    let all = live.iter().map(|name| status(name, true)).chain(past.map(|name| status(name, false)));
    all.take(MOST_REVISIONS).collect()
}

/// Whether the spec's revision is what answers.
pub fn is_settled(course: &Course) -> bool {
    matches!(course.phase, Phase::Settled | Phase::Draining { .. })
}
