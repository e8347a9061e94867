//! The operator crashes after each of its writes in turn, and the next one ends where an undisturbed one would.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use marquee_tests::{
    Outcome,
    operator::{Asked, Fate, OperatorFixture, Proxy, is_ready},
};
use serde_json::{Value, json};

pub const ALONE: &[&str] = &["--leader-elect=false"];
/// Crashes that are tried at a time: nearly all of their time is waiting.
const AT_ONCE: usize = 6;

/// A model and its page are made, the model gets another artifact once both are ready, and both are deleted, the model first; waits until
/// `done`.
pub async fn life(stage: &OperatorFixture, mut done: impl AsyncFnMut() -> Outcome<bool>) -> Outcome {
    stage.make_model().await?;
    stage.make_layout().await?;
    stage
        .until("both to be ready", async || {
            Ok(stage.is_ready("RankingModel", "m", 1).await?
                && stage.is_ready("PageLayout", "home", 1).await?)
        })
        .await?;
    let change = json!({"spec": {"artifact": {"uri": "s3://models/top-2"}}});
    stage.patch("RankingModel", "m", &change).await?;
    stage
        .until("the change to be served, and nothing to be left of what served before", async || {
            // One look at the status, and before the children: what two looks say at different times does not belong together.
            let Some(model) = stage.api("RankingModel")?.get_opt("m").await? else { return Ok(false) };
            let status = &model.data["status"];
            if status["revision"] != status["latestRevision"] || !is_ready(&model, 2) {
                return Ok(false);
            }
            for kind in ["ConfigMap", "Service", "Deployment", "HorizontalPodAutoscaler"] {
                let names = stage.names(kind).await?;
                if names.iter().filter(|name| name.starts_with("m-ranker-")).count() != 1 {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await?;
    stage.delete("RankingModel", "m").await?;
    stage.says(("PageLayout", "home"), "ModelsResolved", "False ObjectiveNotFound").await?;
    stage.delete("PageLayout", "home").await?;
    stage.until("the end of the story", async || done().await).await
}

/// How the story goes when nothing disturbs it.
pub struct Calm {
    /// What is there in the end. Nobody collects what belonged to what was deleted.
    pub world: BTreeMap<String, Value>,
    pub writes: usize,
    pub requests: usize,
}

pub async fn undisturbed(namespace: &str) -> Outcome<Calm> {
    let stage = OperatorFixture::new(namespace).await?;
    let proxy = Proxy::before(stage.server, |_| Fate::Pass).await?;
    let _operator = stage.operate_as("calm", &proxy.kubeconfig().to_string(), ALONE)?;
    life(&stage, async || Ok(proxy.quiet() > Duration::from_secs(2))).await?;
    Ok(Calm { world: stage.world().await?, writes: proxy.writes(), requests: proxy.all() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_any_write_changes_nothing_about_the_end() -> Outcome {
    let Calm { world, writes, .. } = undisturbed("calm-sweep").await?;
    let of = |kind: &str| world.keys().filter(|key| key.starts_with(kind)).count();
    assert_eq!((of("Deployment/"), of("ConfigMap/"), of("RankingModel/")), (2, 2, 0), "{world:?}");
    // That it came to life and died before its first write is one of them.
    let crashed: Vec<bool> = stream::iter(0..=writes)
        .map(|n| Box::pin(crash(n, &world)))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let crashed = crashed.into_iter().filter(|crashed| *crashed).count();
    println!("{writes} writes, {crashed} crashes");
    // A run may need a few writes less than another, since it may see two changes at once.
    assert!(crashed + 6 >= writes, "{crashed} of {writes} writes crashed");
    Ok(())
}

/// Whether it came to the crash.
async fn crash(n: usize, expected: &BTreeMap<String, Value>) -> Outcome<bool> {
    let stage = OperatorFixture::new(&format!("crash-{n}")).await?;
    let judge = move |asked: &Asked| match asked.writes {
        1 if n == 0 && asked.writes() => Fate::CrashBefore,
        writes if writes == n && asked.writes() => Fate::CrashAfter,
        _ => Fate::Pass,
    };
    let proxy = Proxy::before(stage.server, judge).await?;
    let mut first = Some(stage.operate_as("first", &proxy.kubeconfig().to_string(), ALONE)?);
    let mut second = None;
    let ended = life(&stage, async || Ok(stage.world().await? == *expected));
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
    ended.map_err(|error| format!("crash {n}: {error}"))?;
    Ok(second.is_some())
}
