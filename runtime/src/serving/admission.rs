//! Admission: a bounded number of requests at work, a bounded queue behind them, and the least important refused first.
//!
//! While no request waits, a request costs two atomic operations. Health checks never pass here, so they are never shed.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::deadline;

/// How dear a request is. The order is that in which requests are let in, and the reverse of that in which they are shed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Importance {
    /// A page: somebody looks at it.
    Page,
    /// A ranking of all titles.
    TopK,
    /// Scores of given titles.
    Score,
}

const CLASSES: usize = 3;

impl Importance {
    /// Label of metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::TopK => "top_k",
            Self::Score => "score",
        }
    }
}

/// How much is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmissionLimits {
    /// Requests at work, at least 1. Of these, top-k requests get 9/10 and scores 8/10, so that pages find a place.
    pub max_in_flight: usize,
    /// Requests that wait for a place.
    pub max_waiting: usize,
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        Self { max_in_flight: 256, max_waiting: 1024 }
    }
}

impl AdmissionLimits {
    fn places(&self, importance: Importance) -> usize {
        let tenths = match importance {
            Importance::Page => 10,
            Importance::TopK => 9,
            Importance::Score => 8,
        };
        (self.max_in_flight * tenths / 10).max(1)
    }
}

/// Why a request did not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too much is at work, and too much waits already.
    Shed {
        /// Requests at work.
        in_flight: usize,
        /// When a place is likely.
        retry_after: Duration,
    },
    /// The deadline passed in the queue.
    DeadlineExceeded,
}

/// Lets requests in.
pub struct Admission {
    limits: AdmissionLimits,
    in_flight: AtomicUsize,
    /// As many as `queues` hold; read without the lock.
    waiting: AtomicUsize,
    queues: Mutex<[VecDeque<oneshot::Sender<Permit>>; CLASSES]>,
    /// Moving average of how long a request holds its place.
    service_nanos: AtomicU64,
    /// Called with the number of waiting requests, whenever it changes.
    on_queue: Box<dyn Fn(usize) + Send + Sync>,
}

/// A place; given back when dropped.
pub struct Permit {
    /// None when somebody else gives the place back.
    admission: Option<Arc<Admission>>,
    since: Instant,
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(admission) = self.admission.take() {
            admission.observe(self.since.elapsed());
            admission.give_back();
        }
    }
}

impl Admission {
    /// Lets requests in within these limits. `on_queue` is called with the number of waiting requests, whenever it changes.
    pub fn new(limits: AdmissionLimits, on_queue: impl Fn(usize) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            limits,
            in_flight: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            queues: Mutex::default(),
            service_nanos: AtomicU64::new(0),
            on_queue: Box::new(on_queue),
        })
    }

    /// A place, at once or after a wait in the queue; `now` is when the request came.
    pub async fn enter(
        self: &Arc<Self>,
        importance: Importance,
        now: Instant,
        until: Option<Instant>,
    ) -> Result<Permit, Refused> {
        if self.waiting.load(SeqCst) == 0 && self.take_place(importance) {
            return Ok(self.permit(now));
        }
        let turn = match self.queue(importance, now)? {
            Turn::Now(permit) => return Ok(permit),
            Turn::Later(turn) => turn,
        };
        match deadline::within(until, turn).await {
            Ok(Ok(permit)) => Ok(permit),
            // The sender was dropped: a dearer request took the place in the queue.
            Ok(Err(_)) => Err(self.shed()),
            // `turn` is dropped now; the queue forgets it when it comes to it.
            Err(deadline::Missed) => Err(Refused::DeadlineExceeded),
        }
    }

    /// Requests at work now.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }

    fn permit(self: &Arc<Self>, since: Instant) -> Permit {
        Permit { admission: Some(self.clone()), since }
    }

    fn take_place(&self, importance: Importance) -> bool {
        let places = self.limits.places(importance);
        let taken = self.in_flight.fetch_update(SeqCst, SeqCst, |n| (n < places).then_some(n + 1));
        taken.is_ok()
    }

    fn queue(self: &Arc<Self>, importance: Importance, now: Instant) -> Result<Turn, Refused> {
        let mut queues = self.queues.lock();
        // Those who gave up make room for those who did not.
        queues.iter_mut().for_each(|queue| queue.retain(|turn| !turn.is_closed()));
        self.waiting.store(queues.iter().map(VecDeque::len).sum::<usize>() + 1, SeqCst);
        // `waiting` is raised before this look and `give_back` lowers `in_flight` before it looks at `waiting`:
        // whichever comes second sees the other, so no place is given back unseen.
        let nobody_dearer = queues[..=importance as usize].iter().all(VecDeque::is_empty);
        if nobody_dearer && self.take_place(importance) {
            self.count_waiting(&queues);
            return Ok(Turn::Now(self.permit(now)));
        }
        if queues.iter().map(VecDeque::len).sum::<usize>() >= self.limits.max_waiting {
            let cheapest = (importance as usize + 1..CLASSES).rev().find(|&class| !queues[class].is_empty());
            let Some(cheapest) = cheapest else {
                self.count_waiting(&queues);
                return Err(self.shed());
            };
            queues[cheapest].pop_back();
        }
        let (sender, turn) = oneshot::channel();
        queues[importance as usize].push_back(sender);
        self.count_waiting(&queues);
        Ok(Turn::Later(turn))
    }

    fn count_waiting(&self, queues: &[VecDeque<oneshot::Sender<Permit>>; CLASSES]) {
        let waiting = queues.iter().map(VecDeque::len).sum();
        self.waiting.store(waiting, SeqCst);
        (self.on_queue)(waiting);
    }

    fn give_back(self: &Arc<Self>) {
        self.in_flight.fetch_sub(1, SeqCst);
        if self.waiting.load(SeqCst) == 0 {
            return;
        }
        let mut queues = self.queues.lock();
        for importance in [Importance::Page, Importance::TopK, Importance::Score] {
            while let Some(turn) = queues[importance as usize].pop_front() {
                if turn.is_closed() {
                    continue;
                }
                if !self.take_place(importance) {
                    queues[importance as usize].push_front(turn);
                    break;
                }
                if let Err(mut permit) = turn.send(self.permit(Instant::now())) {
                    // Gave up this very moment. Its place is taken back here: dropping the permit would lock again.
                    permit.admission = None;
                    self.in_flight.fetch_sub(1, SeqCst);
                }
            }
        }
        self.count_waiting(&queues);
    }

    fn observe(&self, took: Duration) {
        let took = took.as_nanos().min(u128::from(u64::MAX)) as u64;
        let average = self.service_nanos.load(Relaxed);
        // Lost updates are of no matter to an average.
        self.service_nanos
            .store(if average == 0 { took } else { average - average / 16 + took / 16 }, Relaxed);
    }

    fn shed(&self) -> Refused {
        let in_flight = self.in_flight();
        let service = Duration::from_nanos(self.service_nanos.load(Relaxed));
        Refused::Shed {
            in_flight,
            retry_after: retry_after(service, self.waiting.load(Relaxed), &self.limits),
        }
    }
}

enum Turn {
    Now(Permit),
    Later(oneshot::Receiver<Permit>),
}

/// When the queue as it stands is worked off: the time that one request takes, for each round of places.
fn retry_after(service: Duration, waiting: usize, limits: &AdmissionLimits) -> Duration {
    let rounds = waiting / limits.max_in_flight.max(1) + 1;
    let wait = service.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
    wait.clamp(Duration::from_millis(10), Duration::from_secs(30))
}

#[cfg(test)]
mod tests;
