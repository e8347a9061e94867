//! One process that serves a folder of manifests.

mod screen;

use std::{io::Write, sync::Arc};

use marquee_models::cpu::Level;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use self::screen::Doors;
use super::{CommandError, runtime};
use crate::{
    args::ServeArgs,
    engine::{Engine, EngineOptions},
    preview,
    service::Service,
    telemetry::Metrics,
    transport::Transport,
};

type Streams<'a> = (&'a mut dyn Write, &'a mut dyn Write);

pub(super) fn serve(args: ServeArgs, level: Level, streams: Streams<'_>) -> Result<(), CommandError> {
    let runtime = runtime(args.load.threads.map(usize::from))?;
    let result = runtime.block_on(run(args, level, streams));
    // A load that is under way must not hold up the end.
    runtime.shutdown_background();
    result
}

/// Manifests, then doors, then artifacts: a probe is answered while they load.
async fn run(args: ServeArgs, level: Level, (out, err): Streams<'_>) -> Result<(), CommandError> {
    let metrics = Metrics::new()?;
    let service = Service::with_options(Arc::new(metrics.clone()), &args.load.options());
    let options = EngineOptions {
        manifests: args.manifests.clone(),
        fetch: args.source.options(),
        scan: args.load.scan(level),
        ready_when: args.ready_when,
        poll: args.poll.0,
    };
    let mut engine = Engine::new(options, service.clone()).await.map_err(|problems| told(problems, err))?;
    let (tls, preview) = (args.transport.tls_cert.is_some(), args.transport.has_preview());
    let router = preview.then(|| preview::router(service.clone()));
    let transport = Transport::bind(args.transport, service.clone(), metrics, router).await?;
    let doors = Doors { http: transport.http_address(), grpc: transport.grpc_address(), tls, preview };
    let shutdown = end_on_signal();
    let mut server = tokio::spawn(transport.serve(shutdown.clone()));

    let loaded = tokio::select! {
        () = shutdown.cancelled() => false,
        _ = engine.load() => true,
    };
    if loaded {
        screen::write(out, engine.manifests(), (&service, &args.manifests, doors))?;
    }
    // On this thread, which answers nothing: reloads leave the threads that do alone.
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

fn told(problems: Vec<marquee_manifests::ManifestError>, err: &mut dyn Write) -> CommandError {
    for problem in &problems {
        // Nothing is left to do about an error stream that is gone.
        let _ = writeln!(err, "{problem}");
    }
    CommandError::Manifests(problems)
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
