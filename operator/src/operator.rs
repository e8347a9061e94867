//! Marquee's operator: its kinds, watches, metrics and settings, run by the kit.

use std::sync::Arc;

use kube::Config;
use marquee_crds::listen_address::ListenAddress;
use marquee_operator_kit::{
    leader::LeaseName,
    process::{self, LeaseTerms, Process},
    workers::Workers,
};
use tokio_util::sync::CancellationToken;

use crate::{
    args::Args,
    context::{Marquee, WatchedPods},
    controllers::{self, POD_LABELS},
    listener, metrics, pod_status,
};

/// Why the operator could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Flags contradict each other.
    #[error("{0}")]
    Args(String),
    /// The operator cannot listen at the address of HTTP.
    #[error("cannot listen on {address}: choose another address with --http")]
    Listen {
        /// The address.
        address: ListenAddress,
        /// Why not.
        source: std::io::Error,
    },
    /// Two metrics have the same name: a defect.
    #[error("cannot register metrics")]
    Metrics(#[source] prometheus::Error),
    /// The process could not start, or lost the lease.
    #[error(transparent)]
    Process(#[from] process::Failure),
}

/// Runs until `stop`.
///
/// # Errors
/// It cannot start, or the lease is lost.
pub async fn run(args: Args, config: Config, stop: CancellationToken) -> Result<(), Failure> {
    let terms = args.terms().map_err(Failure::Args)?;
    let refused = |source| Failure::Listen { address: args.http.clone(), source };
    let listener = listener::listen(&args.http).await.map_err(refused)?;
    let process = Process {
        operator: Marquee::new(args.settings(), &POD_LABELS),
        kinds: controllers::kinds(),
        watched: vec![Arc::new(WatchedPods)],
        metrics: Arc::new(metrics::metrics().map_err(Failure::Metrics)?),
        version: env!("CARGO_PKG_VERSION"),
        name: args.identity,
        pod: args.pod,
        namespaces: args.namespaces,
        lease: LeaseTerms {
            lease: LeaseName { namespace: args.lease_namespace, name: args.lease_name },
            terms: args.leader_elect.then_some(terms),
        },
        discovery: args.discovery,
        workers: Workers { concurrency: args.concurrency, resync: args.resync },
    };
    let follow_pods = |ctx: Arc<crate::context::Context>| async move { pod_status::follow(&ctx).await };
    Ok(process.run(config, listener, follow_pods, stop).await?)
}
