//! Follows the API server: what a watch reports goes into a cache, and the resources that it concerns into their queues.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use kube::{
    Api,
    api::ApiResource,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, DefaultBackoff, Event},
    },
};
use parking_lot::Mutex;
use tokio::{sync::watch, task::JoinHandle};
use tracing::{info, warn};

use crate::{
    cache::{
        children::WatchedChildren,
        raw::{Head, RawObject},
    },
    child::ChildKind,
    context::Context,
    operator::Operator,
};

/// Lists at a time in the beginning: those of all kinds at once would be the most memory that the operator ever needs.
const LISTS: usize = 3;
/// Objects in one page of a list: few, so that the list of a large cluster is never in memory at once.
const PAGE: u32 = 100;

/// The API server's answer once it has forgotten the version from which a watch asks.
const GONE: u16 = 410;
/// Pause before everything is listed again after that.
const PAUSE: Duration = Duration::from_secs(1);

/// A list that has ended: what it did not name is gone.
#[derive(Clone, Copy, Debug)]
pub struct ListRound<'a> {
    /// The number that its beginning returned.
    pub round: u32,
    /// The namespace that was listed; all of them, if none.
    pub namespace: Option<&'a str>,
}

impl ListRound<'_> {
    /// Whether the list names the objects of this namespace.
    pub fn covers(&self, namespace: &str) -> bool {
        self.namespace.is_none_or(|listed| listed == namespace)
    }
}

/// What a watch fills: a cache of one kind of object.
pub trait Watched<O: Operator>: Send + Sync {
    /// The API that is watched.
    fn resource(&self) -> ApiResource;

    /// The label selector; without one all objects are watched.
    fn selector(&self) -> Option<String> {
        Some(O::NAMES.selector())
    }

    /// A list begins; returns its number.
    fn begin_list(&self, ctx: &Context<O>) -> u32;

    /// Takes an object that exists.
    ///
    /// # Errors
    /// The object does not have the form of its kind.
    fn take(&self, ctx: &Context<O>, raw: &RawObject) -> serde_json::Result<()>;

    /// Whether the answer to an own write said all of this already, so that it need not be read again.
    fn is_own_write(&self, _ctx: &Context<O>, _raw: &RawObject) -> bool {
        false
    }

    /// The object is gone.
    fn remove(&self, ctx: &Context<O>, head: &Head);

    /// A list has ended: removes what it did not name.
    fn end_list(&self, ctx: &Context<O>, list: ListRound<'_>);
}

/// One watch that runs until it is dropped.
struct Watch {
    task: JoinHandle<()>,
    listed: watch::Receiver<bool>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watch {
    fn begin<O: Operator>(
        ctx: Arc<Context<O>>,
        watched: Arc<dyn Watched<O>>,
        namespace: Option<String>,
    ) -> Self {
        let (sender, listed) = watch::channel(false);
        Self { task: tokio::spawn(Box::pin(follow(ctx, watched, namespace, sender))), listed }
    }

    /// Waits until all that exists has been listed once.
    async fn listed(&self) {
        // The sender ends with the process only.
        let _ = self.listed.clone().wait_for(|listed| *listed).await;
    }
}

async fn follow<O: Operator>(
    ctx: Arc<Context<O>>,
    watched: Arc<dyn Watched<O>>,
    namespace: Option<String>,
    listed: watch::Sender<bool>,
) {
    let resource = watched.resource();
    let kind = resource.kind.as_str();
    let api: Api<RawObject> = match &namespace {
        Some(namespace) => Api::namespaced_with(ctx.client.clone(), namespace, &resource),
        None => Api::all_with(ctx.client.clone(), &resource),
    };
    let mut config = watcher::Config::default().page_size(PAGE);
    if let Some(selector) = watched.selector() {
        config = config.labels(&selector);
    }
    let begin_anew =
        || Box::pin(watcher::watcher(api.clone(), config.clone()).backoff(DefaultBackoff::default()));
    let mut events = begin_anew();
    let mut round = 0;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => round = watched.begin_list(&ctx),
            Ok(Event::InitApply(raw)) => take(&ctx, &*watched, kind, &raw),
            Ok(Event::Apply(raw)) if watched.is_own_write(&ctx, &raw) => {}
            Ok(Event::Apply(raw)) => take(&ctx, &*watched, kind, &raw),
            Ok(Event::Delete(raw)) => {
                if let Ok(head) = raw.head() {
                    watched.remove(&ctx, &head);
                }
            }
            Ok(Event::InitDone) => {
                watched.end_list(&ctx, ListRound { round, namespace: namespace.as_deref() });
                if !listed.send_replace(true) {
                    info!(kind, namespace, "listed all objects");
                }
            }
            Err(error) => {
                warn!(
                    kind,
                    namespace,
                    error = &error as &dyn std::error::Error,
                    "restarting a watch that ended"
                );
                // kube would ask from the same version forever.
                let gone = matches!(&error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == GONE);
                if gone {
                    tokio::time::sleep(PAUSE).await;
                    events = begin_anew();
                }
            }
        }
    }
}

fn take<O: Operator>(ctx: &Context<O>, watched: &dyn Watched<O>, kind: &str, raw: &RawObject) {
    if let Err(error) = watched.take(ctx, raw) {
        let error = &error as &dyn std::error::Error;
        warn!(kind, name = raw.name(), error, "skipped an object that cannot be read");
    }
}

/// The watches that run, and which should.
pub struct Watches<O: Operator> {
    ctx: Arc<Context<O>>,
    namespaces: Vec<Option<String>>,
    running: Mutex<HashMap<(String, Option<String>), Arc<Watch>>>,
}

impl<O: Operator> Watches<O> {
    /// The watches of these namespaces; of all of them, if none is given.
    pub fn new(ctx: Arc<Context<O>>, namespaces: Vec<String>) -> Self {
        let namespaces = match namespaces.is_empty() {
            true => vec![None],
            false => namespaces.into_iter().map(Some).collect(),
        };
        Self { ctx, namespaces, running: Mutex::default() }
    }

    /// Watches everything, and waits until all of it has been listed: nothing is decided on half of what exists.
    pub async fn begin(&self) {
        self.ctx.operator.discover(&self.ctx.client).await;
        // Children come before the resources that they belong to, so that a resource is never reconciled without them.
        for stage in [self.of_children(), self.of_resources()] {
            let lists = stage.iter().flat_map(|watched| self.namespaces.iter().map(move |n| (watched, n)));
            let listed = stream::iter(lists).for_each_concurrent(LISTS, async |(watched, namespace)| {
                self.watch(watched, namespace).listed().await;
            });
            listed.await;
        }
    }

    /// Asks forever which APIs the cluster has. Where that changes, watches begin or end, and every resource is reconciled.
    pub async fn keep_discovering(&self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            if !self.ctx.operator.discover(&self.ctx.client).await {
                continue;
            }
            let wanted: Vec<_> = self.of_children().into_iter().chain(self.of_resources()).collect();
            let apis: Vec<String> = wanted.iter().map(|watched| api_of(&watched.resource())).collect();
            self.running.lock().retain(|(api, _), _| apis.contains(api));
            for watched in &wanted {
                for namespace in &self.namespaces {
                    self.watch(watched, namespace);
                }
            }
            self.ctx.enqueue_all();
        }
    }

    /// Ends all of them.
    pub fn end(&self) {
        self.running.lock().clear();
    }

    fn of_children(&self) -> Vec<Arc<dyn Watched<O>>> {
        let operator = &self.ctx.operator;
        let served = ChildKind::ALL.into_iter().filter(|kind| operator.is_served(*kind));
        let children = served.map(|kind| Arc::new(WatchedChildren(kind)) as Arc<dyn Watched<O>>);
        children.chain(operator.more_watches()).collect()
    }

    fn of_resources(&self) -> Vec<Arc<dyn Watched<O>>> {
        self.ctx.kinds.iter().map(|listed| listed.clone() as Arc<dyn Watched<O>>).collect()
    }

    fn watch(&self, watched: &Arc<dyn Watched<O>>, namespace: &Option<String>) -> Arc<Watch> {
        let key = (api_of(&watched.resource()), namespace.clone());
        let begin = || Arc::new(Watch::begin(self.ctx.clone(), watched.clone(), namespace.clone()));
        self.running.lock().entry(key).or_insert_with(begin).clone()
    }
}

fn api_of(resource: &ApiResource) -> String {
    format!("{}/{}", resource.api_version, resource.plural)
}
