//! Watches the API server. The objects that a watch reports go into a cache, and the resources that they concern go into their queues.

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
        ListRound, Origin, children,
        raw::{Head, RawObject},
    },
    child::ChildKind,
    context::Context,
    kinds::Watched,
    operator::Operator,
};

/// Number of concurrent lists at the start. Listing all kinds at once would need more memory than the operator needs later.
const LISTS: usize = 3;
/// Number of objects in one page of a list. It is small, so that the whole list of a large cluster is never in memory.
const PAGE: u32 = 100;

/// The status code of the API server if it no longer has the version at which a watch starts.
const GONE: u16 = 410;
/// Pause before the next list after that status code.
const PAUSE: Duration = Duration::from_secs(1);

/// The watch of one kind of child.
struct WatchedChildren(ChildKind);

impl<O: Operator> Watched<Context<O>> for WatchedChildren {
    fn resource(&self) -> ApiResource {
        self.0.resource()
    }

    fn begin_list(&self, ctx: &Context<O>) -> u32 {
        ctx.children.lock().begin_list()
    }

    fn take(&self, ctx: &Context<O>, raw: &RawObject) -> serde_json::Result<()> {
        let child = ctx.with_owners(|owners| children::read(owners, self.0, raw))?;
        let concerned = child.and_then(|child| ctx.children.lock().take(child, Origin::Watch));
        concerned.iter().for_each(|id| ctx.enqueue(id));
        Ok(())
    }

    fn is_own_write(&self, ctx: &Context<O>, raw: &RawObject) -> bool {
        raw.version().is_some_and(|version| ctx.children.lock().was_answered(self.0, version))
    }

    fn remove(&self, ctx: &Context<O>, head: &Head) {
        let concerned = ctx.children.lock().remove(self.0, head);
        concerned.iter().for_each(|id| ctx.enqueue(id));
    }

    fn end_list(&self, ctx: &Context<O>, list: ListRound<'_>) {
        let concerned = ctx.children.lock().end_list(self.0, list);
        concerned.iter().for_each(|id| ctx.enqueue(id));
    }
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
        watched: Arc<dyn Watched<Context<O>>>,
        namespace: Option<String>,
    ) -> Self {
        let (sender, listed) = watch::channel(false);
        Self { task: tokio::spawn(Box::pin(follow(ctx, watched, namespace, sender))), listed }
    }

    /// Waits until the first list is complete.
    async fn listed(&self) {
        // The sender is dropped only at the end of the process.
        let _ = self.listed.clone().wait_for(|listed| *listed).await;
    }
}

async fn follow<O: Operator>(
    ctx: Arc<Context<O>>,
    watched: Arc<dyn Watched<Context<O>>>,
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
    if watched.is_labelled() {
        config = config.labels(&O::NAMES.selector());
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
                // kube would repeat the request with the same version forever.
                let gone = matches!(&error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == GONE);
                if gone {
                    tokio::time::sleep(PAUSE).await;
                    events = begin_anew();
                }
            }
        }
    }
}

fn take<O: Operator>(ctx: &Context<O>, watched: &dyn Watched<Context<O>>, kind: &str, raw: &RawObject) {
    if let Err(error) = watched.take(ctx, raw) {
        let error = &error as &dyn std::error::Error;
        warn!(kind, name = raw.name(), error, "skipped an object that cannot be read");
    }
}

/// The key of a watch.
#[derive(PartialEq, Eq, Hash)]
struct WatchKey {
    api: String,
    namespace: Option<String>,
}

/// The running watches, and the watches that should run.
pub struct Watches<O: Operator> {
    ctx: Arc<Context<O>>,
    namespaces: Vec<Option<String>>,
    more: Vec<Arc<dyn Watched<Context<O>>>>,
    running: Mutex<HashMap<WatchKey, Arc<Watch>>>,
}

impl<O: Operator> Watches<O> {
    /// The watches of these namespaces, or of all namespaces if the list is empty: resources, children, and the other objects that the
    /// operator watches.
    pub fn new(
        ctx: Arc<Context<O>>,
        namespaces: Vec<String>,
        more: Vec<Arc<dyn Watched<Context<O>>>>,
    ) -> Self {
        let namespaces = match namespaces.is_empty() {
            true => vec![None],
            false => namespaces.into_iter().map(Some).collect(),
        };
        Self { ctx, namespaces, more, running: Mutex::default() }
    }

    /// Starts all watches, and waits until every list is complete, so that no decision uses a part of the objects.
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

    /// Repeatedly asks which APIs the cluster has. After a change it starts or ends watches and reconciles every resource.
    pub async fn keep_discovering(&self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            if !self.ctx.operator.discover(&self.ctx.client).await {
                continue;
            }
            let wanted: Vec<_> = self.of_children().into_iter().chain(self.of_resources()).collect();
            let apis: Vec<String> = wanted.iter().map(|watched| api_of(&watched.resource())).collect();
            self.running.lock().retain(|key, _| apis.contains(&key.api));
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

    fn of_children(&self) -> Vec<Arc<dyn Watched<Context<O>>>> {
        let operator = &self.ctx.operator;
        let served = ChildKind::ALL.into_iter().filter(|kind| operator.is_served(*kind));
        let children = served.map(|kind| Arc::new(WatchedChildren(kind)) as Arc<dyn Watched<Context<O>>>);
        children.chain(self.more.iter().cloned()).collect()
    }

    fn of_resources(&self) -> Vec<Arc<dyn Watched<Context<O>>>> {
        self.ctx.kinds.iter().map(|listed| listed.clone() as Arc<dyn Watched<Context<O>>>).collect()
    }

    fn watch(&self, watched: &Arc<dyn Watched<Context<O>>>, namespace: &Option<String>) -> Arc<Watch> {
        let key = WatchKey { api: api_of(&watched.resource()), namespace: namespace.clone() };
        let begin = || Arc::new(Watch::begin(self.ctx.clone(), watched.clone(), namespace.clone()));
        self.running.lock().entry(key).or_insert_with(begin).clone()
    }
}

fn api_of(resource: &ApiResource) -> String {
    format!("{}/{}", resource.api_version, resource.plural)
}
