//! The queue of resources that wait for a reconcile. It contains each resource at most once. Two workers never reconcile the same resource at
//! the same time.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::names::Key;

/// The order of the queue. Pure: the time is an argument.
#[derive(Default)]
pub struct Order {
    waiting: VecDeque<Key>,
    since: HashMap<Key, Instant>,
    at_work: HashMap<Key, Instant>,
    again: HashSet<Key>,
    later: BTreeSet<(Instant, Key)>,
    due: HashMap<Key, Instant>,
}

impl Order {
    /// Schedules a reconcile of the resource as soon as possible. Returns whether it was not waiting already.
    pub fn add(&mut self, key: &Key, now: Instant) -> bool {
        if self.at_work.contains_key(key) {
            return self.again.insert(key.clone());
        }
        if self.since.contains_key(key) {
            return false;
        }
        self.since.insert(key.clone(), now);
        self.waiting.push_back(key.clone());
        true
    }

    /// Schedules a reconcile of the resource. This replaces the time that was set before.
    pub fn add_at(&mut self, key: &Key, at: Instant) {
        self.forget_time(key);
        self.due.insert(key.clone(), at);
        self.later.insert((at, key.clone()));
    }

    /// The next resource, and how long it has waited.
    pub fn take(&mut self, now: Instant) -> Option<(Key, Duration)> {
        while let Some((at, key)) = self.later.first().cloned().filter(|(at, _)| *at <= now) {
            self.forget_time(&key);
            self.add(&key, at);
        }
        let key = self.waiting.pop_front()?;
        let since = self.since.remove(&key).unwrap_or(now);
        self.forget_time(&key);
        self.at_work.insert(key.clone(), now);
        Some((key, now.saturating_duration_since(since)))
    }

    /// Ends the reconcile of a resource, and returns how long it took.
    pub fn done(&mut self, key: &Key, now: Instant) -> Duration {
        let began = self.at_work.remove(key).unwrap_or(now);
        if self.again.remove(key) {
            self.add(key, now);
        }
        now.saturating_duration_since(began)
    }

    /// The next time that was set.
    pub fn next_due(&self) -> Option<Instant> {
        self.later.first().map(|(at, _)| *at)
    }

    /// The number of waiting resources.
    pub fn depth(&self) -> usize {
        self.waiting.len()
    }

    /// The seconds of all running reconciles, and of the longest.
    pub fn unfinished(&self, now: Instant) -> (f64, f64) {
        let seconds = self.at_work.values().map(|began| now.saturating_duration_since(*began).as_secs_f64());
        seconds.fold((0.0, 0.0), |(sum, longest), one| (sum + one, f64::max(longest, one)))
    }

    fn forget_time(&mut self, key: &Key) {
        if let Some(at) = self.due.remove(key) {
            self.later.remove(&(at, key.clone()));
        }
    }
}

/// The queue, shared by the workers.
#[derive(Default)]
pub struct Queue {
    order: Mutex<Order>,
    news: Notify,
    closed: AtomicBool,
}

impl Queue {
    /// Schedules a reconcile of the resource as soon as possible. Returns whether it was not waiting already.
    pub fn add(&self, key: &Key) -> bool {
        let added = self.order.lock().add(key, Instant::now());
        self.news.notify_one();
        added
    }

    /// Schedules a reconcile of the resource after a delay.
    pub fn add_after(&self, key: &Key, after: Duration) {
        self.order.lock().add_at(key, Instant::now() + after);
        self.news.notify_one();
    }

    /// Waits for the next resource; `None` if the queue is closed.
    pub async fn take(&self) -> Option<(Key, Duration)> {
        loop {
            let news = self.news.notified();
            if self.closed.load(Ordering::Acquire) {
                // This also wakes the other workers.
                self.news.notify_one();
                return None;
            }
            let (taken, due, more) = {
                let mut order = self.order.lock();
                (order.take(Instant::now()), order.next_due(), order.depth() > 0)
            };
            if let Some(taken) = taken {
                if more {
                    self.news.notify_one();
                }
                return Some(taken);
            }
            match due {
                Some(at) => {
                    let _ = tokio::time::timeout_at(at.into(), news).await;
                }
                None => news.await,
            }
        }
    }

    /// Ends the reconcile of a resource, and returns how long it took.
    pub fn done(&self, key: &Key) -> Duration {
        let took = self.order.lock().done(key, Instant::now());
        self.news.notify_one();
        took
    }

    /// Closes the queue.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.news.notify_one();
    }

    /// The number of waiting resources, the seconds of all running reconciles, and of the longest.
    pub fn load(&self) -> (usize, f64, f64) {
        let order = self.order.lock();
        let (sum, longest) = order.unfinished(Instant::now());
        (order.depth(), sum, longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::new("n", name)
    }

    #[test]
    fn what_waits_is_not_queued_twice_and_what_is_worked_on_comes_again() {
        let (mut order, now) = (Order::default(), Instant::now());
        assert!(order.add(&key("a"), now) && !order.add(&key("a"), now));
        assert_eq!(order.take(now).unwrap().0, key("a"));
        assert!(order.add(&key("a"), now), "a change while it is worked on");
        assert_eq!(order.take(now), None, "is not worked on twice at a time");
        order.done(&key("a"), now);
        assert_eq!(order.take(now).unwrap().0, key("a"));
        order.done(&key("a"), now);
        assert_eq!(order.take(now), None);
    }

    #[test]
    fn a_time_holds_until_another_is_set_or_the_work_is_done_sooner() {
        let (mut order, now) = (Order::default(), Instant::now());
        let after = |seconds| now + Duration::from_secs(seconds);
        order.add_at(&key("a"), after(10));
        order.add_at(&key("a"), after(20));
        assert_eq!(order.take(after(15)), None, "the first time does not hold any more");
        assert_eq!(order.take(after(21)).unwrap(), (key("a"), Duration::from_secs(1)));
        order.done(&key("a"), after(21));
        order.add_at(&key("a"), after(30));
        order.add(&key("a"), after(22));
        order.take(after(22)).unwrap();
        order.done(&key("a"), after(22));
        assert_eq!((order.take(after(40)), order.next_due()), (None, None), "sooner was soon enough");
    }

    #[test]
    fn work_under_way_is_measured() {
        let (mut order, now) = (Order::default(), Instant::now());
        for name in ["a", "b"] {
            order.add(&key(name), now);
            order.take(now + Duration::from_secs(u64::from(name == "b")));
        }
        assert_eq!(order.unfinished(now + Duration::from_secs(3)), (5.0, 3.0));
        assert_eq!(order.done(&key("a"), now + Duration::from_secs(3)), Duration::from_secs(3));
    }
}
