//! After a crash at any write, the next operator reaches the same end state as an undisturbed run.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use marquee_tests::{
    Outcome,
    operator::{FaultAction, OperatorFixture, Proxy, ProxyRequest, is_ready},
};
use serde_json::{Value, json};

pub const ALONE: &[&str] = &["--leader-elect=false"];
/// Number of crash runs in parallel. They spend nearly all of their time waiting.
const N_PARALLEL: usize = 6;

/// Creates a model and its page, changes the model's artifact when both are ready, deletes the model, then the page, and waits for `done`.
pub async fn run_lifecycle(
    fixture: &OperatorFixture,
    mut done: impl AsyncFnMut() -> Outcome<bool>,
) -> Outcome {
    fixture.make_model().await?;
    fixture.make_layout().await?;
    fixture.both_ready().await?;
    let change = json!({"spec": {"artifact": {"uri": "s3://models/top-2"}}});
    fixture.patch("RankingModel", "m", &change).await?;
    fixture
        .until("the new revision to serve and the children of the old revision to be deleted", async || {
            // Read the status once, and before the children: two reads at different times may not fit together.
            let Some(model) = fixture.api("RankingModel")?.get_opt("m").await? else { return Ok(false) };
            let status = &model.data["status"];
            if status["revision"] != status["latestRevision"] || !is_ready(&model, 2) {
                return Ok(false);
            }
            for kind in ["ConfigMap", "Service", "Deployment", "HorizontalPodAutoscaler"] {
                let names = fixture.names(kind).await?;
                if names.iter().filter(|name| name.starts_with("m-ranker-")).count() != 1 {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await?;
    fixture.delete("RankingModel", "m").await?;
    fixture.wait_for_condition(("PageLayout", "home"), "ModelsResolved", "False ObjectiveNotFound").await?;
    fixture.delete("PageLayout", "home").await?;
    fixture.until("the end state", async || done().await).await
}

/// Result of a lifecycle without faults.
pub struct UndisturbedRun {
    /// End state. It contains the children of deleted resources: this API server has no garbage collector.
    pub snapshot: BTreeMap<String, Value>,
    /// Number of writes.
    pub writes: usize,
    /// Number of requests.
    pub requests: usize,
}

/// Runs the lifecycle without faults.
pub async fn undisturbed_run(namespace: &str) -> Outcome<UndisturbedRun> {
    let fixture = OperatorFixture::new(namespace).await?;
    let proxy = Proxy::start(fixture.server, |_| FaultAction::Pass).await?;
    let _operator = fixture.start_operator_with("undisturbed", &proxy.kubeconfig().to_string(), ALONE)?;
    run_lifecycle(&fixture, async || Ok(proxy.idle_time() > Duration::from_secs(2))).await?;
    Ok(UndisturbedRun {
        snapshot: fixture.snapshot().await?,
        writes: proxy.n_writes(),
        requests: proxy.n_requests(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_any_write_leads_to_the_same_end_state() -> Outcome {
    let UndisturbedRun { snapshot, writes, .. } = undisturbed_run("undisturbed-sweep").await?;
    let count = |kind: &str| snapshot.keys().filter(|key| key.starts_with(kind)).count();
    assert_eq!(
        (count("Deployment/"), count("ConfigMap/"), count("RankingModel/")),
        (2, 2, 0),
        "{snapshot:?}"
    );
    // Run 0 crashes before the first write.
    let crashed: Vec<bool> = stream::iter(0..=writes)
        .map(|n| Box::pin(crash(n, &snapshot)))
        .buffer_unordered(N_PARALLEL)
        .try_collect()
        .await?;
    let crashed = crashed.into_iter().filter(|crashed| *crashed).count();
    println!("{writes} writes, {crashed} crashes");
    // The number of writes differs by a few between runs: one reconcile may see two changes.
    assert!(crashed + 6 >= writes, "{crashed} of {writes} writes crashed");
    Ok(())
}

/// Crashes the operator at write `n`, and before the first write for `n` = 0. Returns whether the run reached that write.
async fn crash(n: usize, expected: &BTreeMap<String, Value>) -> Outcome<bool> {
    let fixture = OperatorFixture::new(&format!("crash-{n}")).await?;
    let rule = move |request: &ProxyRequest| match request.n_writes {
        1 if n == 0 && request.is_write() => FaultAction::CrashBefore,
        writes if writes == n && request.is_write() => FaultAction::CrashAfter,
        _ => FaultAction::Pass,
    };
    let proxy = Proxy::start(fixture.server, rule).await?;
    let mut first = Some(fixture.start_operator_with("first", &proxy.kubeconfig().to_string(), ALONE)?);
    let mut second = None;
    let ended = run_lifecycle(&fixture, async || Ok(fixture.snapshot().await? == *expected));
    let restart = async {
        loop {
            if proxy.has_crashed()
                && let Some(mut crashed) = first.take()
            {
                crashed.kill().await?;
                second = Some(fixture.start_operator(ALONE)?);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let ended = tokio::select! {
        ended = ended => ended,
        failed = restart => failed,
    };
    ended.map_err(|error| format!("crash {n}: {error}"))?;
    Ok(second.is_some())
}
