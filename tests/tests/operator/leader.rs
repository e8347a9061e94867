//! Two operators: one leads at a time, and one that was frozen writes nothing when it wakes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use marquee_tests::{
    Outcome,
    operator::{Asked, Fate, OperatorFixture, Proxy},
    wait,
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

const SHORT: &[&str] = &["--lease-duration=3s", "--renew-deadline=2s", "--retry-period=300ms"];

fn send(to: &Child, signal: Signal) -> Outcome {
    let id = to.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).ok_or("it has ended")?;
    Ok(kill_process(id, signal)?)
}

async fn leads(stage: &OperatorFixture, name: &str) -> Outcome {
    stage.until(&format!("{name} to lead"), async || Ok(stage.said(name, "leading")? > 0)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_leader_is_killed_the_other_leads_and_an_end_in_order_gives_the_lease_back() -> Outcome {
    let stage = OperatorFixture::new("killed").await?;
    let kubeconfig = std::fs::read_to_string(stage.server.kubeconfig())?;
    let mut one = stage.operate_as("one", &kubeconfig, SHORT)?;
    leads(&stage, "one").await?;
    let mut two = stage.operate_as("two", &kubeconfig, SHORT)?;
    stage.until("two to wait", async || Ok(stage.said("two", "waiting for the lease")? > 0)).await?;
    one.kill().await?;
    stage.make_model().await?;
    stage.model_ready(1).await?;
    assert_eq!(stage.said("two", "leading")?, 1);
    let long = ["--lease-duration=300s", "--renew-deadline=200s", "--retry-period=300ms"];
    let _three = stage.operate_as("three", &kubeconfig, &long)?;
    send(&two, Signal::TERM)?;
    assert!(two.wait().await?.success());
    assert_eq!(stage.said("two", "released the lease")?, 1);
    leads(&stage, "three").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_was_frozen_writes_nothing_when_it_wakes_and_ends() -> Outcome {
    let stage = OperatorFixture::new("frozen").await?;
    let proxy = Proxy::before(stage.server, |_| Fate::Pass).await?;
    let mut one = stage.operate_as("one", &proxy.kubeconfig().to_string(), SHORT)?;
    leads(&stage, "one").await?;
    stage.make_model().await?;
    stage.model_ready(1).await?;
    send(&one, Signal::STOP)?;
    let kubeconfig = std::fs::read_to_string(stage.server.kubeconfig())?;
    let _two = stage.operate_as("two", &kubeconfig, SHORT)?;
    leads(&stage, "two").await?;
    // Work for it, were it still to lead.
    let change = serde_json::json!({"spec": {"artifact": {"uri": "s3://models/top-2"}}});
    stage.patch("RankingModel", "m", &change).await?;
    stage.model_ready(2).await?;
    let writes = proxy.writes();
    send(&one, Signal::CONT)?;
    let ended = wait::until("the frozen one to end", async || Ok(one.try_wait()?)).await?;
    assert!(!ended.success(), "{ended}");
    // At most a try to renew the lease, which the API server refuses.
    assert!(proxy.writes() <= writes + 1, "{} writes after it woke", proxy.writes() - writes);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_ends_and_the_other_leads() -> Outcome {
    let stage = OperatorFixture::new("cut-off").await?;
    let proxy = Proxy::before(stage.server, |_| Fate::Pass).await?;
    let mut one = stage.operate_as("one", &proxy.kubeconfig().to_string(), SHORT)?;
    leads(&stage, "one").await?;
    let kubeconfig = std::fs::read_to_string(stage.server.kubeconfig())?;
    let _two = stage.operate_as("two", &kubeconfig, SHORT)?;
    stage.until("two to wait", async || Ok(stage.said("two", "waiting for the lease")? > 0)).await?;
    proxy.cut_off();
    let ended = wait::until("the one that is cut off to end", async || Ok(one.try_wait()?)).await?;
    assert!(!ended.success(), "{ended}");
    leads(&stage, "two").await?;
    stage.make_model().await?;
    stage.model_ready(1).await
}

/// The worst case: all that it writes would arrive, but for its lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_cannot_renew_writes_nothing_once_another_may_lead() -> Outcome {
    let stage = OperatorFixture::new("not-renewed").await?;
    let cut = Arc::new(AtomicBool::new(false));
    let judge = {
        let cut = cut.clone();
        move |asked: &Asked| match cut.load(SeqCst) && asked.path.contains("/leases/") {
            true => Fate::Refuse(500),
            false => Fate::Pass,
        }
    };
    let proxy = Proxy::before(stage.server, judge).await?;
    let mut one = stage.operate_as("one", &proxy.kubeconfig().to_string(), SHORT)?;
    leads(&stage, "one").await?;
    stage.make_model().await?;
    stage.model_ready(1).await?;
    cut.store(true, SeqCst);
    let kubeconfig = std::fs::read_to_string(stage.server.kubeconfig())?;
    let _two = stage.operate_as("two", &kubeconfig, SHORT)?;
    leads(&stage, "two").await?;
    let writes = proxy.writes();
    let change = serde_json::json!({"spec": {"artifact": {"uri": "s3://models/top-2"}}});
    stage.patch("RankingModel", "m", &change).await?;
    stage.model_ready(2).await?;
    let ended = wait::until("the one without a lease to end", async || Ok(one.try_wait()?)).await?;
    assert!(!ended.success(), "{ended}");
    assert_eq!(proxy.writes(), writes, "two writers at a time");
    Ok(())
}
