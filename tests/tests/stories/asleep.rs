//! Five idle minutes with many reconciles and no write. The story uses its own API server without a node: it needs no pods, and other
//! stories cannot disturb it.

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
/// The leader renews its lease all the time.
const LEASES: &str = "leases";
const READS: [&str; 3] = ["get", "list", "watch"];

#[tokio::test(flavor = "multi_thread")]
async fn five_idle_minutes_pass_without_a_write_or_an_event() -> Outcome {
    let fixture = OperatorFixture::alone("idle", Options { audit: true, ..Options::default() }).await?;
    fixture.make_model().await?;
    fixture.make_layout().await?;
    let kubeconfig = fs::read_to_string(fixture.server.keys.user(USER, &["system:masters"])?)?;
    let mut operator = fixture.start_operator_with("idle", &kubeconfig, ARGS)?;
    fixture.both_ready().await?;
    let mut last = 0;
    let settled = async || {
        let writes = writes(&fixture)?.values().sum::<usize>();
        let same = writes == std::mem::replace(&mut last, writes);
        if !same {
            return Ok(None);
        }
        // Count twice, with a resync between.
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok((self::writes(&fixture)?.values().sum::<usize>() == writes).then_some(()))
    };
    wait::until("the last write of the start", settled).await?;

    let (before, reconciled) = (writes(&fixture)?, fixture.log_count("idle", "reconciled")?);
    // The story tests this idle time.
    tokio::time::sleep(IDLE).await;
    let (after, reconciles) = (writes(&fixture)?, fixture.log_count("idle", "reconciled")? - reconciled);
    eprintln!("{reconciles} reconciles in {IDLE:?} of idleness; writes before: {before:?}, after: {after:?}");
    assert!(operator.try_wait()?.is_none(), "the operator has ended");
    assert_eq!(after, before, "writes although nothing changed");
    assert!(reconciles >= 200, "only {reconciles} reconciles: too few for this test");
    Ok(())
}

/// Writes of the operator so far, events included, from the audit log.
fn writes(fixture: &OperatorFixture) -> Outcome<BTreeMap<Right, usize>> {
    let mut done = rights::user_requests(&fixture.server.audit_log(), USER)?.used;
    done.retain(|right, _| !READS.contains(&right.verb.as_str()) && right.resource != LEASES);
    Ok(done)
}
