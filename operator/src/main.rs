//! Marquee's control plane.

use std::process::ExitCode;

use clap::Parser as _;
use kube::Config;
use marquee_operator::{
    args::{Args, Instead},
    check, logs, operator,
};
use marquee_operator_kit::process;
use tracing::error;

/// Number of threads that reconcile. The operator waits for the API server nearly all the time.
const THREADS: usize = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    // It is not an error if a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    logs::begin(&args.log, args.log_format);
    if let Some(Instead::Check { url }) = &args.instead {
        return match check::check(url) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                error!(error = &error as &dyn std::error::Error, "the check failed");
                ExitCode::FAILURE
            }
        };
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run(args)),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(error = &*error, "the operator stopped");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let stop = process::stop_on_signals()?;
    let config = Config::infer().await?;
    Ok(operator::run(args, config, stop).await?)
}
