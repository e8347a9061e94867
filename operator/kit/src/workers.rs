//! Workers take resources from the queues, reconcile them, and schedule the next reconcile of each.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::task::JoinSet;
use tracing::{debug, warn};

use crate::{
    backoff::Backoff,
    context::Context,
    error::Stopped,
    jitter,
    kinds::{ListedKind, Reconciled},
    names::Key,
    operator::Operator,
};

/// The number of workers, and the time between reconciles of an unchanged resource.
#[derive(Clone, Copy, Debug)]
pub struct Workers {
    /// Reconciles at a time, of each kind.
    pub concurrency: u16,
    /// How often each resource is reconciled although nothing changed.
    pub resync: Duration,
}

/// Reconciles until the queues are closed. Running reconciles are finished.
pub async fn run<O: Operator>(ctx: Arc<Context<O>>, workers: Workers) {
    let mut tasks = JoinSet::new();
    for listed in ctx.kinds.iter() {
        let limit = ctx.metrics.max_concurrent.with_label_values(&[listed.controller()]);
        limit.set(workers.concurrency.into());
        let backoff = Arc::new(Mutex::new(Backoff::default()));
        for _ in 0..workers.concurrency {
            let worker = Worker { ctx: ctx.clone(), listed: listed.clone(), backoff: backoff.clone() };
            tasks.spawn(worker.work(workers.resync));
        }
    }
    while tasks.join_next().await.is_some() {}
}

struct Worker<O: Operator> {
    ctx: Arc<Context<O>>,
    listed: Arc<dyn ListedKind<Context<O>>>,
    backoff: Arc<Mutex<Backoff>>,
}

impl<O: Operator> Worker<O> {
    async fn work(self, resync: Duration) {
        let controller = [self.listed.controller()];
        let (queue, metrics) = (self.listed.queue(), &self.ctx.metrics);
        while let Some((key, waited)) = queue.take().await {
            metrics.queue_seconds.with_label_values(&controller).observe(waited.as_secs_f64());
            metrics.active.with_label_values(&controller).inc();
            let began = Instant::now();
            let done = self.listed.reconcile(&self.ctx, &key).await;
            metrics.active.with_label_values(&controller).dec();
            metrics.seconds.with_label_values(&controller).observe(began.elapsed().as_secs_f64());
            let worked = queue.done(&key);
            metrics.work_seconds.with_label_values(&controller).observe(worked.as_secs_f64());
            let (result, again) = self.settle(&key, done);
            metrics.reconciles.with_label_values(&[self.listed.controller(), result]).inc();
            let resync = jitter::spread(resync, jitter::share());
            if let Some(again) = again {
                queue.add_after(&key, again.unwrap_or(resync).min(resync));
            }
        }
    }

    /// The name of the result in metrics, and the next reconcile: after a time, at the next resync, or never if the resource is gone.
    fn settle(&self, key: &Key, done: Reconciled) -> (&'static str, Option<Option<Duration>>) {
        match done {
            None => {
                self.backoff.lock().reset(key);
                ("success", None)
            }
            Some(Ok(again)) => {
                self.backoff.lock().reset(key);
                debug!(kind = %self.listed.kind(), %key, ?again, "reconciled");
                (if again.is_some() { "requeue_after" } else { "success" }, Some(again))
            }
            // The resource goes as well, and its children with it.
            Some(Err(stopped)) if stopped.error.is_namespace_terminating() => {
                self.backoff.lock().reset(key);
                debug!(kind = %self.listed.kind(), %key, "left as it is: its namespace is being deleted");
                ("success", Some(None))
            }
            Some(Err(stopped)) => ("error", Some(self.failed(key, &stopped))),
        }
    }

    /// An error that only an edit can resolve waits for the edit; every other one is tried again, later each time.
    fn failed(&self, key: &Key, stopped: &Stopped) -> Option<Duration> {
        let Stopped { error, made_progress } = stopped;
        let pause = self.backoff.lock().next(key, *made_progress, jitter::share());
        let again = error.retry_after().map(|least| least.max(pause));
        let (reason, cause) = (error.class(), error.with_causes());
        warn!(kind = %self.listed.kind(), %key, %reason, error = cause, ?again, "reconcile failed");
        let (controller, metrics) = ([self.listed.controller()], &self.ctx.metrics);
        metrics.errors.with_label_values(&controller).inc();
        match again {
            Some(_) => metrics.retries.with_label_values(&controller).inc(),
            None => metrics.terminal_errors.with_label_values(&controller).inc(),
        }
        again
    }
}
