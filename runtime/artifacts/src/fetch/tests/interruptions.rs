//! Downloads that do not come to their end at the first try.

use std::process::{Command, Stdio};
use std::time::Instant;

use super::*;

const CHILD: &str = "MARQUEE_TEST_FETCH_CHILD";

/// Where the weights are kept until they are whole.
fn partial(stage: &StoreFixture) -> PathBuf {
    let bytes = std::fs::read(stage.store.place("models/ease").join(WEIGHTS)).unwrap();
    let name = format!("{}.{}.partial", Digest::of(&bytes), bytes.len());
    stage.cache.path().join("blobs").join(name)
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

/// Waits for `holds`, at most ten seconds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what} within ten seconds");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Runs this very test again in a process that fetches, kills that process in the middle, and goes on from there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_download_leaves_nothing_whole_and_the_next_goes_on() {
    if let Ok(settings) = std::env::var(CHILD) {
        let settings: (Vec<(String, String)>, PathBuf, String) = serde_json::from_str(&settings).unwrap();
        let options = FetchOptions { store_settings: settings.0, ..FetchOptions::new(settings.1) };
        Fetcher::new(options).fetch(URI, Some(settings.2.parse().unwrap()), |_| ()).await.unwrap();
        return;
    }
    let stage = StoreFixture::new().await;
    stage.store.spoil(WEIGHTS, Spoil::Stall(300_000), 1);
    let settings = (stage.store.settings(), stage.cache.path(), stage.digest.to_string());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "fetch::tests::interruptions::a_killed_download_leaves_nothing_whole_and_the_next_goes_on",
        ])
        .env(CHILD, serde_json::to_string(&settings).unwrap())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let kept = partial(&stage);
    until("half the weights arrive", || length(&kept) == 300_000).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!stage.is_whole());
    stage.fetch().await.unwrap();
    assert!(stage.is_whole());
    assert_eq!(stage.store.ranges_of(WEIGHTS), [None, Some("bytes=300000-".to_owned())]);
}

#[tokio::test]
async fn a_dropped_call_keeps_what_has_arrived() {
    let stage = StoreFixture::new().await;
    // Every answer stalls: on a busy machine the fetch may have asked again before its first bytes are noticed here.
    stage.store.spoil(WEIGHTS, Spoil::Stall(100_000), 100);
    let kept = partial(&stage);
    tokio::select! {
        fetched = stage.fetch() => panic!("{fetched:?}"),
        () = until("some weights arrive", || length(&kept) >= 100_000) => {}
    }
    let arrived = length(&kept);
    stage.store.mend();
    stage.fetch().await.unwrap();
    assert_eq!(stage.store.ranges_of(WEIGHTS).last().unwrap(), &Some(format!("bytes={arrived}-")));
}

#[tokio::test]
async fn a_call_that_is_dropped_at_any_moment_does_not_disturb_the_next() {
    let stage = StoreFixture::new().await;
    for n in 0..150_u64 {
        let cache = tempfile::tempdir().unwrap();
        let fetcher = Fetcher::new(FetchOptions { cache_dir: cache.path().to_owned(), ..stage.options() });
        let fetch = fetcher.fetch(URI, Some(stage.digest), |_| ());
        // Threads that write or rename files go on after the drop.
        let _ = tokio::time::timeout(Duration::from_micros(200 * n), fetch).await;
        let fetched = fetcher.fetch(URI, Some(stage.digest), |_| ()).await;
        assert!(fetched.is_ok(), "dropped after {n} x 200 us: {fetched:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_gone_on_with() {
    let stage = StoreFixture::new().await;
    stage.store.spoil(WEIGHTS, Spoil::Cut(150_000), 2);
    stage.fetch().await.unwrap();
    assert_eq!(stage.store.requests_for(WEIGHTS), 3);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_asked_again() {
    let stage = StoreFixture::new().await;
    stage.store.spoil(WEIGHTS, Spoil::Stall(150_000), 1);
    let fetcher = Fetcher::new(FetchOptions { stall: Duration::from_millis(200), ..stage.options() });
    fetcher.fetch(URI, Some(stage.digest), |_| ()).await.unwrap();
    assert_eq!(stage.store.ranges_of(WEIGHTS).last().unwrap().as_deref(), Some("bytes=150000-"));
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_given_up_on_at_last() {
    let stage = StoreFixture::new().await;
    stage.store.spoil(WEIGHTS, Spoil::Status(503), 2);
    stage.fetch().await.unwrap();
    assert_eq!(stage.store.requests_for(WEIGHTS), 3);

    let stage = StoreFixture::new().await;
    stage.store.spoil(WEIGHTS, Spoil::Status(503), usize::MAX);
    let fetcher = Fetcher::new(FetchOptions { max_retries: 1, ..stage.options() });
    let error = fetcher.fetch(URI, Some(stage.digest), |_| ()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{URI}/{WEIGHTS} cannot be read now: 0 bytes are kept, and the next try goes on from there")
    );
    assert!(error.is_transient());
    assert_eq!(stage.store.requests_for(WEIGHTS), 2);
}

#[tokio::test]
async fn a_server_without_ranges_is_asked_for_the_whole() {
    let stage = StoreFixture::on(Store::start_open().await);
    std::fs::create_dir_all(stage.cache.path().join("blobs")).unwrap();
    let whole = std::fs::read(stage.store.place("models/ease").join(WEIGHTS)).unwrap();
    std::fs::write(partial(&stage), &whole[..1000]).unwrap();
    stage.store.spoil(WEIGHTS, Spoil::NoRanges, 1);
    let mut options = stage.options();
    options.store_settings.push(("aws_skip_signature".to_owned(), "true".to_owned())); // it would cover the range
    Fetcher::new(options).fetch(URI, Some(stage.digest), |_| ()).await.unwrap();
    assert_eq!(stage.store.ranges_of(WEIGHTS).last().unwrap(), &None);
}

#[tokio::test]
async fn a_wrong_beginning_is_thrown_away() {
    let stage = StoreFixture::new().await;
    #[rustfmt::skip]
    let cases = [
        ("other bytes",         vec![7u8; 1000]),
        ("all, and all wrong",  vec![7u8; length(&stage.store.place("models/ease").join(WEIGHTS)) as usize]),
        ("more than the whole", vec![7u8; 1 << 20]),
    ];
    for (why, kept) in cases {
        std::fs::create_dir_all(stage.cache.path().join("blobs")).unwrap();
        std::fs::write(partial(&stage), kept).unwrap();
        let fetched = stage.fetch().await.expect(why);
        open(&fetched.dir, &OpenOptions::default()).expect(why);
        drop(fetched);
        std::fs::remove_dir_all(stage.cache.path()).unwrap();
    }
}
