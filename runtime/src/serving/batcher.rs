//! Dynamic batching: requests that arrive while a forward pass runs share the next one.
//!
//! [`BatchLimits::place`] decides where a request runs, from the estimated duration of its pass:
//! a short pass runs inline, a middling one runs inline while the model is idle, and every other request waits in the
//! queue. With `max_delay` above zero every request waits in the queue, up to that long.
//! Passes estimated above [`HEAVY`] run on the blocking pool, a bounded number at a time, so that the
//! threads that answer connections stay free. A batch must give the same answers as its requests one by one; the
//! batcher relies on this property of the models.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, oneshot};

use super::deadline;

/// Passes with a longer estimate run on the blocking pool.
pub const HEAVY: Duration = Duration::from_micros(500);

/// For passes with a shorter estimate, queueing costs more than a shared pass saves.
const LIGHT: Duration = Duration::from_micros(50);

/// How requests share passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most requests in one pass, at least 1.
    pub max_batch: usize,
    /// Longest wait of a request for others to share its pass, while the model is idle.
    pub max_delay: Duration,
}

/// Where a request runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the caller's thread.
    Inline,
    /// On the caller's thread while the model is idle, else in the queue.
    InlineWhenIdle,
    /// In the queue.
    Queue,
}

impl BatchLimits {
    /// Decides where a request runs whose own pass takes `estimate`.
    pub fn place(&self, estimate: Duration) -> Place {
        if !self.max_delay.is_zero() || estimate > HEAVY {
            Place::Queue
        } else if self.max_batch > 1 && estimate >= LIGHT {
            Place::InlineWhenIdle
        } else {
            Place::Inline
        }
    }
}

/// Runs forward passes.
pub trait Pass: Send + Sync + 'static {
    /// A request.
    type Request: Send + 'static;
    /// Its answer.
    type Answer: Send + 'static;

    /// Estimated duration of a pass with only `request`.
    fn estimate(&self, request: &Self::Request) -> Duration;

    /// Answers one request.
    fn run_one(&self, request: &Self::Request) -> Self::Answer;

    /// Answers several requests in one pass, in their order.
    fn run(&self, requests: &[Self::Request]) -> Vec<Self::Answer>;
}

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Its deadline passed.
    DeadlineExceeded,
    /// The pass panicked, or returned the wrong number of answers.
    Failed,
}

/// The queue of one model.
pub struct Batcher<P: Pass>(Arc<Shared<P>>);

impl<P: Pass> Clone for Batcher<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Shared<P: Pass> {
    pass: P,
    limits: BatchLimits,
    /// Limits the heavy passes that run at once in all models.
    pool: Arc<Semaphore>,
    state: Mutex<State<P>>,
    /// Notified when the queue has a full batch.
    full: Notify,
}

struct State<P: Pass> {
    /// Whether a task runs passes now. It checks the queue after each pass.
    led: bool,
    queue: VecDeque<Waiting<P>>,
}

struct Waiting<P: Pass> {
    request: P::Request,
    until: Option<Instant>,
    since: Instant,
    answer: oneshot::Sender<Result<P::Answer, Unanswered>>,
}

impl<P: Pass> Batcher<P> {
    /// A batcher with an empty queue. `pool` limits the heavy passes of all models together.
    pub fn new(pass: P, limits: BatchLimits, pool: Arc<Semaphore>) -> Self {
        let limits = BatchLimits { max_batch: limits.max_batch.max(1), ..limits };
        let state = Mutex::new(State { led: false, queue: VecDeque::new() });
        Self(Arc::new(Shared { pass, limits, pool, state, full: Notify::new() }))
    }

    /// Answers `request`, in its own pass or a shared one. Dropping the future removes the request from the queue.
    pub async fn submit(
        &self,
        request: P::Request,
        now: Instant,
        until: Option<Instant>,
    ) -> Result<P::Answer, Unanswered> {
        if deadline::has_passed(until, now) {
            return Err(Unanswered::DeadlineExceeded);
        }
        let place = self.0.limits.place(self.0.pass.estimate(&request));
        let answer = match place {
            Place::Inline => return self.0.run_one(&request),
            Place::InlineWhenIdle | Place::Queue => match self.0.enter(request, place, now, until) {
                Entered::Alone(request) => return self.0.run_alone(&request),
                Entered::Queued(answer) => answer,
            },
        };
        match deadline::within(until, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Unanswered::Failed),
            Err(deadline::Missed) => Err(Unanswered::DeadlineExceeded),
        }
    }
}

enum Entered<P: Pass> {
    /// The caller leads and runs its own request.
    Alone(P::Request),
    Queued(oneshot::Receiver<Result<P::Answer, Unanswered>>),
}

impl<P: Pass> Shared<P> {
    fn enter(
        self: &Arc<Self>,
        request: P::Request,
        place: Place,
        now: Instant,
        until: Option<Instant>,
    ) -> Entered<P> {
        let mut state = self.state.lock();
        if !state.led && place == Place::InlineWhenIdle {
            state.led = true;
            return Entered::Alone(request);
        }
        let (sender, answer) = oneshot::channel();
        state.queue.push_back(Waiting { request, until, since: now, answer: sender });
        if state.queue.len() >= self.limits.max_batch {
            self.full.notify_one();
        }
        if !state.led {
            state.led = true;
            tokio::spawn(self.clone().lead());
        }
        Entered::Queued(answer)
    }

    /// Not async, so that a cancelled caller cannot leave the queue without a leader.
    fn run_alone(self: &Arc<Self>, request: &P::Request) -> Result<P::Answer, Unanswered> {
        let answer = self.run_one(request);
        let mut state = self.state.lock();
        if state.queue.is_empty() {
            state.led = false;
        } else {
            tokio::spawn(self.clone().lead());
        }
        answer
    }

    /// Runs passes until the queue is empty.
    async fn lead(self: Arc<Self>) {
        self.wait_for_others().await;
        while let Some(batch) = self.next_batch() {
            self.clone().run_batch(batch).await;
        }
    }

    async fn wait_for_others(&self) {
        if self.limits.max_delay.is_zero() {
            return;
        }
        let (n_waiting, first) = {
            let state = self.state.lock();
            (state.queue.len(), state.queue.front().map(|waiting| waiting.since))
        };
        let Some(first) = first.filter(|_| n_waiting < self.limits.max_batch) else { return };
        let until = first + self.limits.max_delay;
        // A permit from an earlier full batch may remain; it only shortens this wait.
        let _ = tokio::time::timeout_at(until.into(), self.full.notified()).await;
    }

    /// Takes the next requests that still need an answer. `None` if there are no more; the caller then stops leading.
    fn next_batch(&self) -> Option<Vec<Waiting<P>>> {
        let now = Instant::now();
        let mut state = self.state.lock();
        let mut batch = Vec::new();
        while batch.len() < self.limits.max_batch {
            let Some(waiting) = state.queue.pop_front() else { break };
            if waiting.answer.is_closed() {
                continue;
            }
            if deadline::has_passed(waiting.until, now) {
                let _ = waiting.answer.send(Err(Unanswered::DeadlineExceeded));
                continue;
            }
            batch.push(waiting);
        }
        state.led = !batch.is_empty();
        (!batch.is_empty()).then_some(batch)
    }

    async fn run_batch(self: Arc<Self>, batch: Vec<Waiting<P>>) {
        let (requests, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|w| (w.request, w.answer)).unzip();
        let estimate: Duration = requests.iter().map(|request| self.pass.estimate(request)).sum();
        let results = if estimate > HEAVY { self.run_heavy(requests).await } else { self.run(&requests) };
        let mut results = results.into_iter();
        for answer in answers {
            // This fails if the caller no longer waits.
            let _ = answer.send(results.next().ok_or(Unanswered::Failed));
        }
    }

    async fn run_heavy(self: &Arc<Self>, requests: Vec<P::Request>) -> Vec<P::Answer> {
        // The pool is never closed. If it were, passes would run without a limit instead of failing.
        let _place = self.pool.clone().acquire_owned().await.ok();
        let shared = self.clone();
        tokio::task::spawn_blocking(move || shared.run(&requests)).await.unwrap_or_default()
    }

    /// Runs one request. If the pass panics, the request fails.
    fn run_one(&self, request: &P::Request) -> Result<P::Answer, Unanswered> {
        catch_unwind(AssertUnwindSafe(|| self.pass.run_one(request))).map_err(|_| Unanswered::Failed)
    }

    /// Runs a batch. Returns no answers if the pass panics, so that the queue continues.
    fn run(&self, requests: &[P::Request]) -> Vec<P::Answer> {
        let results = catch_unwind(AssertUnwindSafe(|| self.pass.run(requests))).unwrap_or_default();
        if results.len() == requests.len() { results } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests;
