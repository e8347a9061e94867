//! One process that serves a folder of manifests, or what a pod is configured for.

mod screen;

use std::{
    io::Write,
    sync::Arc,
    time::{Duration, SystemTime},
};

use marquee_artifacts::FetchOptions;
use marquee_crds::shared::Duration as Text;
use marquee_models::cpu::Level;
use tokio::{
    runtime::Handle,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use self::screen::{Addresses, Served};
use super::{CommandError, Streams, started};
use crate::{
    args::ServeArgs,
    discovery::PlanSource,
    engine::{Engine, EngineOptions, SourceError, StartError, clock},
    preview,
    rankers::{RankerDirectory, RemoteRankers},
    service::{Observer, Service},
    serving::threads,
    telemetry::Metrics,
    transport::Transport,
};

/// How long a store may be silent before a pod gives up.
const PATIENCE: Duration = Duration::from_secs(4);
/// What a pod's clients need to be sent elsewhere.
const DRAIN_DELAY: Text = Text::from_millis(2000);
const NO_SOURCE: &str = "say what to serve: give --manifests or --config";

pub(super) fn serve(args: ServeArgs, level: Level, streams: Streams<'_>) -> Result<(), CommandError> {
    let heavy_passes = args.load.options().heavy_passes;
    let answering = started(threads::answering(args.load.threads, heavy_passes))?;
    let loading = started(threads::loading())?;
    let result = loading.block_on(run(args, level, answering.handle(), streams));
    // A load or a pass that is under way must not hold up the end.
    loading.shutdown_background();
    answering.shutdown_background();
    result
}

/// Manifests, then listeners, then artifacts: a probe is answered while they load.
async fn run(
    args: ServeArgs,
    level: Level,
    answering: &Handle,
    Streams { out, err }: Streams<'_>,
) -> Result<(), CommandError> {
    let metrics = Metrics::new()?;
    let service = Service::with_options(Arc::new(metrics.clone()), &args.load.options());
    let source = args.what.source().ok_or_else(|| CommandError::Usage(NO_SOURCE.to_owned()))?;
    let in_pod = args.termination_log.is_some();
    let options = EngineOptions {
        source: source.clone(),
        credentials: args.source.credentials.clone(),
        fetch: if in_pod { impatient(args.source.options()) } else { args.source.options() },
        scan: args.load.scan(level),
        ready_when: args.ready_when,
        poll: args.poll.0,
    };
    let observer: Arc<dyn Observer> = Arc::new(metrics.clone());
    let mut engine = Engine::new(options, service.clone()).await.map_err(|error| written(error, err))?;
    let config = &engine.manifests().config;
    if let Some(source) = PlanSource::of(config, args.traffic_plan.clone(), args.poll.0) {
        let now = || clock::rfc3339(SystemTime::now());
        let (sender, remote_rankers) = watch::channel(RemoteRankers::default());
        // Connections to rankers live where requests are answered.
        answering.spawn(RankerDirectory::new(observer, now).run(source.follow(&Handle::current()), sender));
        engine.follow(remote_rankers);
    }
    let mut args = args;
    if args.what.config.is_some() {
        args.transport.drain_delay.get_or_insert(DRAIN_DELAY);
    }
    let (tls, preview) = (args.transport.tls_cert.is_some(), args.transport.has_preview());
    let router = preview.then(|| preview::router(service.clone()));
    let bound = answering.spawn(Transport::bind(args.transport, service.clone(), metrics, router)).await;
    let transport =
        bound.map_err(|source| CommandError::System { verb: "open ports", source: source.into() })??;
    let addresses =
        Addresses { http: transport.http_address(), grpc: transport.grpc_address(), tls, preview };
    let shutdown = end_on_signal();
    let mut server = answering.spawn(transport.serve(shutdown.clone()));

    let loaded = tokio::select! {
        () = shutdown.cancelled() => false,
        _ = engine.load() => true,
    };
    if let (true, true, Some(failure)) = (loaded, in_pod, engine.failure()) {
        return Err(CommandError::Terminated(failure));
    }
    if loaded {
        let served = Served { service: &service, manifests: engine.manifests(), folder: source.path() };
        screen::write(out, &served, addresses)?;
    }
    let reloads = async {
        if loaded {
            engine.run(shutdown.clone()).await;
        }
        std::future::pending::<()>().await;
    };
    let result = tokio::select! {
        result = &mut server => result,
        () = reloads => return Ok(()),
    };
    info!("ended");
    result.map_err(|source| CommandError::System { verb: "go on serving", source: source.into() })??;
    Ok(())
}

/// A pod is started again when it ends, so it says soon what is wrong; what has arrived is kept for the next try.
fn impatient(options: FetchOptions) -> FetchOptions {
    FetchOptions { max_retries: 4, patience: PATIENCE, stall: PATIENCE, ..options }
}

fn written(error: StartError, err: &mut dyn Write) -> CommandError {
    if let StartError::Source(SourceError::Manifests(problems)) = &error {
        for problem in problems {
            // Nothing is left to do about an error stream that is gone.
            let _ = writeln!(err, "{problem}");
        }
    }
    error.into()
}

/// Cancelled at the first SIGTERM or Ctrl-C; a second one ends the process at once.
fn end_on_signal() -> CancellationToken {
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        asked_to_end().await;
        token.cancel();
        asked_to_end().await;
        error!("asked to end twice: ending without waiting for what is in flight");
        std::process::exit(130);
    });
    shutdown
}

/// Waits for SIGTERM or Ctrl-C.
pub(super) async fn asked_to_end() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        Ok(()) = tokio::signal::ctrl_c() => {}
    }
}
