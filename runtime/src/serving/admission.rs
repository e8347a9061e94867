//! Admission: limits the requests in flight and the queue of waiting requests, and sheds the least important request first.
//!
//! While no request waits, admission costs two atomic operations. Health checks skip admission, so they are never shed.

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

/// Importance of a request, most important first. Requests are admitted in this order and shed in the reverse order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Importance {
    /// A page, which a person waits for.
    Page,
    /// A ranking of all titles.
    TopK,
    /// Scores of given titles.
    Score,
}

const CLASSES: usize = 3;

impl Importance {
    /// Importance as a metric label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::TopK => "top_k",
            Self::Score => "score",
        }
    }
}

/// Limits of admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmissionLimits {
    /// Most requests in flight, at least 1. Top-k requests may take 9/10 of the places and scores 8/10; the rest is for pages.
    pub max_in_flight: usize,
    /// Most requests that wait for a place.
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

/// Why a request was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too many requests are in flight, and the queue is full.
    Shed {
        /// Requests in flight.
        in_flight: usize,
        /// Time after which a place is likely to be free.
        retry_after: Duration,
    },
    /// The deadline passed in the queue.
    DeadlineExceeded,
}

/// Admits requests.
pub struct Admission {
    limits: AdmissionLimits,
    in_flight: AtomicUsize,
    /// Number of requests in `queues`; read without the lock.
    waiting: AtomicUsize,
    queues: Mutex<[VecDeque<oneshot::Sender<Permit>>; CLASSES]>,
    /// Moving average of the time that a request holds its place.
    service_nanos: AtomicU64,
    /// Called with the number of waiting requests, whenever it changes.
    on_queue: Box<dyn Fn(usize) + Send + Sync>,
}

/// The permission to run a request. Dropping it frees the place.
pub struct Permit {
    /// `None` if other code frees the place.
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
    /// Admits requests within these limits. `on_queue` is called with the number of waiting requests, whenever it changes.
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

    /// Admits a request, at once or after a wait in the queue. `now` is its arrival time.
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
            // The sender was dropped: a more important request took the place in the queue.
            Ok(Err(_)) => Err(self.shed()),
            // Dropping `turn` closes it; the queue removes it later.
            Err(deadline::Missed) => Err(Refused::DeadlineExceeded),
        }
    }

    /// Number of requests in flight.
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
        // Remove requests whose caller no longer waits.
        queues.iter_mut().for_each(|queue| queue.retain(|turn| !turn.is_closed()));
        self.waiting.store(queues.iter().map(VecDeque::len).sum::<usize>() + 1, SeqCst);
        // `waiting` is raised before `in_flight` is read here, and `give_back` lowers `in_flight` before it reads `waiting`.
        // The later of the two sees the other's write, so no free place is missed.
        let none_more_important = queues[..=importance as usize].iter().all(VecDeque::is_empty);
        if none_more_important && self.take_place(importance) {
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
                    // The caller stopped waiting just now. Dropping the permit would lock again, so the place is freed here.
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
        // An average tolerates lost updates.
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

/// Estimated time until the current queue is empty: the time of one request for each round of places.
fn retry_after(service: Duration, waiting: usize, limits: &AdmissionLimits) -> Duration {
    let rounds = waiting / limits.max_in_flight.max(1) + 1;
    let wait = service.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
    wait.clamp(Duration::from_millis(10), Duration::from_secs(30))
}

#[cfg(test)]
mod tests;
