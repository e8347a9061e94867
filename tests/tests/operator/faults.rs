//! What the API server answers badly is tried again, not too often, and the end is the same.

use std::time::Duration;

use marquee_tests::Outcome;

use super::{
    proxy::{Asked, Fate, Proxy},
    stage::Stage,
    sweep::{ALONE, story, undisturbed},
};

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
        ("no-answer", Fate::Hang,        |asked| asked.writes == 3),
    ];
    all_end_the_same(&cases, "calm-faults").await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: the watches are cut every second"]
async fn whatever_becomes_of_watches_the_end_is_the_same_and_nobody_is_stormed() -> Outcome {
    #[rustfmt::skip]
    let cases: [(&str, Fate, Hit); 2] = [
        ("expired", Fate::Refuse(410),                 |asked| asked.watches() && asked.path.len() % 2 == 0),
        ("cut",     Fate::Cut(Duration::from_secs(1)), |asked| asked.watches()),
    ];
    all_end_the_same(&cases, "calm-watches").await
}

async fn all_end_the_same(cases: &[(&str, Fate, Hit)], calm: &str) -> Outcome {
    let (expected, writes) = undisturbed(calm).await?;
    for &(why, fate, hit) in cases {
        let stage = Stage::new(why).await?;
        let judge = move |asked: &Asked| if hit(asked) { fate } else { Fate::Pass };
        let proxy = Proxy::before(stage.server, judge).await?;
        let _operator = stage.operate_as(why, &proxy.kubeconfig().to_string(), ALONE)?;
        let ended = story(&stage, async || Ok(stage.world().await? == expected)).await;
        ended.map_err(|error| format!("{why}: {error}"))?;
        println!("{why}: {} writes of {} requests, undisturbed {writes}", proxy.writes(), proxy.all());
        assert!(proxy.writes() <= 4 * writes, "{why}: {} writes", proxy.writes());
        assert!(proxy.all() <= 1000, "{why}: {} requests", proxy.all());
    }
    Ok(())
}
