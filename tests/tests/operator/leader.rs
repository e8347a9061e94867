//! Two operators: only one leads at a time, and a leader that was stopped and continues writes nothing.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use marquee_tests::{
    Outcome,
    operator::{FaultAction, OperatorFixture, Proxy, ProxyRequest},
    wait,
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

const SHORT: &[&str] = &["--lease-duration=3s", "--renew-deadline=2s", "--retry-period=300ms"];

fn send(to: &Child, signal: Signal) -> Outcome {
    let id = to
        .id()
        .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))
        .ok_or("the operator process has ended")?;
    Ok(kill_process(id, signal)?)
}

async fn wait_until_leading(fixture: &OperatorFixture, name: &str) -> Outcome {
    fixture.until(&format!("{name} to lead"), async || Ok(fixture.log_count(name, "leading")? > 0)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_operator_takes_over_from_a_killed_leader_and_releases_the_lease_on_shutdown() -> Outcome {
    let fixture = OperatorFixture::new("killed").await?;
    let kubeconfig = std::fs::read_to_string(fixture.server.kubeconfig())?;
    let mut one = fixture.start_operator_with("one", &kubeconfig, SHORT)?;
    wait_until_leading(&fixture, "one").await?;
    let mut two = fixture.start_operator_with("two", &kubeconfig, SHORT)?;
    fixture.until("two to wait", async || Ok(fixture.log_count("two", "waiting for the lease")? > 0)).await?;
    one.kill().await?;
    fixture.make_model().await?;
    fixture.model_ready(1).await?;
    assert_eq!(fixture.log_count("two", "leading")?, 1);
    let long = ["--lease-duration=300s", "--renew-deadline=200s", "--retry-period=300ms"];
    let _three = fixture.start_operator_with("three", &kubeconfig, &long)?;
    send(&two, Signal::TERM)?;
    assert!(two.wait().await?.success());
    assert_eq!(fixture.log_count("two", "released the lease")?, 1);
    wait_until_leading(&fixture, "three").await
}

/// As after a renewal that the shutdown interrupted: the version that the leader knows is not the last one.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_released_although_its_version_is_newer_than_the_leader_knows() -> Outcome {
    let fixture = OperatorFixture::new("renewed").await?;
    let kubeconfig = std::fs::read_to_string(fixture.server.kubeconfig())?;
    // No renewal comes between the change and the end.
    let long = ["--lease-duration=300s", "--renew-deadline=200s", "--retry-period=100s"];
    let mut one = fixture.start_operator_with("one", &kubeconfig, &long)?;
    wait_until_leading(&fixture, "one").await?;
    let lease = fixture.kubectl(&["get", "leases", "-o", "name"])?;
    let lease = lease.trim();
    fixture.kubectl(&["annotate", lease, "example.com/newer=yes"])?;
    send(&one, Signal::TERM)?;
    assert!(one.wait().await?.success());
    assert_eq!(fixture.log_count("one", "released the lease")?, 1);
    assert_eq!(fixture.kubectl(&["get", lease, "-o", "jsonpath={.spec.holderIdentity}"])?, "");
    Ok(())
}

/// As after an uninstall, which takes the right to release the Lease before the operator ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_taken_at_once_when_the_pod_of_its_holder_is_gone_and_not_before() -> Outcome {
    let fixture = OperatorFixture::new("holder-gone").await?;
    let kubeconfig = std::fs::read_to_string(fixture.server.kubeconfig())?;
    let pod = serde_json::json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", "namespace": "holder-gone"},
        "spec": {"automountServiceAccountToken": false, "containers": [{"name": "operator", "image": "operator"}]},
    });
    fixture.server.kubectl(&["-n", "holder-gone", "create", "serviceaccount", "default"])?;
    fixture.server.apply(&pod.to_string())?;
    let get = ["-n", "holder-gone", "get", "pod/one", "-o", "jsonpath={.metadata.uid}"];
    let uid = fixture.server.kubectl(&get)?;
    // Without the pod as a proof, the second operator would wait for five minutes.
    let long = ["--lease-duration=300s", "--renew-deadline=200s", "--retry-period=300ms"];
    let start = |name: &str, more: &str| {
        fixture.start_operator_with(name, &kubeconfig, &[&long[..], &[more]].concat())
    };
    let mut one = start("one", &format!("--pod=holder-gone/one/{uid}"))?;
    wait_until_leading(&fixture, "one").await?;
    let proxy = Proxy::start(fixture.server, |_| FaultAction::Pass).await?;
    let two = [&long[..], &["--pod=holder-gone/two/2"]].concat();
    let mut two = fixture.start_operator_with("two", &proxy.kubeconfig().to_string(), &two)?;
    one.kill().await?;
    fixture.until("two to look several times", async || Ok(proxy.n_requests() > 8)).await?;
    assert_eq!(fixture.log_count("two", "leading")?, 0, "the pod is still there: its process may run");
    fixture.server.kubectl(&["-n", "holder-gone", "delete", "pod/one", "--force", "--grace-period=0"])?;
    wait_until_leading(&fixture, "two").await?;
    two.kill().await?;
    // Of a candidate no pod is needed.
    let _three = start("three", "--identity=three")?;
    wait_until_leading(&fixture, "three").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_was_stopped_by_a_signal_exits_without_a_write_when_it_continues() -> Outcome {
    let fixture = OperatorFixture::new("frozen").await?;
    let proxy = Proxy::start(fixture.server, |_| FaultAction::Pass).await?;
    let mut one = fixture.start_operator_with("one", &proxy.kubeconfig().to_string(), SHORT)?;
    wait_until_leading(&fixture, "one").await?;
    fixture.make_model().await?;
    fixture.model_ready(1).await?;
    send(&one, Signal::STOP)?;
    let kubeconfig = std::fs::read_to_string(fixture.server.kubeconfig())?;
    let _two = fixture.start_operator_with("two", &kubeconfig, SHORT)?;
    wait_until_leading(&fixture, "two").await?;
    // The stopped operator would reconcile this change if it still led.
    let change = serde_json::json!({"spec": {"artifact": {"uri": "s3://models/top-2"}}});
    fixture.patch("RankingModel", "m", &change).await?;
    fixture.model_ready(2).await?;
    let n_writes = proxy.n_writes();
    send(&one, Signal::CONT)?;
    let ended = wait::until("the stopped operator to exit", async || Ok(one.try_wait()?)).await?;
    assert!(!ended.success(), "{ended}");
    // At most one attempt to renew the lease, which the API server refuses.
    let writes = proxy.writes_since(n_writes);
    assert!(writes.len() <= 1, "writes after it continued: {writes:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_without_a_connection_exits_and_the_other_takes_over() -> Outcome {
    let fixture = OperatorFixture::new("cut-off").await?;
    let proxy = Proxy::start(fixture.server, |_| FaultAction::Pass).await?;
    let mut one = fixture.start_operator_with("one", &proxy.kubeconfig().to_string(), SHORT)?;
    wait_until_leading(&fixture, "one").await?;
    let kubeconfig = std::fs::read_to_string(fixture.server.kubeconfig())?;
    let _two = fixture.start_operator_with("two", &kubeconfig, SHORT)?;
    fixture.until("two to wait", async || Ok(fixture.log_count("two", "waiting for the lease")? > 0)).await?;
    proxy.cut_off();
    let ended =
        wait::until("the operator without a connection to exit", async || Ok(one.try_wait()?)).await?;
    assert!(!ended.success(), "{ended}");
    wait_until_leading(&fixture, "two").await?;
    fixture.make_model().await?;
    fixture.model_ready(1).await
}

/// The worst case: every write succeeds except the renewal of the lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_cannot_renew_its_lease_writes_nothing_after_another_may_lead() -> Outcome {
    let fixture = OperatorFixture::new("not-renewed").await?;
    let renewal_fails = Arc::new(AtomicBool::new(false));
    let rule = {
        let renewal_fails = renewal_fails.clone();
        move |request: &ProxyRequest| match renewal_fails.load(SeqCst) && request.path.contains("/leases/") {
            true => FaultAction::Refuse(500),
            false => FaultAction::Pass,
        }
    };
    let proxy = Proxy::start(fixture.server, rule).await?;
    let mut one = fixture.start_operator_with("one", &proxy.kubeconfig().to_string(), SHORT)?;
    wait_until_leading(&fixture, "one").await?;
    fixture.make_model().await?;
    fixture.model_ready(1).await?;
    renewal_fails.store(true, SeqCst);
    let kubeconfig = std::fs::read_to_string(fixture.server.kubeconfig())?;
    let _two = fixture.start_operator_with("two", &kubeconfig, SHORT)?;
    wait_until_leading(&fixture, "two").await?;
    let n_writes = proxy.n_writes();
    let change = serde_json::json!({"spec": {"artifact": {"uri": "s3://models/top-2"}}});
    fixture.patch("RankingModel", "m", &change).await?;
    fixture.model_ready(2).await?;
    let ended = wait::until("the operator without a lease to exit", async || Ok(one.try_wait()?)).await?;
    assert!(!ended.success(), "{ended}");
    assert_eq!(proxy.writes_since(n_writes), [] as [String; 0], "two operators wrote at the same time");
    Ok(())
}
