//! Five idle minutes, in which everything is looked at again and again and nothing is written. An API server alone: no pod has to run,
//! and nothing that other stories do is seen.

use std::{collections::BTreeMap, fs, time::Duration};

use marquee_tests::{
    Outcome,
    cluster::Options,
    operator::OperatorFixture,
    rights::{self, Right},
    wait,
};

const USER: &str = "marquee-idle";
const IDLE: Duration = Duration::from_secs(300);
const ARGS: &[&str] = &["--resync=2s", "--discovery=5s"];
/// The lease is renewed while there is a leader: that is its purpose.
const LEASES: &str = "leases";
const READS: [&str; 3] = ["get", "list", "watch"];

#[tokio::test(flavor = "multi_thread")]
async fn five_idle_minutes_pass_without_a_write_or_an_event() -> Outcome {
    let stage = OperatorFixture::alone("idle", Options { audit: true, ..Options::default() }).await?;
    stage.make_model().await?;
    stage.make_layout().await?;
    let kubeconfig = fs::read_to_string(stage.server.keys.user(USER, &["system:masters"])?)?;
    let mut operator = stage.operate_as("idle", &kubeconfig, ARGS)?;
    stage
        .until("both to be ready", async || {
            Ok(stage.is_ready("RankingModel", "m", 1).await?
                && stage.is_ready("PageLayout", "home", 1).await?)
        })
        .await?;
    let mut last = 0;
    let settled = async || {
        let writes = writes(&stage)?.values().sum::<usize>();
        let same = writes == std::mem::replace(&mut last, writes);
        if !same {
            return Ok(None);
        }
        // Two looks, between which a resync has passed.
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok((self::writes(&stage)?.values().sum::<usize>() == writes).then_some(()))
    };
    wait::until("the last write of the beginning", settled).await?;

    let (before, reconciled) = (writes(&stage)?, stage.said("idle", "reconciled")?);
    // The idleness is what is tried.
    tokio::time::sleep(IDLE).await;
    let (after, reconciles) = (writes(&stage)?, stage.said("idle", "reconciled")? - reconciled);
    eprintln!("{reconciles} reconciles in {IDLE:?} of idleness; writes before: {before:?}, after: {after:?}");
    assert!(operator.try_wait()?.is_none(), "the operator has ended");
    assert_eq!(after, before, "written although nothing changed");
    assert!(reconciles >= 200, "only {reconciles} reconciles: nothing was tried");
    Ok(())
}

/// What the operator wrote until now, as the audit log has it: events are writes, too.
fn writes(stage: &OperatorFixture) -> Outcome<BTreeMap<Right, usize>> {
    let mut done = rights::deeds(&stage.server.audit_log(), USER)?.used;
    done.retain(|right, _| !READS.contains(&right.verb.as_str()) && right.resource != LEASES);
    Ok(done)
}
