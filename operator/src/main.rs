//! Marquee's control plane.

use std::process::ExitCode;

use clap::Parser as _;
use kube::Config;
use marquee_operator::{
    args::{Args, Instead},
    check, logs, operator,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::error;

/// Threads that reconcile: it waits for the API server nearly all of the time.
const THREADS: usize = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    // Both parts of the process that speak TLS use this one; that one was chosen before is no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    logs::begin(&args.log, args.log_format);
    if let Some(Instead::Check { url }) = &args.instead {
        return match check::check(url) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                error!(error = &error as &dyn std::error::Error, "the operator does not answer as it should");
                ExitCode::FAILURE
            }
        };
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(live(args)),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(error = &*error, "ended");
            ExitCode::FAILURE
        }
    }
}

async fn live(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let stop = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let (mut signal, stop) = (signal(kind)?, stop.clone());
        tokio::spawn(async move {
            signal.recv().await;
            stop.cancel();
        });
    }
    let config = Config::infer().await?;
    Ok(operator::run(args, config, stop).await?)
}
