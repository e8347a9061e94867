//! The life of the operator process: it waits for the lease, watches the API server, reconciles, and ends in good order.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use kube::Config;
use marquee_crds::listen_address::ListenAddress;
use marquee_operator_kit::{
    client,
    http::{self, Shown},
    jitter,
    leader::{Guard, Leader, Lost},
    watch::Watches,
    workers::{self, Workers},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    args::Args,
    context::{Context, Marquee, WatchedPods},
    controllers::{self, POD_LABELS},
    listener, loading, metrics,
};

/// How long reconciles that have begun may take at the end.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// Why the operator could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Flags contradict each other.
    #[error("{0}")]
    Args(String),
    /// The address of HTTP is not free.
    #[error("cannot listen on {address}: choose another address with --http")]
    Listen {
        /// The address.
        address: ListenAddress,
        /// Why not.
        source: std::io::Error,
    },
    /// The configuration of the client is not valid.
    #[error("cannot create a client of the API server")]
    Client(#[source] kube::Error),
    /// Two metrics have the same name: a defect.
    #[error("cannot register metrics")]
    Metrics(#[source] prometheus::Error),
    /// Another operator leads.
    #[error(transparent)]
    Lost(#[from] Lost),
}

/// Runs until `stop`.
///
/// # Errors
/// It cannot start, or the lease is lost.
pub async fn run(args: Args, config: Config, stop: CancellationToken) -> Result<(), Failure> {
    let terms = args.terms().map_err(Failure::Args)?;
    let metrics = Arc::new(metrics::metrics().map_err(Failure::Metrics)?);
    let guard = Arc::new(if args.leader_elect { Guard::closed() } else { Guard::open() });
    let client = client::client(config, guard.clone(), metrics.clone()).map_err(Failure::Client)?;
    let identity = format!("{}_{:08x}", args.identity, jitter::number() >> 32);
    let refused = |source| Failure::Listen { address: args.http.clone(), source };
    let listener = listener::listen(&args.http).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let shown = Arc::new(Shown {
        version: env!("CARGO_PKG_VERSION"),
        metrics: metrics.clone(),
        context: ArcSwapOption::empty(),
        identity: identity.clone(),
        namespaces: args.namespaces.clone(),
    });
    let server = tokio::spawn(http::serve(listener, shown.clone()));
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
    let marquee = Marquee::new(args.settings(), &POD_LABELS);
    let context = Arc::new(Context::new(client, controllers::kinds(), marquee, metrics, identity));
    shown.context.store(Some(context.clone()));
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

/// Reconciles until `stop`, and then finishes the reconciles that have begun.
async fn work(ctx: Arc<Context>, args: &Args, stop: CancellationToken) {
    let watches = Arc::new(Watches::new(ctx.clone(), args.namespaces.clone(), vec![Arc::new(WatchedPods)]));
    watches.begin().await;
    let (discovering, every) = (watches.clone(), args.discovery);
    let discovery = tokio::spawn(async move { discovering.keep_discovering(every).await });
    let workers = Workers { concurrency: args.concurrency, resync: args.resync };
    let mut working = tokio::spawn(workers::run(ctx.clone(), workers));
    tokio::select! {
        () = stop.cancelled() => info!("stopping: reconciles that have begun are finished"),
        () = loading::follow(&ctx) => {}
        _ = &mut working => {}
    }
    for listed in ctx.kinds.iter() {
        listed.queue().close();
    }
    if tokio::time::timeout(SHUTDOWN, &mut working).await.is_err() {
        warn!("reconciles were cut off: the next leader finishes them");
        working.abort();
    }
    discovery.abort();
    watches.end();
}
