//! Counts the bytes between a page of 14 rows with 20 titles and its model in another process: first all scores, then lists of
//! titles.
//!
//! `cargo run --release -p marquee-runtime --example wire_bytes`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    dead_code,
    reason = "an example prints, stops at the first error, and uses only some of the functions that tests share"
)]

#[path = "../tests/engine/artifacts.rs"]
mod artifacts;
#[path = "../tests/remote/split.rs"]
mod split;

use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use artifacts::Size;
use split::{Split, page};

#[tokio::main]
async fn main() {
    for titles in [1_682, 20_000, 1_000_000] {
        let split = Split::start(Size { viewers: 40, titles, factors: 16 }).await;
        for (what, viewer) in [("first page", "v3"), ("second page", "v4")] {
            measure(&split, titles, what, viewer).await;
        }
        // Meanwhile the page sends its slices, once.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let slices = split.sent.load(Relaxed);
        println!("{titles:>9} titles: {slices:>9} bytes sent so far, slices included");
        for viewer in ["v5", "v6"] {
            measure(&split, titles, "a page later", viewer).await;
        }
    }
}

async fn measure(split: &Split, titles: usize, what: &str, viewer: &str) {
    let before = (split.received.load(Relaxed), split.sent.load(Relaxed), Instant::now());
    page(&split.page, viewer, &[]).await;
    let took = before.2.elapsed();
    let (received, sent) = (split.received.load(Relaxed) - before.0, split.sent.load(Relaxed) - before.1);
    println!("{titles:>9} titles: {what:<13} {received:>9} bytes received, {sent:>7} sent, {took:?}");
}
