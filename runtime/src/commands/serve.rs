//! Serves a folder of manifests, or the configuration of a pod, in one process.

mod screen;

use std::{
    io::Write,
    sync::Arc,
    time::{Duration, SystemTime},
};

use marquee_artifacts::FetchOptions;
use marquee_crds::{pod_config::PodConfig, shared::Duration as Text};
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
    telemetry::{LogFormat, Metrics},
    transport::Transport,
};

/// How long a pod waits for a store that does not respond.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long a pod keeps answering while its clients move to other pods.
const DRAIN_DELAY: Text = Text::from_millis(2000);
const NO_SOURCE: &str = "nothing to serve: set --manifests or --config";

pub(super) fn serve(
    args: ServeArgs,
    level: Level,
    log_format: Option<LogFormat>,
    streams: Streams<'_>,
) -> Result<(), CommandError> {
    let heavy_passes = args.load.options().heavy_passes;
    let answering = started(threads::answering(args.load.threads, heavy_passes))?;
    let loading = started(threads::loading())?;
    let result = loading.block_on(run(args, level, log_format, answering.handle(), streams));
    // A load or a forward pass in progress must not delay the exit.
    loading.shutdown_background();
    answering.shutdown_background();
    result
}

/// Reads the manifests, opens the listeners, and loads the artifacts last: probes are answered during the load.
async fn run(
    args: ServeArgs,
    level: Level,
    log_format: Option<LogFormat>,
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
    let max_body_field = max_body_field(config);
    if let Some(source) = PlanSource::of(config, args.traffic_plan.clone(), args.poll.0) {
        let now = || clock::rfc3339(SystemTime::now());
        let (sender, remote_rankers) = watch::channel(RemoteRankers::default());
        // The runtime that answers requests also drives the connections to rankers.
        answering.spawn(RankerDirectory::new(observer, now).run(source.follow(&Handle::current()), sender));
        engine.follow(remote_rankers);
    }
    let mut args = args;
    if in_pod {
        args.transport.max_body_setting = max_body_field;
    }
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
    if loaded && log_format != Some(LogFormat::Json) {
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
    info!("process ends");
    result.map_err(|source| CommandError::System { verb: "continue serving", source: source.into() })??;
    Ok(())
}

/// The field that sets the largest request body of a pod with this configuration: users of the kinds have no flags.
fn max_body_field(config: &PodConfig) -> &'static str {
    match config.pages.is_empty() {
        true => "spec.serving.maxBody of the RankingModel",
        false => "spec.maxBody of the PageLayout",
    }
}

/// Kubernetes restarts a pod that ends, so a pod reports a problem soon. The restarted pod keeps the bytes that have arrived.
fn impatient(options: FetchOptions) -> FetchOptions {
    FetchOptions { max_retries: 4, patience: PATIENCE, stall: PATIENCE, ..options }
}

fn written(error: StartError, err: &mut dyn Write) -> CommandError {
    if let StartError::Source(SourceError::Manifests(problems)) = &error {
        for problem in problems {
            // A closed error stream cannot report anything.
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
        stop_signal().await;
        token.cancel();
        stop_signal().await;
        error!("second signal to stop: exiting without waiting for requests in flight");
        std::process::exit(130);
    });
    shutdown
}

/// Waits for SIGTERM or Ctrl-C.
pub(super) async fn stop_signal() {
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

#[cfg(test)]
mod tests {
    use marquee_crds::{PageLayout, RankingModel, pod_config};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_names_the_field_of_the_resource_that_it_serves() {
        let model = json!({"surface": "home", "objective": "top", "artifact": {"uri": "file:///a"}});
        let model = RankingModel::new("m", serde_json::from_value(model).unwrap());
        let row = json!({"name": "top", "heading": "Top", "source": {"model": {"objective": "top"}}});
        let page = json!({"surface": "home", "catalogue": {"uri": "file:///c"}, "candidateRows": [row]});
        let page = PageLayout::new("p", serde_json::from_value(page).unwrap());
        #[rustfmt::skip]
        let cases = [
            ("a model",                         pod_config::ranker_pod(&model),             "spec.serving.maxBody of the RankingModel"),
            ("a page",                          pod_config::page_pod(&page),                "spec.maxBody of the PageLayout"),
            ("a page with models in its pods",  pod_config::monolith_pod(&page, &[model]),  "spec.maxBody of the PageLayout"),
        ];
        for (why, config, field) in cases {
            assert_eq!(max_body_field(&config), field, "{why}");
        }
    }
}
