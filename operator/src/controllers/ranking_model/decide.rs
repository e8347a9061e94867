//! What should exist for a RankingModel: pure.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use marquee_crds::{
    PageLayout, RankingModel,
    conditions::{self, ConditionType, Reason},
    names,
    page_layout::Topology,
    pod_config::{self, ResourceRef},
    revision_name::RevisionName,
    shared::{ColocatedModel, TrafficTarget},
};

use crate::{
    child::Child,
    controllers::serving::{self, Plan, decide::ServingDecision},
    observed::{Observed, Settings},
    resources::{self, Workload},
    rollout::{self, Target},
    served::PreviousStatus,
};

/// How a model is served.
#[derive(Clone, Debug)]
pub enum ModelDecision<'a> {
    /// Not at all: an older model has its objective.
    Refused(&'a ResourceRef),
    /// By pods of its own. The pods of a page that still run the model answer until they are ready.
    Serving(Box<ServingDecision>),
    /// Not yet: the pods of this page will run it.
    AwaitsPage {
        /// The page.
        page: &'a PageLayout,
        /// The revision that the spec asks for.
        desired_revision: Option<RevisionName>,
        /// Whether its deadline has passed.
        late: bool,
    },
    /// By the pods of a page. Children in the plan are those of the model's own that still drain.
    Hosted {
        /// The page.
        page: &'a PageLayout,
        /// The revision that its pods run.
        target: Target,
        /// The revision that the spec asks for.
        desired_revision: Option<RevisionName>,
        /// Whether the pods do not run that revision, and its deadline has passed.
        late: bool,
    },
}

/// What should exist for `model`, given what exists, as of `now`.
pub fn plan<'a>(
    model: &'a RankingModel,
    observed: &'a Observed,
    settings: &'a Settings,
    now: Timestamp,
) -> Plan<'a, ModelDecision<'a>> {
    let now = serving::whole_seconds(now);
    let workload = Workload::of_model(model, settings, &observed.capabilities);
    if let Some(older) = &observed.older {
        return Plan::without_children(workload, ModelDecision::Refused(older), now);
    }
    let page = observed.page.as_deref();
    let hosted = page.and_then(|page| hosted_target(model, &workload, page, now));
    let answers_itself =
        |target: &TrafficTarget| target.endpoint == workload.endpoint(&target.revision.as_str().into());
    let has_own = has_pods(observed) || PreviousStatus::from(model).traffic.iter().any(answers_itself);
    let colocated_revision = || {
        let configs = pod_config::ranker_pod(model).rankers;
        configs.first().map(resources::colocated_revision)
    };
    match (page.filter(|page| page.spec.topology == Topology::Monolith), hosted) {
        (Some(page), Some(target)) => {
            let draining = draining_children(&workload, &target, observed, now);
            let desired_revision = colocated_revision();
            let (late, due) = if desired_revision.as_ref() == Some(&target.revision) {
                (false, None)
            } else {
                wait_for_page(model, desired_revision.as_ref(), now)
            };
            let decision = ModelDecision::Hosted { page, target, desired_revision, late };
            let (children, left) = draining.unzip();
            let look_again = left.into_iter().chain(due).min();
            let children = children.unwrap_or_default();
            Plan { workload, decision, children, needs_permit: false, look_again, now }
        }
        (Some(page), None) if !has_own => {
            let desired_revision = colocated_revision();
            let (late, look_again) = wait_for_page(model, desired_revision.as_ref(), now);
            let decision = ModelDecision::AwaitsPage { page, desired_revision, late };
            Plan { look_again, ..Plan::without_children(workload, decision, now) }
        }
        (_, hosted) => {
            let host = hosted.and_then(|target| target.host);
            let previous_targets = previous_targets(model, &workload, host.as_deref());
            serving::decide::decide(workload, observed, previous_targets, None, now)
                .map(|serving| ModelDecision::Serving(Box::new(serving)))
        }
    }
}

/// The revision of `model` that the pods of `page` run, if they answer and run it.
fn hosted_target(
    model: &RankingModel,
    workload: &Workload<'_>,
    page: &PageLayout,
    now: Timestamp,
) -> Option<Target> {
    let status = page.status.as_ref().filter(|status| !status.traffic.is_empty())?;
    // The page's Service leads to the revision with the largest share.
    let is_main =
        |known: &&ColocatedModel| known.page_revision.is_none() || known.page_revision == status.revision;
    let is_own = |known: &&ColocatedModel| Some(&known.name) == model.metadata.name.as_ref();
    let hosted = status.models.iter().filter(is_main).find(is_own)?;
    let service = names::page(page.metadata.name.as_deref().unwrap_or_default());
    let host = names::endpoint(&service, &workload.namespace);
    let mut known = PreviousStatus::from(model).targets();
    let same = known.find(|target| target.endpoint == host && target.revision == hosted.revision);
    let since = same.map_or(now, |target| target.since.0);
    Some(Target { host: Some(host), ..Target::all_viewers(hosted.revision.as_str().into(), since) })
}

/// Whether the pods of a page have had the time that the spec gives `desired` to run it, and how much of it is left. The status has since
/// when they are awaited: the time of its `Reconciling`.
fn wait_for_page(
    model: &RankingModel,
    desired: Option<&RevisionName>,
    now: Timestamp,
) -> (bool, Option<Duration>) {
    let previous = PreviousStatus::from(model);
    let is_same = previous.latest_revision == desired.map(RevisionName::as_str);
    let known = |kind| conditions::find(previous.conditions, kind).filter(|_| is_same);
    let was_late = known(ConditionType::Progressing).is_some_and(|found| {
        found.status == "False" && found.reason == Reason::ProgressDeadlineExceeded.as_str()
    });
    if was_late {
        return (true, None);
    }
    let began = known(ConditionType::Reconciling).map_or(now, |found| found.last_transition_time.0);
    let deadline = began.checked_add(model.spec.progress_deadline.0).unwrap_or(Timestamp::MAX);
    let left = deadline.as_second().saturating_sub(now.as_second());
    match u64::try_from(left).ok().filter(|left| *left > 0) {
        Some(left) => (false, Some(Duration::from_secs(left))),
        None => (true, None),
    }
}

/// The revisions that answered until now. Revisions in the pods of a page are included while the page answers at `host`.
fn previous_targets(model: &RankingModel, workload: &Workload<'_>, host: Option<&str>) -> Vec<Target> {
    let target = |target: &TrafficTarget| {
        let is_own = target.endpoint == workload.endpoint(&target.revision.as_str().into());
        let page = (!is_own).then(|| target.endpoint.clone());
        (is_own || host == Some(&target.endpoint)).then(|| Target::from_status(target, page))
    };
    PreviousStatus::from(model).targets().filter_map(target).collect()
}

fn has_pods(observed: &Observed) -> bool {
    !rollout::revisions(observed).is_empty()
}

/// The children of the model's own pods while these drain, and the remaining time.
fn draining_children(
    workload: &Workload<'_>,
    target: &Target,
    observed: &Observed,
    now: Timestamp,
) -> Option<(Vec<Child>, Duration)> {
    let drained = target.since.checked_add(workload.settings.drain).unwrap_or(Timestamp::MAX);
    let drains = has_pods(observed) && now < drained;
    let existing = observed.children.iter().filter(|child| !child.deleting);
    let mut children: Vec<Child> =
        existing.map(|child| Child::kept(child.kind, child.name.clone())).collect();
    children.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    let seconds_left = drained.as_second().abs_diff(now.as_second()).max(1);
    drains.then(|| (children, Duration::from_secs(seconds_left)))
}
