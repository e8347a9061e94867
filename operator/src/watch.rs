//! Follows the API server: what it tells goes into the world, and whom it concerns into the queues.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use kube::{
    Api, Resource as _,
    api::ApiResource,
    core::GroupVersionKind,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, DefaultBackoff, Event},
    },
};
use marquee_crds::{PageLayout, RankingModel, labels, page_layout::Topology};
use tokio::{sync::watch, task::JoinHandle};
use tracing::{info, warn};

use crate::{
    apply,
    child::ChildKind,
    context::Context,
    world::{
        Key, Kind, children, facts,
        live::Live,
        primaries::{self, Change, Claim, Claims},
    },
};

/// Objects in one answer to a list: few, so that the list of a large cluster is never in memory at once.
const PAGE: u32 = 100;

/// What the API server answers where it has forgotten the version from which a watch asks.
const GONE: u16 = 410;
/// How long until all is listed again then.
const PAUSE: Duration = Duration::from_secs(1);

/// What is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// Resources of ours.
    Primary(Kind),
    /// What the operator made.
    Child(ChildKind),
    /// The pods of it.
    Pods,
}

impl What {
    fn resource(self) -> ApiResource {
        match self {
            Self::Primary(Kind::RankingModel) => ApiResource::erase::<RankingModel>(&()),
            Self::Primary(Kind::PageLayout) => ApiResource::erase::<PageLayout>(&()),
            Self::Child(kind) => apply::resource(kind),
            Self::Pods => ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("", "v1", "Pod"), "pods"),
        }
    }
}

/// One watch that runs, until this is dropped.
pub struct Watch {
    task: JoinHandle<()>,
    listed: watch::Receiver<bool>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watch {
    /// Follows `what` in `namespace` (all, if none).
    pub fn begin(ctx: Arc<Context>, what: What, namespace: Option<String>) -> Self {
        let (tell, listed) = watch::channel(false);
        Self { task: tokio::spawn(Box::pin(follow(ctx, what, namespace, tell))), listed }
    }

    /// Waits until all there is has been listed once.
    pub async fn listed(&self) {
        // The sender ends with the process only.
        let _ = self.listed.clone().wait_for(|listed| *listed).await;
    }
}

async fn follow(ctx: Arc<Context>, what: What, namespace: Option<String>, listed: watch::Sender<bool>) {
    let resource = what.resource();
    let api: Api<Live> = match &namespace {
        Some(namespace) => Api::namespaced_with(ctx.client.clone(), namespace, &resource),
        None => Api::all_with(ctx.client.clone(), &resource),
    };
    let mut config = watcher::Config::default().page_size(PAGE);
    if !matches!(what, What::Primary(_)) {
        config = config.labels(&format!("{}={}", labels::MANAGED_BY, labels::OPERATOR));
    }
    let begin_anew =
        || Box::pin(watcher::watcher(api.clone(), config.clone()).backoff(DefaultBackoff::default()));
    let mut events = begin_anew();
    let mut round = 0;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => round = begin(&ctx, what),
            Ok(Event::InitApply(live)) => take(&ctx, what, &live),
            Ok(Event::Apply(live)) if is_own_write(&ctx, what, &live) => {}
            Ok(Event::Apply(live)) => take(&ctx, what, &live),
            Ok(Event::Delete(live)) => drop_one(&ctx, what, &live),
            Ok(Event::InitDone) => {
                end(&ctx, what, round, namespace.as_deref());
                if !listed.send_replace(true) {
                    info!(kind = %resource.kind, namespace, "listed all there is");
                }
            }
            Err(error) => {
                tell(&resource, namespace.as_deref(), &error);
                // kube would ask from the same version for ever.
                let gone = matches!(&error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == GONE);
                if gone {
                    tokio::time::sleep(PAUSE).await;
                    events = begin_anew();
                }
            }
        }
    }
}

fn tell(resource: &ApiResource, namespace: Option<&str>, error: &watcher::Error) {
    let error = error as &dyn std::error::Error;
    warn!(kind = %resource.kind, namespace, error, "the watch was cut, and begins again");
}

/// Whether all that the watch tells was in the answer to an own write: then it need not be read again.
fn is_own_write(ctx: &Context, what: What, live: &Live) -> bool {
    let What::Child(kind) = what else { return false };
    let version = live.meta().resource_version.as_deref().and_then(|version| version.parse().ok());
    version.is_some_and(|version| ctx.world.children.lock().was_answered(kind, version))
}

fn begin(ctx: &Context, what: What) -> u32 {
    match what {
        What::Primary(Kind::RankingModel) => ctx.world.models.lock().begin(),
        What::Primary(Kind::PageLayout) => ctx.world.layouts.lock().begin(),
        What::Child(_) => ctx.world.children.lock().begin(),
        What::Pods => ctx.world.pods.lock().begin(),
    }
}

fn take(ctx: &Context, what: What, live: &Live) {
    let taken = match what {
        What::Primary(Kind::RankingModel) => live.typed().map(|model| {
            let change = ctx.world.models.lock().take(model);
            change.iter().for_each(|change| model_changed(ctx, change));
        }),
        What::Primary(Kind::PageLayout) => live.typed().map(|layout| {
            let change = ctx.world.layouts.lock().take(layout);
            change.iter().for_each(|change| layout_changed(ctx, change));
        }),
        What::Child(kind) => children::read(kind, live).map(|read| {
            let concerned = read.and_then(|read| ctx.world.children.lock().take(read));
            concerned.iter().for_each(|(kind, key)| ctx.enqueue(*kind, key));
        }),
        What::Pods => live.head().and_then(|head| {
            let facts = facts::pod(&head, live)?;
            let concerned = ctx.world.pods.lock().take(&head, facts);
            concerned.iter().for_each(|(kind, key)| ctx.enqueue(*kind, key));
            Ok(())
        }),
    };
    if let Err(error) = taken {
        let (name, error) = (live.name(), &error as &dyn std::error::Error);
        warn!(?what, name, error, "passed over an object that cannot be read");
    }
}

fn drop_one(ctx: &Context, what: What, live: &Live) {
    let Ok(head) = live.head() else { return };
    let key = Key::new(&head.namespace, &head.name);
    let concerned = match what {
        What::Primary(Kind::RankingModel) => {
            let change = ctx.world.models.lock().lose(&key);
            return change.iter().for_each(|change| model_changed(ctx, change));
        }
        What::Primary(Kind::PageLayout) => {
            let change = ctx.world.layouts.lock().lose(&key);
            return change.iter().for_each(|change| layout_changed(ctx, change));
        }
        What::Child(kind) => ctx.world.children.lock().lose(kind, &head),
        What::Pods => ctx.world.pods.lock().lose(&head),
    };
    concerned.iter().for_each(|(kind, key)| ctx.enqueue(*kind, key));
}

fn end(ctx: &Context, what: What, round: u32, namespace: Option<&str>) {
    let concerned = match what {
        What::Primary(Kind::RankingModel) => {
            let gone = ctx.world.models.lock().end(round, namespace);
            return gone.iter().for_each(|change| model_changed(ctx, change));
        }
        What::Primary(Kind::PageLayout) => {
            let gone = ctx.world.layouts.lock().end(round, namespace);
            return gone.iter().for_each(|change| layout_changed(ctx, change));
        }
        What::Child(kind) => ctx.world.children.lock().end(round, kind, namespace),
        What::Pods => ctx.world.pods.lock().end(round, namespace),
    };
    concerned.iter().for_each(|(kind, key)| ctx.enqueue(*kind, key));
}

/// Takes a model from the answer to an own write.
pub fn take_model(ctx: &Context, model: RankingModel) {
    let change = ctx.world.models.lock().take_answer(model);
    change.iter().for_each(|change| model_changed(ctx, change));
}

/// Takes a layout from the answer to an own write.
pub fn take_layout(ctx: &Context, layout: PageLayout) {
    let change = ctx.world.layouts.lock().take_answer(layout);
    change.iter().for_each(|change| layout_changed(ctx, change));
}

fn generation(meta: &kube::api::ObjectMeta) -> (Option<i64>, bool) {
    (meta.generation, meta.deletion_timestamp.is_some())
}

/// Where a model answers, and with which share.
fn answers_at(model: &RankingModel) -> Vec<(&str, i32)> {
    let traffic = model.status.iter().flat_map(|status| &status.traffic);
    traffic.map(|target| (target.endpoint.as_str(), target.weight)).collect()
}

/// A model concerns itself, the layouts of its surface, and, where its claim came or went, who else claims its objective.
fn model_changed(ctx: &Context, change: &Change<RankingModel>) {
    let Change { key, before, after } = change;
    let meant = |model: &Arc<RankingModel>| generation(&model.metadata);
    let edited = before.as_ref().map(meant) != after.as_ref().map(meant);
    if edited {
        ctx.enqueue(Kind::RankingModel, key);
        let models = ctx.world.models.lock();
        let rivals = concerned(before, after, Claim::Objective, |claim, what| {
            models.claimants(&key.namespace, claim, what)
        });
        drop(models);
        rivals.iter().for_each(|rival| ctx.enqueue(Kind::RankingModel, rival));
    }
    // A page asks of a model's status only where it answers.
    if edited || before.as_deref().map(answers_at) != after.as_deref().map(answers_at) {
        let layouts = ctx.world.layouts.lock();
        let pages = concerned(before, after, Claim::Surface, |claim, what| {
            layouts.claimants(&key.namespace, claim, what)
        });
        drop(layouts);
        pages.iter().for_each(|page| ctx.enqueue(Kind::PageLayout, page));
    }
}

/// A layout concerns itself, who else claims its surface, and the models of the surface where it runs them or did.
fn layout_changed(ctx: &Context, change: &Change<PageLayout>) {
    let Change { key, before, after } = change;
    let meant = |layout: &Arc<PageLayout>| generation(&layout.metadata);
    let edited = before.as_ref().map(meant) != after.as_ref().map(meant);
    if edited {
        ctx.enqueue(Kind::PageLayout, key);
        let layouts = ctx.world.layouts.lock();
        let rivals = concerned(before, after, Claim::Surface, |claim, what| {
            layouts.claimants(&key.namespace, claim, what)
        });
        drop(layouts);
        rivals.iter().for_each(|rival| ctx.enqueue(Kind::PageLayout, rival));
    }
    let runs_models = |layout: &Arc<PageLayout>| layout.spec.topology == Topology::Monolith;
    if before.iter().chain(after).any(runs_models) {
        let models = ctx.world.models.lock();
        let ranked = concerned(before, after, Claim::Surface, |claim, what| {
            models.claimants(&key.namespace, claim, what)
        });
        drop(models);
        ranked.iter().for_each(|model| ctx.enqueue(Kind::RankingModel, model));
    }
}

/// Who claims what the resource claimed before or claims now.
fn concerned<K: Claims, C: Claims>(
    before: &Option<Arc<K>>,
    after: &Option<Arc<K>>,
    claim: Claim,
    claimants: impl Fn(Claim, &str) -> Vec<Arc<C>>,
) -> Vec<Key> {
    let claims = before.iter().chain(after).flat_map(|object| object.claims());
    let mut claimed: Vec<&str> = claims.filter(|(of, _)| *of == claim).map(|(_, what)| what).collect();
    claimed.dedup();
    let found = claimed.iter().flat_map(|what| claimants(claim, what));
    found.map(|object| primaries::key(&*object)).collect()
}
