//! The cache stays within its size, and gives nobody's artifact away.

use super::*;

/// A store of four artifacts of 40 KB each, and a cache for two.
struct Shelf {
    store: Store,
    cache: tempfile::TempDir,
    digests: Vec<Digest>,
}

impl Shelf {
    async fn new() -> Self {
        let store = Store::start().await;
        let write = |n: usize| large(&store.place(&format!("models/m{n}")), 100, n as f32);
        let digests = (0..4).map(write).collect();
        Self { store, cache: tempfile::tempdir().unwrap(), digests }
    }

    fn fetcher(&self) -> Fetcher {
        let settings = self.store.settings();
        let options = FetchOptions { store_settings: settings, ..FetchOptions::new(self.cache.path()) };
        Fetcher::new(FetchOptions { max_cache_bytes: 100_000, ..options })
    }

    async fn fetch(&self, n: usize) -> Result<Fetched, FetchError> {
        self.fetcher().fetch(&format!("s3://models/m{n}"), Some(self.digests[n]), |_| ()).await
    }

    /// Which of the four are here.
    fn here(&self) -> Vec<usize> {
        let names = names(&self.cache.path().join("artifacts"));
        (0..4).filter(|n| names.contains(&self.digests[*n].to_string())).collect()
    }

    fn blob_bytes(&self) -> u64 {
        let entries = std::fs::read_dir(self.cache.path().join("blobs")).unwrap();
        entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
    }
}

#[tokio::test]
async fn what_was_not_used_for_longest_goes_first() {
    let shelf = Shelf::new().await;
    for n in [0, 1, 0] {
        shelf.fetch(n).await.unwrap();
    }
    assert_eq!(shelf.here(), [0, 1]);
    shelf.fetch(2).await.unwrap();
    assert_eq!(shelf.here(), [0, 2], "0 was used after 1");
    assert!(shelf.blob_bytes() <= 100_000, "{}", shelf.blob_bytes());
    shelf.fetch(1).await.unwrap();
    assert_eq!(shelf.here(), [1, 2], "what was evicted comes again");
}

#[tokio::test]
async fn what_is_in_use_stays() {
    let shelf = Shelf::new().await;
    let zero = shelf.fetch(0).await.unwrap();
    shelf.fetch(1).await.unwrap();
    shelf.fetch(2).await.unwrap();
    assert_eq!(shelf.here(), [0, 2], "0 is leased, although used before 1");
    let two = shelf.fetch(2).await.unwrap();
    let clone = two.lease.clone();
    drop(two);
    let error = shelf.fetch(3).await.unwrap_err();
    assert_eq!(error.reason(), "CacheFull");
    assert!(error.to_string().starts_with("s3://models/m3 needs "), "{error}");
    assert_eq!(shelf.here(), [0, 2]);
    open(&zero.dir, &OpenOptions::default()).unwrap();
    drop(clone);
    shelf.fetch(3).await.unwrap();
    assert_eq!(shelf.here(), [0, 3]);
}

#[tokio::test]
async fn what_interrupted_downloads_left_goes_before_any_artifact() {
    let shelf = Shelf::new().await;
    for n in [0, 1] {
        shelf.fetch(n).await.unwrap();
    }
    let blobs = shelf.cache.path().join("blobs");
    let left = blobs.join(format!("{}.90000.partial", Digest::of(b"left")));
    std::fs::write(&left, "the beginning of something").unwrap();
    let stale = shelf.cache.path().join("artifacts").join(format!(".{}.1-0", Digest::of(b"stale")));
    std::fs::create_dir(&stale).unwrap();
    shelf.fetch(2).await.unwrap();
    assert!(!left.exists() && !stale.exists());
    assert_eq!(shelf.here(), [1, 2]);
}

#[tokio::test]
async fn files_that_artifacts_share_are_fetched_once_and_kept_for_the_other() {
    let shelf = Shelf::new().await;
    shelf.fetch(0).await.unwrap();
    let before = shelf.store.requests().len();
    let one = shelf.fetch(1).await.unwrap();
    assert_eq!(
        shelf.store.requests().len() - before,
        2,
        "the manifest and the weights; the id tables are the same"
    );
    shelf.fetch(2).await.unwrap();
    assert_eq!(shelf.here(), [1, 2], "0 is gone");
    open(&one.dir, &OpenOptions::default()).unwrap();
}

#[tokio::test]
async fn a_copy_that_was_damaged_in_the_cache_is_fetched_again() {
    let shelf = Shelf::new().await;
    let uri = "s3://models/m0";
    #[rustfmt::skip]
    let cases: [(&str, Damage); 3] = [
        ("a flipped bit",    |dir| edit(&dir.join("weights.safetensors"), |bytes| bytes[9000] ^= 1)),
        ("a cut id table",   |dir| edit(&dir.join("titles.jsonl"), |bytes| bytes.truncate(10))),
        ("a lost file",      |dir| std::fs::remove_file(dir.join("viewers.jsonl")).unwrap()),
    ];
    for (why, damage) in cases {
        let fetched = shelf.fetch(0).await.unwrap();
        damage(&fetched.dir);
        let (artifact, _lease) = shelf.fetcher().open(uri, Some(shelf.digests[0]), |_| ()).await.expect(why);
        assert_eq!(artifact.n_titles(), 100, "{why}");
    }
}

type Damage = fn(&Path);

/// In place, as a failing disk does it: the blob is the same file.
fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    let mut permissions = std::fs::metadata(path).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a file in a test's own folder")]
    permissions.set_readonly(false);
    std::fs::set_permissions(path, permissions).unwrap();
    std::fs::write(path, bytes).unwrap();
}
