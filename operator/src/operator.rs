//! A life of the operator: waits for its turn, follows the API server, reconciles, and ends in good order.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use futures::{StreamExt as _, stream};
use kube::Config;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    args::Args,
    capabilities, chance,
    child::ChildKind,
    client,
    context::{Context, Queues},
    controllers::{self, Workers},
    events::Events,
    http::{self, Eyes},
    leader::{Guard, Leader, Lost},
    loading,
    metrics::Metrics,
    observed::Capabilities,
    watch::{Watch, What},
    world::{Kind, World},
};

/// Lists at a time in the beginning: those of all kinds at once would be the most memory that the operator ever needs.
const LISTS: usize = 3;
/// How long reconciles that are under way may take at the end.
const LAST: Duration = Duration::from_secs(10);

/// Why the operator could not begin, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Flags that do not go together.
    #[error("{0}")]
    Args(String),
    /// Nothing listens.
    #[error("cannot listen at {address}: choose another with --http")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// No client can be made.
    #[error("cannot make a client of the API server")]
    Client(#[source] kube::Error),
    /// A defect of the metrics.
    #[error("cannot count")]
    Metrics(#[source] prometheus::Error),
    /// Another operator leads.
    #[error(transparent)]
    Lost(#[from] Lost),
}

/// Runs until `stop`.
///
/// # Errors
/// What keeps it from beginning, and the loss of the lease.
pub async fn run(args: Args, config: Config, stop: CancellationToken) -> Result<(), Failure> {
    let terms = args.terms().map_err(Failure::Args)?;
    let metrics = Arc::new(Metrics::new().map_err(Failure::Metrics)?);
    let guard = Arc::new(if args.leader_elect { Guard::closed() } else { Guard::open() });
    let client = client::client(config, guard.clone(), metrics.clone()).map_err(Failure::Client)?;
    let identity = format!("{}_{:08x}", args.identity, chance::number() >> 32);
    let address = args.http;
    let listener = TcpListener::bind(address).await.map_err(|source| Failure::Listen { address, source })?;
    let eyes = Arc::new(Eyes {
        metrics: metrics.clone(),
        context: ArcSwapOption::empty(),
        identity: identity.clone(),
        namespaces: args.namespaces.clone(),
    });
    let server = tokio::spawn(http::serve(listener, eyes.clone()));
    info!(version = env!("CARGO_PKG_VERSION"), %address, identity, "started");

    let leads = metrics.leader.with_label_values(&[&args.lease_name]);
    leads.set(0);
    let at = (args.lease_namespace.as_str(), args.lease_name.as_str());
    let mut leader = Leader::new(client.clone(), at, &identity, terms, guard);
    if args.leader_elect {
        tokio::select! {
            () = leader.acquire() => {}
            () = stop.cancelled() => {
                server.abort();
                return Ok(());
            }
        }
    }
    leads.set(1);
    let context = Arc::new(Context {
        events: Events::new(client.clone(), identity),
        client,
        world: World::default(),
        queues: Queues::default(),
        metrics,
        settings: args.settings(),
    });
    eyes.context.store(Some(context.clone()));
    let ended = tokio::select! {
        lost = leader.keep(), if args.leader_elect => Err(lost.into()),
        () = work(context, &args, stop) => Ok(()),
    };
    leads.set(0);
    if ended.is_ok() {
        leader.release().await;
    }
    server.abort();
    ended
}

/// Reconciles until `stop`, and finishes what is under way then.
async fn work(ctx: Arc<Context>, args: &Args, stop: CancellationToken) {
    let follower = Arc::new(Follower::new(ctx.clone(), args.namespaces.clone()));
    follower.begin().await;
    let discovery = tokio::spawn(follower.clone().keep_discovering(args.discovery));
    let workers = Workers { concurrency: args.concurrency, resync: args.resync };
    let mut working = tokio::spawn(controllers::run(ctx.clone(), workers));
    tokio::select! {
        () = stop.cancelled() => info!("ending: what is under way is finished"),
        () = loading::follow(&ctx) => {}
        _ = &mut working => {}
    }
    for kind in Kind::ALL {
        ctx.queues.of(kind).close();
    }
    if tokio::time::timeout(LAST, &mut working).await.is_err() {
        warn!("reconciles were cut off: who leads next finishes them");
        working.abort();
    }
    discovery.abort();
    follower.end();
}

/// By what is followed, in which namespace.
type Watches = HashMap<(What, Option<String>), Arc<Watch>>;

/// The watches that run, and what decides which.
struct Follower {
    ctx: Arc<Context>,
    namespaces: Vec<Option<String>>,
    watches: Mutex<Watches>,
}

impl Follower {
    fn new(ctx: Arc<Context>, namespaces: Vec<String>) -> Self {
        let namespaces = match namespaces.is_empty() {
            true => vec![None],
            false => namespaces.into_iter().map(Some).collect(),
        };
        Self { ctx, namespaces, watches: Mutex::default() }
    }

    /// Follows everything, and waits until it has been listed: nothing is decided on half of what there is.
    async fn begin(&self) {
        let found = capabilities::discover(&self.ctx.client, &Capabilities::default()).await;
        capabilities::log(&found);
        self.ctx.world.capabilities.store(Arc::new(found.clone()));
        // Children and pods come before the resources that they belong to, so that a resource is never reconciled without them.
        let (primaries, children): (Vec<What>, Vec<What>) =
            watched(&found).into_iter().partition(|what| matches!(what, What::Primary(_)));
        for stage in [children, primaries] {
            let lists = stage.iter().flat_map(|what| self.namespaces.iter().map(move |n| (*what, n)));
            let listed = stream::iter(lists).for_each_concurrent(LISTS, async |(what, namespace)| {
                self.follow(what, namespace).listed().await;
            });
            listed.await;
        }
    }

    fn follow(&self, what: What, namespace: &Option<String>) -> Arc<Watch> {
        let mut watches = self.watches.lock();
        let begin = || Arc::new(Watch::begin(self.ctx.clone(), what, namespace.clone()));
        watches.entry((what, namespace.clone())).or_insert_with(begin).clone()
    }

    async fn keep_discovering(self: Arc<Self>, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let before = self.ctx.world.capabilities.load_full();
            let now = capabilities::discover(&self.ctx.client, &before).await;
            if now == *before {
                continue;
            }
            capabilities::log(&now);
            let wanted = watched(&now);
            self.watches.lock().retain(|(what, _), _| wanted.contains(what));
            for (what, namespace) in
                wanted.iter().flat_map(|what| self.namespaces.iter().map(move |n| (*what, n)))
            {
                self.follow(what, namespace);
            }
            self.ctx.world.capabilities.store(Arc::new(now));
            self.ctx.enqueue_all();
        }
    }

    fn end(&self) {
        self.watches.lock().clear();
    }
}

/// What is followed with these capabilities.
fn watched(capabilities: &Capabilities) -> Vec<What> {
    let served = |kind: &ChildKind| match kind {
        ChildKind::ScaledObject => capabilities.keda,
        ChildKind::HttpRoute => capabilities.http_routes,
        ChildKind::GrpcRoute => capabilities.grpc_routes,
        _ => true,
    };
    let children = ChildKind::ALL.into_iter().filter(served).map(What::Child);
    let primaries = Kind::ALL.into_iter().map(What::Primary);
    children.chain([What::Pods]).chain(primaries).collect()
}
