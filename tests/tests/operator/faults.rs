//! The operator retries failed requests at a limited rate, and reaches the same end state as without faults.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use marquee_tests::{
    Outcome,
    operator::{FaultAction, OperatorFixture, Proxy, ProxyRequest},
};

use super::sweep::{ALONE, UndisturbedRun, run_lifecycle, undisturbed_run};

/// Selects the requests that fail.
type RequestFilter = fn(&ProxyRequest) -> bool;

#[tokio::test(flavor = "multi_thread")]
async fn failed_writes_lead_to_the_same_end_state_without_a_request_storm() -> Outcome {
    let every_third = |request: &ProxyRequest| request.is_write() && request.n_writes % 3 == 1;
    #[rustfmt::skip]
    let cases: [(&str, FaultAction, RequestFilter); 4] = [
        ("conflict",  FaultAction::Refuse(409), every_third),
        ("too-many",  FaultAction::Refuse(429), every_third),
        ("broken",    FaultAction::Refuse(500), every_third),
        ("no-answer", FaultAction::Hang,        |request| request.is_write() && request.n_writes == 3),
    ];
    all_reach_the_same_end_state(&cases, "undisturbed-faults").await
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_watches_and_lists_lead_to_the_same_end_state_without_a_request_storm() -> Outcome {
    const SOON: Duration = Duration::from_millis(500);
    // One list and one watch for each kind are about 25 requests, so every watch fails at least once.
    let early = |request: &ProxyRequest| request.is_watch() && request.n_requests <= 75;
    #[rustfmt::skip]
    let cases: [(&str, FaultAction, RequestFilter); 4] = [
        ("expired-at-once", FaultAction::Refuse(410),  early),
        ("expired-later",   FaultAction::Expire(SOON), early),
        ("cut",             FaultAction::Cut(SOON),    early),
        ("lists-refused",   FaultAction::Refuse(500),  |request| !request.is_write() && request.path.contains("limit=") && request.n_requests % 4 == 0),
    ];
    all_reach_the_same_end_state(&cases, "undisturbed-watches").await
}

async fn all_reach_the_same_end_state(
    cases: &[(&'static str, FaultAction, RequestFilter)],
    namespace: &str,
) -> Outcome {
    let undisturbed = undisturbed_run(namespace).await?;
    let runs = stream::iter(cases).map(|&(why, action, selects)| {
        Box::pin(reaches_the_same_end_state(why, (action, selects), &undisturbed))
    });
    runs.buffer_unordered(cases.len()).try_collect().await
}

async fn reaches_the_same_end_state(
    why: &'static str,
    (action, selects): (FaultAction, RequestFilter),
    undisturbed: &UndisturbedRun,
) -> Outcome {
    let fixture = OperatorFixture::new(why).await?;
    let rule = move |request: &ProxyRequest| if selects(request) { action } else { FaultAction::Pass };
    let proxy = Proxy::start(fixture.server, rule).await?;
    let _operator = fixture.start_operator_with(why, &proxy.kubeconfig().to_string(), ALONE)?;
    let ended = run_lifecycle(&fixture, async || Ok(fixture.snapshot().await? == undisturbed.snapshot)).await;
    ended.map_err(|error| format!("{why}: {error}"))?;
    let (writes, requests) = (proxy.n_writes(), proxy.n_requests());
    println!(
        "{why}: {writes} writes of {requests} requests, undisturbed {} of {}",
        undisturbed.writes, undisturbed.requests
    );
    assert!(writes <= 4 * undisturbed.writes, "{why}: {writes} writes");
    assert!(requests <= 8 * undisturbed.requests, "{why}: {requests} requests");
    Ok(())
}
