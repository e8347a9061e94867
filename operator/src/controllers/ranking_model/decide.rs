//! What should be for a RankingModel: pure.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use marquee_crds::{
    PageLayout, RankingModel, names,
    page_layout::Topology,
    pod_config::{self, RankerConfig, ResourceRef},
    ranking_model::RankingModelStatus,
    shared::{ColocatedModel, TrafficTarget},
};

use super::status;
use crate::{
    child::Child,
    controllers::serving::{self, Given, Told},
    observed::{Observed, Settings},
    plan::Plan,
    resources::{self, Workload},
    rollout::{self, Before},
};

/// What of other resources bears on a model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// The older model of this namespace that answers to the same objective.
    pub older: Option<&'a ResourceRef>,
    /// The layout of this namespace that has the model's surface: the oldest, wherever its models run. Its spec and status say
    /// whether the model answers in its pods.
    pub page: Option<&'a PageLayout>,
}

/// What should be for `model`, with what there is, as of `now`.
pub fn plan(
    model: &RankingModel,
    around: Surroundings<'_>,
    observed: &Observed,
    settings: &Settings,
    now: Timestamp,
) -> Plan<RankingModelStatus> {
    let now = serving::whole_seconds(now);
    let of = Workload::of_model(model, settings, &observed.capabilities);
    if let Some(older) = around.older {
        return status::refused(model, &of, older, now);
    }
    let target = told(model).traffic.first();
    let host = around.page.and_then(|page| Host::of(model, &of, page));
    let monolith = around.page.filter(|page| page.spec.topology == Topology::Monolith);
    match (monolith, host) {
        (Some(_), Some(host)) => colocated(model, &of, &host, observed, now),
        (Some(page), None)
            if target.is_none_or(|at| at.endpoint != of.endpoint(&at.revision)) && !has_pods(observed) =>
        {
            status::awaiting(model, &of, page, now)
        }
        (_, host) => own(model, &of, host.as_ref(), observed, now),
    }
}

/// What is run of a model in a page's pods is called.
pub(crate) fn colocated_revision(config: &RankerConfig) -> String {
    resources::digest(&[&serde_json::to_vec(config).unwrap_or_default()])
}

/// The pods of a page that run a model.
pub(super) struct Host<'a> {
    /// The page.
    pub(super) page: &'a PageLayout,
    /// What of it they run.
    pub(super) runs: &'a ColocatedModel,
    /// Where they answer gRPC.
    pub(super) endpoint: String,
}

impl<'a> Host<'a> {
    /// The pods of `page`, if they answer and run `model`.
    fn of(model: &RankingModel, of: &Workload<'_>, page: &'a PageLayout) -> Option<Self> {
        let status = page.status.as_ref().filter(|status| !status.traffic.is_empty())?;
        let runs = status.models.iter().find(|runs| Some(&runs.name) == model.metadata.name.as_ref())?;
        let name = names::page(page.metadata.name.as_deref().unwrap_or_default());
        Some(Self { page, runs, endpoint: names::endpoint(&name, &of.parent.namespace) })
    }
}

/// What the model's status says.
pub(super) fn told(model: &RankingModel) -> Told<'_> {
    model.status.as_ref().map_or_else(Told::default, |status| Told {
        conditions: &status.conditions,
        latest: status.latest_revision.as_deref(),
        traffic: &status.traffic,
        revisions: &status.revisions,
    })
}

fn has_pods(observed: &Observed) -> bool {
    !rollout::revisions(observed).is_empty()
}

/// In pods of its own. Those of a page that still run it answer until they are ready.
fn own(
    model: &RankingModel,
    of: &Workload<'_>,
    host: Option<&Host<'_>>,
    observed: &Observed,
    now: Timestamp,
) -> Plan<RankingModelStatus> {
    let before = told(model);
    let answered = serving::main_target(before.traffic).and_then(|target| {
        let elsewhere = target.endpoint != of.endpoint(&target.revision);
        let is_there = !elsewhere || host.is_some_and(|host| host.endpoint == target.endpoint);
        is_there.then(|| Before { revision: target.revision.clone(), since: target.since.0, elsewhere })
    });
    let given = Given { of, observed, before, answered, held_for: None, now };
    status::served(model, &given, serving::serve(&given))
}

/// In the pods of a page. Its own stay until they have drained.
fn colocated(
    model: &RankingModel,
    of: &Workload<'_>,
    host: &Host<'_>,
    observed: &Observed,
    now: Timestamp,
) -> Plan<RankingModelStatus> {
    let before = serving::main_target(told(model).traffic);
    let same = before.filter(|at| at.endpoint == host.endpoint && at.revision == host.runs.revision);
    let since = same.map_or(now, |at| at.since.0);
    let target = TrafficTarget {
        revision: host.runs.revision.clone(),
        weight: 100,
        endpoint: host.endpoint.clone(),
        since: Time(since),
    };
    let drained = since.checked_add(of.settings.drain).unwrap_or(Timestamp::MAX);
    let drains = has_pods(observed) && now < drained;
    let mut children: Vec<Child> = Vec::new();
    if drains {
        let standing = observed.children.iter().filter(|child| !child.deleting);
        children.extend(standing.map(|child| Child::kept(child.kind, child.name.clone())));
        children.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    }
    let wanted = pod_config::ranker_pod(model).rankers.first().map(colocated_revision).unwrap_or_default();
    let mut plan = status::colocated(
        model,
        of,
        &status::Colocated { page: host.page, target, wanted, observed, drains },
        now,
    );
    plan.children = children;
    plan.look_again =
        drains.then(|| std::time::Duration::from_secs(drained.as_second().abs_diff(now.as_second()).max(1)));
    plan
}
