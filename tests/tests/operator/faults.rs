//! What the API server answers badly is tried again, not too often, and the end is the same.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use marquee_tests::{
    Outcome,
    operator::{Asked, Fate, OperatorFixture, Proxy},
};

use super::sweep::{ALONE, Calm, life, undisturbed};

/// Which requests are answered badly.
type Hit = fn(&Asked) -> bool;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_answered_badly_the_end_is_the_same_and_nobody_is_stormed() -> Outcome {
    let every_third = |asked: &Asked| asked.writes() && asked.writes % 3 == 1;
    #[rustfmt::skip]
    let cases: [(&str, Fate, Hit); 4] = [
        ("conflict",  Fate::Refuse(409), every_third),
        ("too-many",  Fate::Refuse(429), every_third),
        ("broken",    Fate::Refuse(500), every_third),
        ("no-answer", Fate::Hang,        |asked| asked.writes() && asked.writes == 3),
    ];
    all_end_the_same(&cases, "calm-faults").await
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_watches_the_end_is_the_same_and_nobody_is_stormed() -> Outcome {
    const SOON: Duration = Duration::from_millis(500);
    // A list and a watch of each kind are some 25 requests: all watches are hit, most of them several times.
    let early = |asked: &Asked| asked.watches() && asked.all <= 75;
    #[rustfmt::skip]
    let cases: [(&str, Fate, Hit); 4] = [
        ("expired-at-once", Fate::Refuse(410),  early),
        ("expired-later",   Fate::Expire(SOON), early),
        ("cut",             Fate::Cut(SOON),    early),
        ("lists-refused",   Fate::Refuse(500),  |asked| !asked.writes() && asked.path.contains("limit=") && asked.all % 4 == 0),
    ];
    all_end_the_same(&cases, "calm-watches").await
}

async fn all_end_the_same(cases: &[(&'static str, Fate, Hit)], calm: &str) -> Outcome {
    let calm = undisturbed(calm).await?;
    let ends = stream::iter(cases).map(|&(why, fate, hit)| Box::pin(ends_the_same(why, (fate, hit), &calm)));
    ends.buffer_unordered(cases.len()).try_collect().await
}

async fn ends_the_same(why: &'static str, (fate, hit): (Fate, Hit), calm: &Calm) -> Outcome {
    let stage = OperatorFixture::new(why).await?;
    let judge = move |asked: &Asked| if hit(asked) { fate } else { Fate::Pass };
    let proxy = Proxy::before(stage.server, judge).await?;
    let _operator = stage.operate_as(why, &proxy.kubeconfig().to_string(), ALONE)?;
    let ended = life(&stage, async || Ok(stage.world().await? == calm.world)).await;
    ended.map_err(|error| format!("{why}: {error}"))?;
    let (writes, requests) = (proxy.writes(), proxy.all());
    println!(
        "{why}: {writes} writes of {requests} requests, undisturbed {} of {}",
        calm.writes, calm.requests
    );
    assert!(writes <= 4 * calm.writes, "{why}: {writes} writes");
    assert!(requests <= 8 * calm.requests, "{why}: {requests} requests");
    Ok(())
}
