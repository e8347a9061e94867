use super::*;

fn admission(max_in_flight: usize, max_waiting: usize) -> Arc<Admission> {
    Admission::new(AdmissionLimits { max_in_flight, max_waiting }, |_| {})
}

async fn enter(admission: &Arc<Admission>, importance: Importance) -> Result<Permit, Refused> {
    admission.enter(importance, Instant::now(), None).await
}

/// Waits until this many requests are in the queue.
async fn queued(admission: &Arc<Admission>, waiting: usize) {
    while admission.waiting.load(SeqCst) != waiting {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn less_important_requests_leave_places_for_dearer_ones() {
    let admission = admission(10, 0);
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(enter(&admission, Importance::Score).await.unwrap());
    }
    assert!(matches!(enter(&admission, Importance::Score).await, Err(Refused::Shed { in_flight: 8, .. })));
    held.push(enter(&admission, Importance::TopK).await.unwrap());
    assert!(enter(&admission, Importance::TopK).await.is_err(), "nine tenths are taken");
    held.push(enter(&admission, Importance::Page).await.unwrap());
    assert!(enter(&admission, Importance::Page).await.is_err(), "all places are taken");
    drop(held);
    assert_eq!(admission.in_flight(), 0);
    assert!(enter(&admission, Importance::Score).await.is_ok());
}

#[tokio::test]
async fn a_page_comes_in_before_a_score_that_waited_longer() {
    let admission = admission(1, 4);
    let held = enter(&admission, Importance::Page).await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for (n, importance) in [Importance::Score, Importance::TopK, Importance::Page].into_iter().enumerate() {
        let (admission_, order_) = (admission.clone(), order.clone());
        tasks.push(tokio::spawn(async move {
            let permit = enter(&admission_, importance).await.unwrap();
            order_.lock().push(importance);
            drop(permit);
        }));
        queued(&admission, n + 1).await;
    }
    drop(held);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock(), [Importance::Page, Importance::TopK, Importance::Score]);
    assert_eq!((admission.in_flight(), admission.waiting.load(SeqCst)), (0, 0));
}

#[tokio::test]
async fn a_full_queue_drops_its_least_important_for_a_dearer_one() {
    let admission = admission(1, 1);
    let held = enter(&admission, Importance::Page).await.unwrap();
    let score = tokio::spawn({
        let admission = admission.clone();
        async move { enter(&admission, Importance::Score).await.map(|_| ()) }
    });
    queued(&admission, 1).await;
    let page = tokio::spawn({
        let admission = admission.clone();
        async move { enter(&admission, Importance::Page).await.map(|_| ()) }
    });
    assert!(matches!(score.await.unwrap(), Err(Refused::Shed { .. })), "the page took its place");
    assert!(
        matches!(enter(&admission, Importance::Page).await, Err(Refused::Shed { .. })),
        "a request of equal importance keeps its place"
    );
    drop(held);
    assert_eq!(page.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_deadline_ends_the_wait_and_its_place_goes_on() {
    let admission = admission(1, 4);
    let held = enter(&admission, Importance::Page).await.unwrap();
    let now = Instant::now();
    let waited = admission.enter(Importance::Page, now, Some(now + Duration::from_millis(2))).await;
    assert!(matches!(waited, Err(Refused::DeadlineExceeded)));
    drop(held);
    assert_eq!(
        (admission.in_flight(), admission.waiting.load(SeqCst)),
        (0, 0),
        "no request is in flight and none waits"
    );
    assert!(enter(&admission, Importance::Page).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_load_no_place_is_lost_and_the_limit_holds() {
    let admission = admission(3, 10_000);
    let most = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..400)
        .map(|n| {
            let (admission, most) = (admission.clone(), most.clone());
            let importance = [Importance::Page, Importance::TopK, Importance::Score][n % 3];
            tokio::spawn(async move {
                for _ in 0..20 {
                    let permit = enter(&admission, importance).await.unwrap();
                    most.fetch_max(admission.in_flight(), SeqCst);
                    tokio::task::yield_now().await;
                    drop(permit);
                }
            })
        })
        .collect();
    for task in tasks {
        tokio::time::timeout(Duration::from_secs(20), task).await.expect("a place was lost").unwrap();
    }
    assert_eq!((admission.in_flight(), admission.waiting.load(SeqCst)), (0, 0));
    assert!(most.load(SeqCst) <= 3, "{most:?} requests were in flight at once");
}

#[test]
fn the_retry_hint_follows_service_time_and_queue() {
    let limits = AdmissionLimits { max_in_flight: 10, max_waiting: 100 };
    let ms = Duration::from_millis;
    #[rustfmt::skip]
    let cases = [
        ("nothing observed yet",      ms(0),      0,   ms(10)),
        ("one round",                 ms(40),     5,   ms(40)),
        ("the queue is three rounds", ms(40),     20,  ms(120)),
        ("never longer than this",    ms(60_000), 100, ms(30_000)),
    ];
    for (why, service, waiting, expected) in cases {
        assert_eq!(retry_after(service, waiting, &limits), expected, "{why}");
    }
}
