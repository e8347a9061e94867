//! An unchanged resource causes no writes. Another writer's change is corrected once, or kept if the field is theirs.

use std::time::{Duration, Instant};

use kube::api::{DynamicObject, Patch, PatchParams};
use marquee_tests::{
    Outcome,
    operator::{FaultAction, OperatorFixture, Proxy},
};
use serde_json::{Value, json};
use tokio::process::Child;

const OFTEN: &[&str] = &["--leader-elect=false", "--resync=1s"];
const NO_WRITES: [String; 0] = [];

/// A model and a page, with an operator that reconciles them every second.
struct Settled {
    fixture: OperatorFixture,
    proxy: Proxy,
    _operator: Child,
}

impl Settled {
    async fn new(namespace: &str) -> Outcome<Self> {
        let fixture = OperatorFixture::new(namespace).await?;
        fixture.make_model().await?;
        fixture.make_layout().await?;
        let proxy = Proxy::start(fixture.server, |_| FaultAction::Pass).await?;
        let operator = fixture.start_operator_with("often", &proxy.kubeconfig().to_string(), OFTEN)?;
        let settled = Self { fixture, proxy, _operator: operator };
        settled.settle().await?;
        Ok(settled)
    }

    /// Waits until both resources are ready and nothing is written.
    async fn settle(&self) -> Outcome {
        let is_settled = async || {
            let ready = self.fixture.is_ready("RankingModel", "m", 1).await?
                && self.fixture.is_ready("PageLayout", "home", 1).await?;
            Ok(ready && self.proxy.idle_time() > Duration::from_secs(3))
        };
        self.fixture.until("both to be ready and the operator to be idle", is_settled).await
    }

    /// Waits for ten more reconciles.
    async fn reconcile_ten_times(&self) -> Outcome {
        let reconciles = || self.fixture.log_count("often", "reconciled");
        let before = reconciles()?;
        self.fixture.until("ten reconciles", async || Ok(reconciles()? >= before + 10)).await
    }

    /// The Deployment of the model's revision, after another writer applied `change` and the operator reconciled.
    async fn deployment_after(&self, change: &Patch<Value>) -> Outcome<DynamicObject> {
        let revision =
            self.fixture.api("RankingModel")?.get("m").await?.data["status"]["latestRevision"].take();
        let name = format!("m-ranker-{}", revision.as_str().ok_or("no revision")?);
        self.fixture.api("Deployment")?.patch(&name, &PatchParams::default(), change).await?;
        self.reconcile_ten_times().await?;
        self.settle().await?;
        Ok(self.fixture.api("Deployment")?.get(&name).await?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_resource_causes_no_writes() -> Outcome {
    let settled = Settled::new("silence").await?;
    let n_writes = settled.proxy.n_writes();
    settled.reconcile_ten_times().await?;
    assert_eq!(settled.proxy.writes_since(n_writes), NO_WRITES, "writes although nothing changed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_a_mesh_adds_is_kept() -> Outcome {
    let settled = Settled::new("silence-mesh").await?;
    let mesh = json!({"spec": {"template": {"spec": {"containers": [{"name": "mesh", "image": "mesh:1"}]}}}});
    let deployment = settled.deployment_after(&Patch::Strategic(mesh)).await?;
    let containers = deployment.data["spec"]["template"]["spec"]["containers"].as_array().map_or(0, Vec::len);
    assert_eq!(containers, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_pods_that_an_autoscaler_sets_is_kept() -> Outcome {
    let settled = Settled::new("silence-replicas").await?;
    let deployment = settled.deployment_after(&Patch::Merge(json!({"spec": {"replicas": 3}}))).await?;
    assert_eq!(deployment.data["spec"]["replicas"], 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_annotation_of_another_writer_is_kept() -> Outcome {
    let settled = Settled::new("silence-annotation").await?;
    let change = json!({"metadata": {"annotations": {"theirs.example/a": "b"}}});
    let deployment = settled.deployment_after(&Patch::Merge(change)).await?;
    assert_eq!(deployment.metadata.annotations.unwrap_or_default()["theirs.example/a"], "b");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_our_field_is_corrected_with_one_event() -> Outcome {
    let settled = Settled::new("silence-drift").await?;
    let fixture = &settled.fixture;
    let before = fixture.snapshot().await?;
    fixture.patch("PodDisruptionBudget", "m-ranker", &json!({"spec": {"minAvailable": 3}})).await?;
    fixture.until("the budget to be corrected", async || Ok(fixture.snapshot().await? == before)).await?;
    settled.settle().await?;
    assert_eq!(fixture.event_count("DriftMended")?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_for_a_deleted_resource() -> Outcome {
    let settled = Settled::new("silence-deleted").await?;
    let Settled { fixture, proxy, .. } = &settled;
    for (kind, name) in [("RankingModel", "m"), ("PageLayout", "home")] {
        fixture.api(kind)?.delete(name, &Default::default()).await?;
    }
    // While the operator knows a resource, it reconciles it every second. A write that was in flight at the deletion may still arrive.
    let mut reconciles = (fixture.log_count("often", "reconcile")?, Instant::now());
    fixture
        .until("the operator to see the deletion, and writes in flight to end", async || {
            let now = fixture.log_count("often", "reconcile")?;
            if now != reconciles.0 {
                reconciles = (now, Instant::now());
            }
            Ok(reconciles.1.elapsed() > Duration::from_secs(4) && proxy.idle_time() > Duration::from_secs(1))
        })
        .await?;
    let n_writes = proxy.n_writes();
    fixture
        .until("five seconds without a write", async || Ok(proxy.idle_time() > Duration::from_secs(5)))
        .await?;
    assert_eq!(proxy.writes_since(n_writes), NO_WRITES, "writes after the deletion");
    Ok(())
}
