use std::path::Path;
use std::sync::Mutex;

use super::*;
use crate::sample::large;

mod authority;
mod credentials;
mod evictions;
mod interruptions;
mod misfits;
mod server;
mod tls;

use server::{Spoil, Store};

/// A store with one artifact of about 640 KB at `s3://models/ease`, and a cache.
struct StoreFixture {
    store: Store,
    cache: tempfile::TempDir,
    digest: Digest,
}

const URI: &str = "s3://models/ease";
const WEIGHTS: &str = "weights.safetensors";

impl StoreFixture {
    async fn new() -> Self {
        Self::on(Store::start().await)
    }

    fn on(store: Store) -> Self {
        let digest = large(&store.place("models/ease"), 400, 0.5);
        Self { store, cache: tempfile::tempdir().unwrap(), digest }
    }

    fn options(&self) -> FetchOptions {
        FetchOptions { store_settings: self.store.settings(), ..FetchOptions::new(self.cache.path()) }
    }

    fn fetcher(&self) -> Fetcher {
        Fetcher::new(self.options())
    }

    async fn fetch(&self) -> Result<Fetched, FetchError> {
        self.fetcher().fetch(URI, Some(self.digest), |_| ()).await
    }

    /// The error, with the parts that differ from run to run taken out.
    async fn refused(&self) -> (FetchError, String) {
        let error = self.fetch().await.unwrap_err();
        let message = error.to_string();
        (error, message)
    }

    fn is_whole(&self) -> bool {
        self.cache.path().join("artifacts").join(self.digest.to_string()).exists()
    }
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn an_artifact_comes_from_s3_and_the_second_time_from_the_cache() {
    let stage = StoreFixture::new().await;
    let seen = Mutex::new(Vec::new());
    let fetcher = stage.fetcher();
    let fetched =
        fetcher.fetch(URI, Some(stage.digest), |progress| seen.lock().unwrap().push(progress)).await.unwrap();
    let artifact =
        open(&fetched.dir, &OpenOptions { expected: Some(stage.digest), ..OpenOptions::default() }).unwrap();
    assert_eq!(artifact.tensor_f32("weights", &[400, 400]).unwrap()[7], 0.5);
    let seen = seen.into_inner().unwrap();
    let last = seen.last().unwrap();
    assert!(seen.is_sorted_by_key(|progress| progress.bytes) && last.bytes == last.total, "{last:?}");
    assert_eq!(stage.store.requests().len(), 4, "each file is asked for once");
    fetcher.fetch(URI, Some(stage.digest), |_| panic!("nothing is to be fetched")).await.unwrap();
    assert_eq!(stage.store.requests().len(), 4);
}

#[tokio::test]
async fn an_artifact_comes_over_plain_http_from_this_machine() {
    let store = Store::start_open().await;
    let digest = large(&store.place("models/ease"), 40, 0.5);
    let cache = tempfile::tempdir().unwrap();
    let fetcher = Fetcher::new(FetchOptions::new(cache.path()));
    let uri = format!("http://{}/models/ease/", store.address());
    let (artifact, _lease) = fetcher.open(&uri, Some(digest), |_| ()).await.unwrap();
    assert_eq!(artifact.n_titles(), 40);
}

#[tokio::test]
async fn a_file_uri_is_opened_in_place_through_its_volume() {
    let root = tempfile::tempdir().unwrap();
    let digest = large(&root.path().join("ease"), 10, 0.5);
    let cache = root.path().join("cache");
    let volumes = vec![(PathBuf::from("/artifacts"), root.path().to_owned())];
    let fetcher = Fetcher::new(FetchOptions { volumes, ..FetchOptions::new(&cache) });
    let (artifact, _lease) = fetcher.open("file:///artifacts/ease", Some(digest), |_| ()).await.unwrap();
    assert_eq!(artifact.dir, root.path().join("ease"));
    let unpinned = fetcher.fetch("file:///artifacts/ease", None, |_| ()).await.unwrap();
    assert_eq!(unpinned.digest, digest);
    assert!(!cache.exists(), "what lies in place needs no cache");
    let other = Digest::of(b"another");
    let error = fetcher.fetch("file:///artifacts/ease", Some(other), |_| ()).await.unwrap_err();
    assert!(
        error.to_string().contains(&format!("ease/marquee.json: expected sha256 {other}, found {digest}")),
        "{error}"
    );
}

#[tokio::test]
async fn what_cannot_be_had_is_named_and_asked_for_once() {
    let stage = StoreFixture::new().await;
    #[rustfmt::skip]
    let cases = [
        ("no such object", "marquee.json", 404, "NotFound",     "s3://models/ease/marquee.json does not exist: correct the uri, or upload the whole folder"),
        ("a missing part", WEIGHTS,        404, "NotFound",     "s3://models/ease/weights.safetensors does not exist: correct the uri, or upload the whole folder"),
        ("no access",      "marquee.json", 403, "AccessDenied", "s3://models/ease/marquee.json may not be read: check the credentials and what they may read"),
    ];
    for (why, file, status, reason, message) in cases {
        stage.store.spoil(file, Spoil::Status(status), usize::MAX);
        let before = stage.store.requests_for(file);
        let (error, found) = stage.refused().await;
        assert_eq!((error.reason(), found.as_str()), (reason, message), "{why}");
        assert_eq!(stage.store.requests_for(file), before + 1, "{why}: asked once");
        assert!(!stage.is_whole(), "{why}");
        stage.store.mend();
    }
    stage.fetch().await.unwrap();
}

#[tokio::test]
async fn a_remote_artifact_must_be_pinned() {
    let stage = StoreFixture::new().await;
    let error = stage.fetcher().fetch(URI, None, |_| ()).await.unwrap_err();
    let message = "s3://models/ease is remote and not pinned: set `sha256` of the artifact to the sha256 of its marquee.json";
    assert_eq!(error.to_string(), message);
    assert_eq!(stage.store.requests().len(), 0);
}

#[tokio::test]
async fn an_artifact_over_the_limit_is_refused_before_its_files_are_asked_for() {
    let stage = StoreFixture::new().await;
    let fetcher = Fetcher::new(FetchOptions { max_artifact_bytes: 600_000, ..stage.options() });
    let error = fetcher.fetch(URI, Some(stage.digest), |_| ()).await.unwrap_err();
    assert_eq!(error.reason(), "TooLarge");
    assert!(error.to_string().contains("over the 600000 allowed for one artifact"), "{error}");
    assert_eq!(stage.store.requests().len(), 1);
}

#[tokio::test]
async fn a_wrong_checksum_leaves_nothing() {
    let stage = StoreFixture::new().await;
    let weights = stage.store.place("models/ease").join(WEIGHTS);
    let whole = std::fs::read(&weights).unwrap();
    let mut wrong = whole.clone();
    wrong[100_000] ^= 1;
    std::fs::write(&weights, &wrong).unwrap();
    let (error, message) = stage.refused().await;
    let expected = format!(
        "{URI}/{WEIGHTS}: expected sha256 {}, found {}: the file was changed or damaged, or the digest is another artifact's",
        Digest::of(&whole),
        Digest::of(&wrong)
    );
    assert_eq!((error.reason(), message), ("ChecksumMismatch", expected));
    assert!(!stage.is_whole());
    std::fs::write(&weights, &whole[1..]).unwrap();
    let (_, message) = stage.refused().await;
    assert!(
        message.contains(&format!("expected {} bytes, found {}", whole.len(), whole.len() - 1)),
        "{message}"
    );
    std::fs::write(&weights, &whole).unwrap();
    stage.fetch().await.unwrap();
}

#[tokio::test]
async fn another_manifest_than_the_pinned_one_is_refused() {
    let stage = StoreFixture::new().await;
    let pinned = Digest::of(b"an older artifact");
    let error = stage.fetcher().fetch(URI, Some(pinned), |_| ()).await.unwrap_err();
    let expected = format!("{URI}/marquee.json: expected sha256 {pinned}, found {}", stage.digest);
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[tokio::test]
async fn two_that_fetch_at_once_fetch_each_file_once() {
    let stage = StoreFixture::new().await;
    let (first, second) = tokio::join!(stage.fetch(), stage.fetch());
    assert_eq!(first.unwrap().dir, second.unwrap().dir);
    assert_eq!(stage.store.requests_for(WEIGHTS), 1);
    assert_eq!(names(&stage.cache.path().join("artifacts")), [stage.digest.to_string()]);
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_is_named() {
    let stage = StoreFixture::new().await;
    let file = stage.cache.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let fetcher = Fetcher::new(FetchOptions { cache_dir: file.clone(), ..stage.options() });
    let error = fetcher.fetch(URI, Some(stage.digest), |_| ()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot create {}/blobs in the artifact cache", file.display()));
}
