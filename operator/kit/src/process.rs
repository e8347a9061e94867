//! The process of an operator: it waits for the lease, watches the API server, reconciles, and at the end finishes the running reconciles.

use std::{future::Future, io, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use kube::Config;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    client,
    context::Context,
    http::{self, Shown},
    jitter,
    kinds::{Kinds, Watched},
    leader::{Guard, HolderPod, Leader, LeaseName, Lost, election::Terms, holder},
    metrics::Metrics,
    operator::Operator,
    watch::Watches,
    workers::{self, Workers},
};

/// Time limit for running reconciles at the end of the process.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// Why the process could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration of the client is not valid.
    #[error("cannot create a client of the API server")]
    Client(#[source] kube::Error),
    /// Another operator leads.
    #[error(transparent)]
    Lost(#[from] Lost),
}

/// The Lease that decides which of several operators writes.
#[derive(Clone, Debug)]
pub struct LeaseTerms {
    /// Which Lease it is.
    pub lease: LeaseName,
    /// Its durations. With `None` the operator does not take the Lease, and must be the only one.
    pub terms: Option<Terms>,
}

/// An operator that is ready to run.
pub struct Process<O: Operator> {
    /// Its own part of every reconcile's context.
    pub operator: O,
    /// The kinds that it reconciles.
    pub kinds: Kinds<Context<O>>,
    /// What it watches besides its kinds and their children.
    pub watched: Vec<Arc<dyn Watched<Context<O>>>>,
    /// Its metrics.
    pub metrics: Arc<Metrics>,
    /// Its version.
    pub version: &'static str,
    /// Its name in the Lease; a random part is added.
    pub name: String,
    /// Its pod, if it runs in one: once the pod is gone, other operators need not wait until the Lease expires.
    pub pod: Option<HolderPod>,
    /// The namespaces that it watches; all, if none.
    pub namespaces: Vec<String>,
    /// The Lease.
    pub lease: LeaseTerms,
    /// How often it asks which APIs the cluster has.
    pub discovery: Duration,
    /// How it reconciles.
    pub workers: Workers,
}

impl<O: Operator> Process<O> {
    /// Runs until `stop`, with HTTP at `listener`. While this process leads, it also runs `task`, and ends when `task` ends.
    ///
    /// # Errors
    /// It cannot start, or the lease is lost.
    pub async fn run<F: Future<Output = ()>>(
        self,
        config: Config,
        listener: TcpListener,
        task: impl FnOnce(Arc<Context<O>>) -> F,
        stop: CancellationToken,
    ) -> Result<(), Failure> {
        let Self { operator, kinds, watched, metrics, version, name, namespaces, .. } = self;
        let Self { pod, lease, discovery, workers, .. } = self;
        let elects = lease.terms.is_some();
        let guard = Arc::new(if elects { Guard::closed() } else { Guard::open() });
        let client = client::client(config, guard.clone(), metrics.clone()).map_err(Failure::Client)?;
        let identity = format!("{name}_{:08x}", jitter::number() >> 32);
        let address = listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
        let shown = Arc::new(Shown {
            version,
            metrics: metrics.clone(),
            context: ArcSwapOption::empty(),
            identity: identity.clone(),
            namespaces: namespaces.clone(),
        });
        let server = tokio::spawn(http::serve(listener, shown.clone()));
        info!(version, address, identity, "started");

        let leads = metrics.leader.with_label_values(&[&lease.lease.name]);
        leads.set(0);
        let holder = holder::holder(&identity, pod.as_ref());
        let mut leader =
            lease.terms.map(|terms| Leader::new(client.clone(), &lease.lease, &holder, terms, guard));
        if let Some(leader) = &mut leader {
            tokio::select! {
                () = leader.acquire() => {}
                () = stop.cancelled() => {
                    server.abort();
                    return Ok(());
                }
            }
        }
        leads.set(1);
        let ctx = Arc::new(Context::new(client, kinds, operator, metrics, identity));
        shown.context.store(Some(ctx.clone()));
        let watches = Arc::new(Watches::new(ctx.clone(), namespaces, watched));
        let task = task(ctx.clone());
        let stopped = async {
            tokio::select! {
                () = stop.cancelled() => info!("stopping: reconciles that have begun are finished"),
                () = task => {}
            }
        };
        let ended = tokio::select! {
            lost = keep(leader.as_mut()) => Err(lost.into()),
            () = work(ctx, watches, discovery, workers, stopped) => Ok(()),
        };
        leads.set(0);
        if let (Ok(()), Some(leader)) = (&ended, &mut leader) {
            leader.release().await;
        }
        server.abort();
        ended
    }
}

/// Renews the lease until it is lost; without election, never ends.
async fn keep(leader: Option<&mut Leader>) -> Lost {
    match leader {
        Some(leader) => leader.keep().await,
        None => std::future::pending().await,
    }
}

/// Reconciles until `stopped`, and then finishes the running reconciles.
async fn work<O: Operator>(
    ctx: Arc<Context<O>>,
    watches: Arc<Watches<O>>,
    discovery: Duration,
    workers: Workers,
    stopped: impl Future<Output = ()>,
) {
    watches.begin().await;
    let discovering = watches.clone();
    let discovering = tokio::spawn(async move { discovering.keep_discovering(discovery).await });
    let mut working = tokio::spawn(workers::run(ctx.clone(), workers));
    tokio::select! {
        () = stopped => {}
        _ = &mut working => {}
    }
    for listed in ctx.kinds.iter() {
        listed.queue().close();
    }
    if tokio::time::timeout(SHUTDOWN, &mut working).await.is_err() {
        warn!("reconciles were cut off: the next leader finishes them");
        working.abort();
    }
    discovering.abort();
    watches.end();
}

/// A token that is cancelled once the process gets SIGTERM or SIGINT.
///
/// # Errors
/// The system refuses to deliver signals.
pub fn stop_on_signals() -> io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let (mut signal, stop) = (signal(kind)?, stop.clone());
        tokio::spawn(async move {
            signal.recv().await;
            stop.cancel();
        });
    }
    Ok(stop)
}
