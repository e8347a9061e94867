//! Pages whose model runs in another process: they are the same, and need only a fraction of the scores.

#![cfg(test)]

#[path = "../engine/artifacts.rs"]
#[allow(dead_code, reason = "each of its users needs a part of it")]
mod artifacts;
#[allow(dead_code, reason = "each of its users needs a part of it")]
mod split;

use std::sync::atomic::Ordering::Relaxed;

use artifacts::Size;
use split::{Split, page};

const SIZE: Size = Size { viewers: 40, titles: 20_000, factors: 16 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_from_lists_of_titles_equals_the_page_from_all_scores() {
    let split = Split::start(SIZE).await;
    let all = split.received.load(Relaxed);
    let first = page(&split.page, "v3", &[]).await;
    assert!(
        split.received.load(Relaxed) - all > 4 * SIZE.titles as u64,
        "before the model knows the slices, all scores travel"
    );
    assert_eq!(first, page(&split.single, "v3", &[]).await);

    split.settle(SIZE.titles).await;
    let viewers: Vec<String> = (0..8).map(|n| format!("v{n}")).chain(["nobody".to_owned()]).collect();
    for viewer in &viewers {
        for recent in [&[][..], &["t77"], &["t5", "t19990", "no-such-title", "t19999"]] {
            let before = split.received.load(Relaxed);
            let remote = page(&split.page, viewer, recent).await;
            let received = split.received.load(Relaxed) - before;
            assert_eq!(remote, page(&split.single, viewer, recent).await, "{viewer} {recent:?}");
            assert!(received < 2 * SIZE.titles as u64, "{received} bytes for {viewer} {recent:?}");
        }
    }
}
