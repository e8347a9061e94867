//! Keeps the service in line with the manifests: reads them, loads their artifacts while the old plan serves, swaps the plan,
//! and watches for the next change.
//!
//! Reading order: this file has one reload from top to bottom; `source` reads the configuration; `build` decides what is kept
//! and what is replaced; `load` loads one artifact (`credentials` for its store, `warm_up` for its first run, `reason` for a
//! failure); `states` holds the state of each resource; `watch` waits for changes.

pub mod build;
pub mod clock;
pub mod credentials;
pub mod load;
mod reason;
pub mod source;
pub mod states;
pub mod warm_up;
pub mod watch;

use std::{
    collections::BTreeSet,
    io,
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use marquee_artifacts::{Backoff, FetchOptions, Fetcher, jitter};
use marquee_crds::termination::Termination;
use marquee_manifests::Loaded as Manifests;
use marquee_models::ScanOptions;
use tokio::sync::watch as watch_channel;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    rankers::RemoteRankers,
    service::{Service, Status},
};
use build::{BuildInputs, Serving};
use load::Loader;
pub use source::{ConfigError, ConfigSource, SourceError};
pub use states::ReadyWhen;
use states::States;
use warm_up::WarmUpThread;
use watch::ChangeWatcher;

/// Options of the engine.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The source of the configuration.
    pub source: ConfigSource,
    /// Folder of Secrets, with one folder for each Secret. `None` if no artifact needs credentials.
    pub credentials: Option<PathBuf>,
    /// Options of fetching and caching artifacts.
    pub fetch: FetchOptions,
    /// How models scan their titles.
    pub scan: ScanOptions,
    /// When the process becomes ready.
    pub ready_when: ReadyWhen,
    /// Interval at which folders are polled for changes that the system does not report.
    pub poll: Duration,
}

/// Result of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// The plan changed.
    Changed,
    /// The plan did not change.
    Unchanged,
    /// Manifests or artifacts failed. What they should replace continues to serve; everything else changed.
    Failed,
}

impl Reload {
    /// Outcome as a metric label.
    pub fn outcome(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
        }
    }
}

/// Why the engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The system cannot start a thread.
    #[error("cannot start threads")]
    Threads(#[source] io::Error),
}

/// The engine of one process.
pub struct Engine {
    options: EngineOptions,
    service: Service,
    watch: ChangeWatcher,
    loader: Loader,
    remote_rankers: watch_channel::Receiver<RemoteRankers>,
    manifests: Manifests,
    serving: Serving,
    states: States,
    manifest_problems: Vec<String>,
    /// Resources and their warnings that the log has already.
    warned: BTreeSet<(String, String)>,
    generation: u64,
    since: String,
}

impl Engine {
    /// Reads the manifests but loads no artifact yet; `/status` lists the resources as loading.
    ///
    /// # Errors
    /// Fails with all problems of the manifests, or if the system cannot start a thread. The process must not start then.
    pub async fn new(options: EngineOptions, service: Service) -> Result<Self, StartError> {
        let warm_up = WarmUpThread::new().map_err(StartError::Threads)?;
        let loader = Loader {
            fetcher: Fetcher::new(options.fetch.clone()),
            scan: options.scan,
            warm_up,
            credentials: options.credentials.clone(),
            loads: service.loads().clone(),
        };
        // Created before anything is read, so that no change is missed.
        let watch = ChangeWatcher::new(options.source.path(), options.poll);
        let manifests = read(options.source.clone(), None).await?;
        let states = States::loading(&manifests.config, SystemTime::now());
        let mut engine = Self {
            options,
            service,
            watch,
            loader,
            remote_rankers: watch_channel::channel(RemoteRankers::none()).1,
            manifests,
            serving: Serving::default(),
            states,
            manifest_problems: Vec::new(),
            warned: BTreeSet::new(),
            generation: 0,
            since: String::new(),
        };
        engine.report();
        Ok(engine)
    }

    /// The first failure, as a reason and a message, if it keeps the process from becoming ready.
    pub fn failure(&self) -> Option<Termination> {
        if self.states.status(self.options.ready_when, false).ready {
            return None;
        }
        self.states.first_failure()
    }

    /// The configuration that was read last.
    pub fn manifests(&self) -> &Manifests {
        &self.manifests
    }

    /// Lets pages use these models in other processes for objectives that no model in this process answers.
    pub fn follow(&mut self, remote_rankers: watch_channel::Receiver<RemoteRankers>) {
        self.remote_rankers = remote_rankers;
    }

    /// Loads and serves the configuration that was read last.
    pub async fn load(&mut self) -> Reload {
        self.watch.also(self.local_artifacts());
        let config = &self.manifests.config;
        let remote_rankers = self.remote_rankers.borrow_and_update().clone();
        let inputs = BuildInputs {
            config,
            loader: &self.loader,
            pool: self.service.pass_pool(),
            remote_rankers: &remote_rankers,
        };
        let next = self.serving.next(&inputs, &mut self.states).await;
        let changed = !next.is_same_as(&self.serving) || self.generation == 0;
        if changed {
            self.service.serve(next.plan(config));
            self.generation += 1;
            self.since = clock::rfc3339(SystemTime::now());
            info!(
                generation = self.generation,
                models = next.models.len(),
                pages = next.pages.len(),
                "plan served"
            );
        }
        self.serving = next;
        self.report();
        match (self.states.any_failed(), changed) {
            (true, _) => Reload::Failed,
            (false, true) => Reload::Changed,
            (false, false) => Reload::Unchanged,
        }
    }

    /// Reads the manifests again and serves them. What fails leaves its previous version serving.
    pub async fn reload(&mut self) -> Reload {
        let outcome = match read(self.options.source.clone(), Some(self.manifests.clone())).await {
            Ok(manifests) => {
                self.manifests = manifests;
                self.manifest_problems.clear();
                self.load().await
            }
            Err(refused) => {
                self.manifest_problems = refused.problems();
                for problem in &self.manifest_problems {
                    error!(problem, "invalid manifests: the previous plan stays in use");
                }
                self.report();
                Reload::Failed
            }
        };
        self.service.pass_pool().observer.reload(outcome.outcome());
        outcome
    }

    /// Runs until `shutdown`: reloads at each change and at SIGHUP, and retries failed loads.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut retry = Retry::default();
        loop {
            let failed = self.states.any_failed() || !self.manifest_problems.is_empty();
            let again = retry.after(failed, Instant::now(), jitter());
            let cause = tokio::select! {
                () = shutdown.cancelled() => return,
                () = changed(&mut self.remote_rankers) => None,
                cause = self.watch.changed(again) => Some(cause),
            };
            let Some(cause) = cause else {
                self.load().await;
                continue;
            };
            let outcome = tokio::select! {
                () = shutdown.cancelled() => return,
                outcome = self.reload() => outcome,
            };
            info!(cause = cause.name(), outcome = outcome.outcome(), "manifests reloaded");
        }
    }

    /// Folders of local artifacts, which may change while their uri stays the same.
    fn local_artifacts(&self) -> Vec<PathBuf> {
        let config = &self.manifests.config;
        let models = config.rankers.iter().map(|ranker| &ranker.artifact);
        let all = models.chain(config.pages.iter().map(|page| &page.catalogue));
        all.filter_map(|artifact| watch::local_folder(&artifact.uri, &self.options.fetch.volumes)).collect()
    }

    /// Logs each warning of a resource once.
    fn warn(&mut self, status: &Status) {
        let warnings = status.models.iter().chain(&status.pages).flat_map(|resource| {
            resource.warnings.iter().map(|warning| (resource.resource.clone(), warning.clone()))
        });
        let now: BTreeSet<(String, String)> = warnings.collect();
        for (resource, warning) in now.difference(&self.warned) {
            warn!(resource, warning, "part of a resource can never be shown");
        }
        self.warned = now;
    }

    fn report(&mut self) {
        let was_ready = self.service.is_ready();
        let mut status = self.states.status(self.options.ready_when, was_ready);
        let remote_rankers = self.remote_rankers.borrow();
        if !remote_rankers.settled && !was_ready {
            status.ready = false;
            status.reasons.push("some models of the pages were not queried yet".to_owned());
        }
        status.traffic.clone_from(&remote_rankers.traffic);
        drop(remote_rankers);
        status.since.clone_from(&self.since);
        status.generation = self.generation;
        status.manifest_problems.clone_from(&self.manifest_problems);
        if !status.ready && self.generation > 0 {
            let reasons = status.reasons.join("; ");
            warn!(reasons, "not ready");
        }
        self.warn(&status);
        self.service.report(status);
    }
}

/// Waits until the models in other processes change. Waits for ever if no traffic plan is followed.
async fn changed(remote_rankers: &mut watch_channel::Receiver<RemoteRankers>) {
    if remote_rankers.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn read(source: ConfigSource, before: Option<Manifests>) -> Result<Manifests, SourceError> {
    let again = source.clone();
    let read = tokio::task::spawn_blocking(move || source.read(before.as_ref()));
    // This task is cancelled only when the process ends.
    read.await.unwrap_or_else(|_| again.read(None))
}

/// When to retry failed loads: soon at first, then after longer waits.
#[derive(Default)]
struct Retry {
    failures: u32,
}

impl Retry {
    const BACKOFF: Backoff = Backoff { first: Duration::from_secs(5), longest: Duration::from_secs(300) };

    fn after(&mut self, failed: bool, now: Instant, jitter: f64) -> Option<Instant> {
        self.failures = if failed { self.failures.saturating_add(1) } else { 0 };
        failed.then(|| now + Self::BACKOFF.wait(self.failures, jitter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_before_another_try_doubles_up_to_a_bound() {
        let (mut retry, now) = (Retry::default(), Instant::now());
        let pauses: Vec<u64> =
            (0..9).filter_map(|_| retry.after(true, now, 1.0)).map(|at| (at - now).as_secs()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        assert_eq!(retry.after(false, now, 1.0), None, "nothing fails any more");
        assert_eq!(
            retry.after(true, now, 1.0),
            Some(now + Retry::BACKOFF.first),
            "the first wait is short again"
        );
    }
}
