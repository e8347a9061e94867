//! Takes resources from the queues, reconciles them, and decides when each is looked at again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kube::Resource;
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tracing::{debug, warn};

use crate::{
    backoff::Backoff,
    chance,
    context::Context,
    error::Stopped,
    world::{Key, Kind},
};

use super::{page_layout, ranking_model};

/// How work is done.
#[derive(Clone, Copy, Debug)]
pub struct Workers {
    /// Reconciles at a time, of each kind.
    pub concurrency: u16,
    /// How often each resource is looked at although nothing changed.
    pub resync: Duration,
}

/// Reconciles until the queues are closed; what is under way then is finished.
pub async fn run(ctx: Arc<Context>, workers: Workers) {
    let mut tasks = JoinSet::new();
    for kind in Kind::ALL {
        let limit = ctx.metrics.max_concurrent.with_label_values(&[kind.controller()]);
        limit.set(workers.concurrency.into());
        let backoff = Arc::new(Mutex::new(Backoff::default()));
        for _ in 0..workers.concurrency {
            tasks.spawn(work(ctx.clone(), kind, workers.resync, backoff.clone()));
        }
    }
    while tasks.join_next().await.is_some() {}
}

async fn work(ctx: Arc<Context>, kind: Kind, resync: Duration, backoff: Arc<Mutex<Backoff>>) {
    let controller = [kind.controller()];
    let queue = ctx.queues.of(kind);
    while let Some((key, waited)) = queue.take().await {
        ctx.metrics.queue_seconds.with_label_values(&controller).observe(waited.as_secs_f64());
        ctx.metrics.active.with_label_values(&controller).inc();
        let began = Instant::now();
        let done = Box::pin(reconcile(&ctx, kind, &key)).await;
        ctx.metrics.active.with_label_values(&controller).dec();
        ctx.metrics.seconds.with_label_values(&controller).observe(began.elapsed().as_secs_f64());
        let worked = queue.done(&key);
        ctx.metrics.work_seconds.with_label_values(&controller).observe(worked.as_secs_f64());
        let (result, again) = settle(&ctx, kind, &key, done, &backoff);
        ctx.metrics.reconciles.with_label_values(&[kind.controller(), result]).inc();
        // Spread over a fifth of the time, or all of them would come at once for ever.
        let resync = resync.mul_f64(0.8 + 0.2 * chance::share());
        if let Some(again) = again {
            queue.add_after(&key, again.unwrap_or(resync).min(resync));
        }
    }
}

/// Whether a resource is still there, and if so what became of it.
async fn reconcile(ctx: &Context, kind: Kind, key: &Key) -> Option<Result<Option<Duration>, Stopped>> {
    match kind {
        Kind::RankingModel => {
            let model = ctx.world.models.lock().get(key);
            let model = model.filter(|model| !is_going(&**model))?;
            Some(ranking_model::reconcile(model, ctx).await)
        }
        Kind::PageLayout => {
            let layout = ctx.world.layouts.lock().get(key);
            let layout = layout.filter(|layout| !is_going(&**layout))?;
            Some(page_layout::reconcile(layout, ctx).await)
        }
    }
}

/// Its children go with it, by their owner references.
fn is_going(resource: &impl Resource) -> bool {
    resource.meta().deletion_timestamp.is_some()
}

/// The result's name in metrics, and when to look again: at a time, at the next resync, or (for what is gone) never.
fn settle(
    ctx: &Context,
    kind: Kind,
    key: &Key,
    done: Option<Result<Option<Duration>, Stopped>>,
    backoff: &Mutex<Backoff>,
) -> (&'static str, Option<Option<Duration>>) {
    match done {
        None => {
            backoff.lock().reset(key);
            ("success", None)
        }
        Some(Ok(again)) => {
            backoff.lock().reset(key);
            debug!(kind = kind.as_str(), %key, ?again, "reconciled");
            (if again.is_some() { "requeue_after" } else { "success" }, Some(again))
        }
        Some(Err(stopped)) => ("error", Some(failed(ctx, kind, key, &stopped, backoff))),
    }
}

/// An error that only an edit can mend waits for the edit; every other one is tried again, later each time.
fn failed(
    ctx: &Context,
    kind: Kind,
    key: &Key,
    stopped: &Stopped,
    backoff: &Mutex<Backoff>,
) -> Option<Duration> {
    let Stopped { error, further } = stopped;
    let pause = backoff.lock().next(key, *further, chance::share());
    let again = error.retry_after().map(|least| least.max(pause));
    let (reason, cause) = (error.reason(), error.told());
    warn!(kind = kind.as_str(), %key, %reason, error = cause, ?again, "reconcile failed");
    ctx.metrics.errors.with_label_values(&[kind.controller()]).inc();
    match again {
        Some(_) => ctx.metrics.retries.with_label_values(&[kind.controller()]).inc(),
        None => ctx.metrics.terminal_errors.with_label_values(&[kind.controller()]).inc(),
    }
    again
}
