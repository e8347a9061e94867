use std::sync::{
    Condvar,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use super::*;

/// Doubles numbers, and records the sizes of its passes. 13 panics. A pass waits while the gate is closed.
struct Doubling {
    estimate: Duration,
    sizes: Arc<Mutex<Vec<usize>>>,
    gate: Arc<(std::sync::Mutex<bool>, Condvar)>,
    entered: Arc<AtomicUsize>,
}

impl Pass for Doubling {
    type Request = u32;
    type Answer = u32;

    fn estimate(&self, _: &u32) -> Duration {
        self.estimate
    }

    fn run_one(&self, &request: &u32) -> u32 {
        self.run(&[request])[0]
    }

    fn run(&self, requests: &[u32]) -> Vec<u32> {
        self.sizes.lock().push(requests.len());
        self.entered.fetch_add(1, SeqCst);
        let (shut, opened) = &*self.gate;
        drop(opened.wait_while(shut.lock().unwrap(), |shut| *shut).unwrap());
        requests.iter().map(|&n| if n == 13 { panic!("unlucky") } else { 2 * n }).collect()
    }
}

struct Bench {
    batcher: Batcher<Doubling>,
    sizes: Arc<Mutex<Vec<usize>>>,
    gate: Arc<(std::sync::Mutex<bool>, Condvar)>,
    entered: Arc<AtomicUsize>,
}

impl Bench {
    fn new(max_batch: usize, delay_ms: u64, estimate: Duration) -> Self {
        let (sizes, gate, entered) = (Arc::default(), Arc::default(), Arc::default());
        let pass = Doubling {
            estimate,
            sizes: Arc::clone(&sizes),
            gate: Arc::clone(&gate),
            entered: Arc::clone(&entered),
        };
        let limits = BatchLimits { max_batch, max_delay: Duration::from_millis(delay_ms) };
        Self { batcher: Batcher::new(pass, limits, Arc::new(Semaphore::new(1))), sizes, gate, entered }
    }

    fn shut(&self, shut: bool) {
        *self.gate.0.lock().unwrap() = shut;
        self.gate.1.notify_all();
    }

    fn submit(
        &self,
        request: u32,
        until: Option<Instant>,
    ) -> tokio::task::JoinHandle<Result<u32, Unanswered>> {
        let batcher = self.batcher.clone();
        tokio::spawn(async move { batcher.submit(request, Instant::now(), until).await })
    }

    /// Waits until this many requests are in the queue.
    async fn queued(&self, n: usize) {
        while self.batcher.0.state.lock().queue.len() != n {
            tokio::task::yield_now().await;
        }
    }

    async fn entered(&self, n: usize) {
        while self.entered.load(SeqCst) < n {
            tokio::task::yield_now().await;
        }
    }
}

const SLOW: Duration = Duration::from_millis(5);

#[tokio::test]
async fn an_idle_model_runs_a_request_at_once_on_the_asking_thread() {
    let bench = Bench::new(8, 0, Duration::ZERO);
    let mut answer = std::pin::pin!(bench.batcher.submit(4, Instant::now(), None));
    let first_poll = futures::poll!(answer.as_mut());
    assert_eq!(first_poll, std::task::Poll::Ready(Ok(8)), "no task, no timer, no queue");
}

#[tokio::test]
async fn what_comes_while_a_pass_runs_shares_the_next_ones() {
    let bench = Bench::new(3, 0, SLOW);
    bench.shut(true);
    let first = bench.submit(1, None);
    bench.entered(1).await;
    let others: Vec<_> = (2..6).map(|n| bench.submit(n, None)).collect();
    bench.queued(4).await;
    bench.shut(false);
    assert_eq!(first.await.unwrap(), Ok(2));
    for (n, other) in (2..6).zip(others) {
        assert_eq!(other.await.unwrap(), Ok(2 * n), "each gets its own answer");
    }
    assert_eq!(*bench.sizes.lock(), [1, 3, 1], "at most three requests in a pass");
}

#[tokio::test]
async fn max_delay_waits_for_company_and_a_full_batch_ends_the_wait() {
    let bench = Bench::new(4, 60_000, Duration::ZERO);
    let requests: Vec<_> = (0..4).map(|n| bench.submit(n, None)).collect();
    for (n, request) in (0..4).zip(requests) {
        assert_eq!(request.await.unwrap(), Ok(2 * n));
    }
    assert_eq!(*bench.sizes.lock(), [4], "a full batch runs at once despite the delay of a minute");

    let bench = Bench::new(4, 5, Duration::ZERO);
    let started = Instant::now();
    assert_eq!(bench.submit(3, None).await.unwrap(), Ok(6));
    assert!(started.elapsed() >= Duration::from_millis(5), "a single request waits the whole delay");
}

#[tokio::test]
async fn the_cancelled_and_the_late_are_dropped_before_they_cost_anything() {
    let bench = Bench::new(8, 0, SLOW);
    bench.shut(true);
    let first = bench.submit(1, None);
    bench.entered(1).await;
    let cancelled = bench.submit(2, None);
    bench.queued(1).await;
    let late = bench.submit(3, Some(Instant::now() + Duration::from_millis(3)));
    bench.queued(2).await;
    let in_time = bench.submit(4, None);
    bench.queued(3).await;
    cancelled.abort();
    assert_eq!(
        late.await.unwrap(),
        Err(Unanswered::DeadlineExceeded),
        "answered at its deadline, not after the pass"
    );
    bench.shut(false);
    assert_eq!((first.await.unwrap(), in_time.await.unwrap()), (Ok(2), Ok(8)));
    assert_eq!(*bench.sizes.lock(), [1, 1], "two of the three in the queue never ran");
    let past = bench.batcher.submit(5, Instant::now(), Some(Instant::now() - SLOW)).await;
    assert_eq!(past, Err(Unanswered::DeadlineExceeded));
}

#[tokio::test]
async fn a_pass_that_panics_fails_its_requests_and_no_others() {
    for estimate in [Duration::ZERO, SLOW] {
        let bench = Bench::new(8, 0, estimate);
        assert_eq!(bench.submit(13, None).await.unwrap(), Err(Unanswered::Failed));
        assert_eq!(bench.submit(14, None).await.unwrap(), Ok(28), "the queue continues");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_request_of_a_crowd_gets_its_own_answer() {
    for (delay_ms, estimate) in [(0, Duration::ZERO), (1, Duration::ZERO), (0, SLOW)] {
        let bench = Bench::new(16, delay_ms, estimate);
        let requests: Vec<_> = (100..1100).map(|n| bench.submit(n, None)).collect();
        for (n, request) in (100..1100).zip(requests) {
            let answer =
                tokio::time::timeout(Duration::from_secs(20), request).await.expect("left without a leader");
            assert_eq!(answer.unwrap(), Ok(2 * n));
        }
        assert_eq!(bench.sizes.lock().iter().sum::<usize>(), 1000);
    }
}

#[test]
fn the_estimate_and_the_limits_decide_where_a_request_runs() {
    let micros = Duration::from_micros;
    #[rustfmt::skip]
    let cases = [
        // why                                          max_batch delay_ms estimate     place
        ("a short pass runs where it is asked",                 8, 0,       micros(10),  Place::Inline),
        ("a shared pass makes a middling one cheaper",          8, 0,       micros(100), Place::InlineWhenIdle),
        ("without batching a middling pass runs inline",        1, 0,       micros(100), Place::Inline),
        ("a heavy pass leaves the async threads",               1, 0,       micros(900), Place::Queue),
        ("with batching too",                                   8, 0,       micros(900), Place::Queue),
        ("the manifest asks requests to wait for others",       8, 1,       micros(10),  Place::Queue),
    ];
    for (why, max_batch, delay_ms, estimate, expected) in cases {
        let limits = BatchLimits { max_batch, max_delay: Duration::from_millis(delay_ms) };
        assert_eq!(limits.place(estimate), expected, "{why}");
    }
}
