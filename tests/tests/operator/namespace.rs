//! A namespace that is being deleted: what the operator cannot create there is no failure.

use std::time::Duration;

use marquee_tests::{
    Outcome,
    operator::{FaultAction, OperatorFixture, Proxy},
};

use super::sweep::ALONE;

/// No controller of this API server empties the namespace, so the resources stay: the worst case for an operator that tries again.
#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_is_being_deleted_is_left_alone_without_a_warning() -> Outcome {
    let fixture = OperatorFixture::new("going").await?;
    let proxy = Proxy::start(fixture.server, |_| FaultAction::Pass).await?;
    let _operator = fixture.start_operator_with("going", &proxy.kubeconfig().to_string(), ALONE)?;
    fixture.make_model().await?;
    fixture.make_layout().await?;
    fixture.both_ready().await?;
    fixture.server.kubectl(&["delete", "namespace", "going", "--wait=false"])?;
    let before = proxy.n_writes();
    for (kind, name) in [("Service", "m-ranker"), ("PodDisruptionBudget", "home-page")] {
        fixture.api(kind)?.delete(name, &Default::default()).await?;
    }
    let left = "its namespace is being deleted";
    fixture.until("the operator to notice", async || Ok(fixture.log_count("going", left)? >= 2)).await?;
    fixture.until("it to rest", async || Ok(proxy.idle_time() > Duration::from_secs(3))).await?;
    let writes = proxy.writes_since(before);
    assert!(writes.len() <= 8, "{writes:?}");
    for alarm in [" WARN ", "ERROR", "reconcile failed"] {
        assert_eq!(fixture.log_count("going", alarm)?, 0, "{alarm}");
    }
    Ok(())
}
