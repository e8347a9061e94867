//! The operator crashes at each of its writes in turn, and the next one ends where an undisturbed one would.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use marquee_tests::Outcome;
use serde_json::{Value, json};

use super::{
    proxy::{Asked, Fate, Proxy},
    stage::Stage,
};

pub const ALONE: &[&str] = &["--leader-elect=false"];
/// Crashes that are tried at a time: nearly all of their time is waiting.
const AT_ONCE: usize = 6;

/// A model is made, and gets another artifact once it is ready; waits until `done`.
pub async fn story(stage: &Stage, mut done: impl AsyncFnMut() -> Outcome<bool>) -> Outcome {
    stage.make_model().await?;
    let mut changed = false;
    stage
        .until("the story to end", async || {
            if changed {
                return done().await;
            }
            if stage.is_ready("RankingModel", "m", 1).await? {
                let change = json!({"spec": {"artifact": {"uri": "s3://models/top-2"}}});
                stage.patch("RankingModel", "m", &change).await?;
                changed = true;
            }
            Ok(false)
        })
        .await
}

/// The end of the story when nothing disturbs it, and how many writes that took.
pub async fn undisturbed(namespace: &str) -> Outcome<(BTreeMap<String, Value>, usize)> {
    let stage = Stage::new(namespace).await?;
    let proxy = Proxy::before(stage.server, |_| Fate::Pass).await?;
    let _operator = stage.operate_as("calm", &proxy.kubeconfig().to_string(), ALONE)?;
    story(&stage, async || {
        let quiet = proxy.quiet() > Duration::from_secs(4);
        Ok(quiet && stage.is_ready("RankingModel", "m", 2).await?)
    })
    .await?;
    Ok((stage.world().await?, proxy.writes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_write_changes_nothing_about_the_end() -> Outcome {
    let (expected, writes) = undisturbed("calm-sweep").await?;
    assert!(expected.keys().filter(|key| key.starts_with("Deployment/")).count() == 1, "{expected:?}");
    let crashes = (1..=writes).flat_map(|n| [(n, Fate::CrashBefore), (n, Fate::CrashAfter)]);
    let crashed: Vec<bool> = stream::iter(crashes)
        .map(|(n, fate)| Box::pin(crash(n, fate, &expected)))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let crashed = crashed.into_iter().filter(|crashed| *crashed).count();
    println!("{writes} writes, {crashed} crashes");
    // A run may need a write less than another, since it may see two changes at once.
    assert!(crashed + 6 >= 2 * writes, "{crashed} of {writes} writes crashed");
    Ok(())
}

/// Whether it came to the crash.
async fn crash(n: usize, fate: Fate, expected: &BTreeMap<String, Value>) -> Outcome<bool> {
    let stage = Stage::new(&format!("{n}-{fate:?}").to_lowercase()).await?;
    let judge = move |asked: &Asked| if asked.writes == n { fate } else { Fate::Pass };
    let proxy = Proxy::before(stage.server, judge).await?;
    let mut first = Some(stage.operate_as("first", &proxy.kubeconfig().to_string(), ALONE)?);
    let mut second = None;
    let ended = story(&stage, async || Ok(stage.world().await? == *expected));
    let restart = async {
        loop {
            if proxy.has_crashed()
                && let Some(mut crashed) = first.take()
            {
                crashed.kill().await?;
                second = Some(stage.operate(ALONE)?);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let ended = tokio::select! {
        ended = ended => ended,
        failed = restart => failed,
    };
    ended.map_err(|error| format!("{fate:?} {n}: {error}"))?;
    Ok(second.is_some())
}
