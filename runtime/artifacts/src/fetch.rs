//! Artifacts from elsewhere, through a cache by content.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};

use crate::artifact::Artifact;
use crate::digest::Digest;
use crate::error::{ArtifactError, Fault};
use crate::limits::Limits;
use crate::manifest::{MANIFEST_FILE, Manifest};
use crate::open::{Checked, OpenOptions, open, wrong_digest};

mod cache;
mod cause;
mod download;
mod error;
mod guard;
mod keys;
mod kind;
mod lock;
mod misfit;
mod profile;
mod settings;
mod source;
mod trust;
mod uri;

pub use cause::StoreCause;
pub use error::FetchError;

use cache::{Blob, Cache};
use download::Download;
use lock::FileLock;
use source::{ArtifactStore, RetryPolicy};
use uri::Place;

/// Between two words of how far the check of an artifact is.
const CHECK_TOLD_EVERY: Duration = Duration::from_millis(200);
/// Files of one artifact that are fetched at the same time.
const DOWNLOADS_AT_ONCE: usize = 4;

/// Where artifacts come from and are kept.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Made when the first remote artifact is fetched. May be shared by processes of one machine.
    pub cache_dir: PathBuf,
    /// Bytes of the whole cache; what is not in use is evicted, least recently used first, to stay within.
    pub max_cache_bytes: u64,
    /// Bytes of one artifact, as its manifest declares them.
    pub max_artifact_bytes: u64,
    /// For `file` uris: a path that begins with the first is looked for under the second; the longest that fits counts.
    pub volumes: Vec<(PathBuf, PathBuf)>,
    /// Settings of stores by their names in `object_store`, such as `aws_endpoint`; they go over those of the
    /// environment (`AWS_*`, `GOOGLE_*`, `AZURE_*`).
    pub store_settings: Vec<(String, String)>,
    /// How often a request or a transfer without progress is tried again, with growing pauses.
    pub max_retries: usize,
    /// A request is not tried again after so long.
    pub patience: Duration,
    /// A transfer that is silent for so long is broken off and gone on with.
    pub stall: Duration,
    /// How large parts of an artifact may be.
    pub limits: Limits,
}

impl FetchOptions {
    /// A cache at `cache_dir` of 64 GiB, artifacts of up to 16 GiB, no volumes.
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            cache_dir: cache_dir.into(),
            max_cache_bytes: 64 << 30,
            max_artifact_bytes: 16 << 30,
            volumes: Vec::new(),
            store_settings: Vec::new(),
            max_retries: 5,
            patience: Duration::from_secs(120),
            stall: Duration::from_secs(30),
            limits: Limits::default(),
        }
    }
}

/// How far a download is; once all is here, how far its check is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the artifact that are here. Falls when what was kept of an earlier try proves wrong.
    pub bytes: u64,
    /// Bytes of the artifact.
    pub total: u64,
}

/// An artifact that is here.
#[derive(Debug)]
pub struct Fetched {
    /// To be opened with [`crate::open`].
    pub dir: PathBuf,
    /// SHA-256 of its `marquee.json`.
    pub digest: Digest,
    /// To be kept for as long as the artifact is used.
    pub lease: Lease,
}

/// Keeps an artifact in the cache, across processes, until the last clone is dropped. An artifact that lies in place
/// needs none, and has an empty one.
#[derive(Debug, Clone)]
pub struct Lease {
    _lock: Option<Arc<FileLock>>,
}

/// Has artifacts brought here. Cheap to clone; clones and other processes may share one cache.
#[derive(Debug, Clone)]
pub struct Fetcher {
    options: Arc<FetchOptions>,
    retry_policy: RetryPolicy,
    cache: Cache,
}

/// Makes `ring` the provider of TLS for the process, unless one is set. Two providers are linked in, and rustls does not
/// choose between them by itself. `main` calls this before anything uses TLS; [`Fetcher::new`] calls it too.
pub fn install_crypto_provider() {
    rustls::crypto::ring::default_provider().install_default().ok(); // set already: then that one is meant
}

impl Fetcher {
    /// Sends and writes nothing yet.
    pub fn new(options: FetchOptions) -> Self {
        install_crypto_provider();
        let cache = Cache::new(options.cache_dir.clone(), options.max_cache_bytes);
        let settings = options.store_settings.clone();
        let retry_policy = RetryPolicy {
            settings,
            from_env: true,
            max_retries: options.max_retries,
            patience: options.patience,
            stall: options.stall,
        };
        Self { options: Arc::new(options), retry_policy, cache }
    }

    /// The same fetcher for an artifact with credentials of its own: settings of its store by the names of the
    /// environment (`AWS_ACCESS_KEY_ID`, …), and `ca.crt`, the certificates of authorities that sign for the store. They stand
    /// in for the environment, of which nothing is read; except if there is nothing but `ca.crt`, which says not who asks.
    pub fn with_credentials(&self, credentials: Vec<(String, String)>) -> Self {
        let is_trust_alone =
            !credentials.is_empty() && credentials.iter().all(|(key, _)| key == keys::AUTHORITIES);
        let from_env = self.retry_policy.from_env && is_trust_alone;
        let settings = credentials.into_iter().chain(self.options.store_settings.iter().cloned()).collect();
        Self { retry_policy: RetryPolicy { settings, from_env, ..self.retry_policy.clone() }, ..self.clone() }
    }

    /// Brings the artifact at `uri` here, unless it is here, and checks its digests. One at a `file` uri stays where it
    /// lies. A remote one must be pinned by `expected`. May be dropped at any point; what has arrived is kept.
    pub async fn fetch(
        &self,
        uri: &str,
        expected: Option<Digest>,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> Result<Fetched, FetchError> {
        match uri::parse(uri, &self.options.volumes)? {
            Place::Local(dir) => self.in_place(dir, expected).await,
            Place::Remote(url) => {
                let digest = expected.ok_or_else(|| FetchError::Unpinned { uri: uri.to_owned() })?;
                self.remote(&url, digest, &progress).await
            }
        }
    }

    /// [`Fetcher::fetch`], then [`crate::open`]. If the copy in the cache is damaged it is fetched once more.
    pub async fn open(
        &self,
        uri: &str,
        expected: Option<Digest>,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> Result<(Artifact, Lease), FetchError> {
        let fetched = self.fetch(uri, expected, &progress).await?;
        let is_cached = fetched.lease._lock.is_some();
        match self.open_here(&fetched, expected, &progress).await {
            Err(error) if is_cached && is_damage(&error) => {
                tracing::warn!(uri, error = %error, "the artifact's copy in the cache is damaged, fetching it again");
                let (cache, digest) = (self.cache.clone(), fetched.digest);
                blocking("discard", fetched.dir.clone(), move |_| Ok(cache.discard(&digest))).await??;
            }
            opened => return Ok((opened?, fetched.lease)),
        }
        drop(fetched);
        let fetched = self.fetch(uri, expected, &progress).await?;
        Ok((self.open_here(&fetched, expected, &progress).await?, fetched.lease))
    }

    /// The digest by which a manifest pins the artifact at `uri`: that of its `marquee.json`, once that reads as one. Of a
    /// remote artifact no more than this is fetched, and nothing is kept.
    pub async fn digest(&self, uri: &str) -> Result<Digest, FetchError> {
        let url = match uri::parse(uri, &self.options.volumes)? {
            Place::Local(dir) => return Ok(self.in_place(dir, None).await?.digest),
            Place::Remote(url) => url,
        };
        let source = ArtifactStore::connect(&url, &self.retry_policy)?;
        let bytes = source.read(MANIFEST_FILE, self.options.limits.manifest_bytes).await?;
        let refused = |finding: crate::Finding| finding.in_file(source.object(MANIFEST_FILE).as_ref());
        Manifest::parse(&bytes, &self.options.limits).map_err(refused)?;
        Ok(Digest::of(&bytes))
    }

    async fn open_here(
        &self,
        fetched: &Fetched,
        expected: Option<Digest>,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<Artifact, ArtifactError> {
        let checked = Arc::<Checked>::default();
        let options = OpenOptions { expected, limits: self.options.limits.clone(), checked: checked.clone() };
        let dir = fetched.dir.clone();
        let mut task = tokio::task::spawn_blocking(move || open(&dir, &options));
        let opened = loop {
            match tokio::time::timeout(CHECK_TOLD_EVERY, &mut task).await {
                Ok(opened) => break opened,
                Err(_) => {
                    let (bytes, total) = checked.bytes_of_total();
                    progress(Progress { bytes, total });
                }
            }
        };
        opened.unwrap_or_else(|error| Err(ArtifactError::io("open", &fetched.dir)(error.into())))
    }

    async fn in_place(&self, dir: PathBuf, expected: Option<Digest>) -> Result<Fetched, FetchError> {
        let digest = blocking("read", dir.clone(), |dir| Ok(crate::open::digest(&dir))).await??;
        if let Some(expected) = expected.filter(|expected| *expected != digest) {
            let manifest = dir.join(MANIFEST_FILE);
            return Err(wrong_digest(&expected, &digest).in_file(&manifest).into());
        }
        Ok(Fetched { dir, digest, lease: Lease { _lock: None } })
    }

    async fn remote(
        &self,
        url: &reqwest::Url,
        digest: Digest,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<Fetched, FetchError> {
        self.cache.prepare()?;
        let lease = Lease { _lock: Some(Arc::new(self.cache.lease(&digest).await?)) };
        let dir = self.cache.artifact(&digest);
        if !dir.join(MANIFEST_FILE).is_file() {
            let source = ArtifactStore::connect(url, &self.retry_policy)?;
            self.download(&source, digest, progress).await?;
        }
        Ok(Fetched { dir, digest, lease })
    }

    /// Fetches what is missing and puts the artifact together. The caller holds its lease.
    async fn download(
        &self,
        source: &ArtifactStore,
        digest: Digest,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<(), FetchError> {
        let (bytes, manifest) = self.manifest(source, digest).await?;
        self.check_size(source, &manifest)?;
        // Ordered, so that two that fetch overlapping artifacts never wait for each other; and each blob once.
        let mut files: BTreeMap<Blob, &str> = BTreeMap::new();
        files.insert(Blob { sha256: digest.to_string(), size: bytes.len() as u64 }, MANIFEST_FILE);
        for file in &manifest.files {
            files.insert(Blob { sha256: file.sha256.clone(), size: file.size }, &file.path);
        }
        let mut locks = Vec::with_capacity(files.len());
        for blob in files.keys() {
            locks.push(Arc::new(self.cache.lock_blob(&blob.sha256).await?));
        }
        self.reserve(source, &files).await?;
        self.keep_manifest(digest, bytes).await?;
        let total = files.keys().map(|blob| blob.size).sum();
        let here = AtomicI64::new(0);
        let arrived = |bytes: i64| {
            let here = here.fetch_add(bytes, Ordering::Relaxed) + bytes;
            progress(Progress { bytes: here.max(0) as u64, total });
        };
        let downloads = files.iter().zip(&locks).map(|((blob, file), lock)| async {
            if self.cache.blob(&blob.sha256).exists() {
                arrived(blob.size as i64);
                return Ok(());
            }
            let (retry_policy, cache, lock) = (&self.retry_policy, &self.cache, lock.clone());
            Download { source, retry_policy, cache, file, blob, lock }.run(arrived).await
        });
        futures::stream::iter(downloads).buffer_unordered(DOWNLOADS_AT_ONCE).try_collect::<()>().await?;
        let cache = self.cache.clone();
        blocking("assemble", self.cache.artifact(&digest), move |_| Ok(cache.assemble(&digest, &manifest)))
            .await??;
        Ok(())
    }

    async fn manifest(
        &self,
        source: &ArtifactStore,
        digest: Digest,
    ) -> Result<(bytes::Bytes, Manifest), FetchError> {
        let refused = |finding: crate::Finding| finding.in_file(source.object(MANIFEST_FILE).as_ref());
        let bytes = source.read(MANIFEST_FILE, self.options.limits.manifest_bytes).await?;
        let found = Digest::of(&bytes);
        if found != digest {
            return Err(refused(wrong_digest(&digest, &found)).into());
        }
        let manifest = Manifest::parse(&bytes, &self.options.limits).map_err(refused)?;
        Ok((bytes, manifest))
    }

    /// What was read already is not asked for again: the download finds it whole. The caller holds its lock.
    async fn keep_manifest(&self, digest: Digest, bytes: bytes::Bytes) -> Result<(), FetchError> {
        let blob = Blob { sha256: digest.to_string(), size: bytes.len() as u64 };
        if self.cache.blob(&blob.sha256).exists() {
            return Ok(());
        }
        blocking("write", self.cache.partial(&blob), move |path| std::fs::write(path, bytes)).await
    }

    fn check_size(&self, source: &ArtifactStore, manifest: &Manifest) -> Result<(), FetchError> {
        let found = manifest.declared_bytes();
        let limit = self.options.max_artifact_bytes.min(self.options.max_cache_bytes);
        if found > limit {
            return Err(FetchError::TooLarge { uri: source.uri().to_owned(), found, limit });
        }
        Ok(())
    }

    async fn reserve(&self, source: &ArtifactStore, files: &BTreeMap<Blob, &str>) -> Result<(), FetchError> {
        let blobs: Vec<Blob> = files.keys().cloned().collect();
        let needed = blobs.iter().map(|blob| blob.size).sum();
        self.cache.reserve(&blobs).await?.map_err(|in_use| FetchError::CacheFull {
            uri: source.uri().to_owned(),
            needed,
            limit: self.options.max_cache_bytes,
            in_use,
        })
    }
}

/// Whether fetching again can help.
fn is_damage(error: &ArtifactError) -> bool {
    matches!(error.fault(), Some(Fault::Checksum | Fault::Size | Fault::Missing | Fault::NoManifest))
}

/// Runs `work` where it may block; `verb` and `path` are for the message if the system refuses.
async fn blocking<T: Send + 'static>(
    verb: &'static str,
    path: PathBuf,
    work: impl FnOnce(PathBuf) -> io::Result<T> + Send + 'static,
) -> Result<T, FetchError> {
    let at = path.clone();
    let done = tokio::task::spawn_blocking(move || work(at)).await;
    done.map_err(io::Error::from).and_then(|done| done).map_err(FetchError::cache(verb, &path))
}

#[cfg(test)]
mod tests;
