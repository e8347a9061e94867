//! The cache: blobs by their SHA-256, and artifacts as folders of hard links to them.
//!
//! ```text
//! blobs/<sha256>                 a whole file, read-only; its link count says how many artifacts hold it
//! blobs/<sha256>.<size>.partial  the beginning of one
//! artifacts/<digest>/            a whole artifact
//! leases/<digest>                locked (shared) while somebody uses the artifact; its time is that of the last use
//! locks/<sha256>                 locked while somebody fetches the blob, until an artifact holds it
//! lock                           locked while room is made
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::FetchError;
use super::lock::{FileLock, Kind};
use crate::digest::Digest;
use crate::manifest::{MANIFEST_FILE, Manifest};

mod evict;

/// A place for blobs and artifacts, shared by processes.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    dir: PathBuf,
    max_bytes: u64,
}

/// One file to be had: where it comes to lie, and how large it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Blob {
    /// As in the manifest.
    pub(crate) sha256: String,
    pub(crate) size: u64,
}

impl Cache {
    pub(crate) fn new(dir: PathBuf, max_bytes: u64) -> Self {
        Self { dir, max_bytes }
    }

    /// Makes the folders. Also what finds out first that the place cannot be written.
    pub(crate) fn prepare(&self) -> Result<(), FetchError> {
        for name in ["blobs", "artifacts", "leases", "locks"] {
            let dir = self.dir.join(name);
            fs::create_dir_all(&dir).map_err(FetchError::cache("create", &dir))?;
        }
        Ok(())
    }

    pub(crate) fn blob(&self, sha256: &str) -> PathBuf {
        self.dir.join("blobs").join(sha256)
    }

    /// The name holds the whole size, so that room once made stays reserved while the file grows.
    pub(crate) fn partial(&self, blob: &Blob) -> PathBuf {
        self.dir.join("blobs").join(format!("{}.{}.partial", blob.sha256, blob.size))
    }

    pub(crate) fn artifact(&self, digest: &Digest) -> PathBuf {
        self.dir.join("artifacts").join(digest.to_string())
    }

    fn lease_path(&self, digest: &str) -> PathBuf {
        self.dir.join("leases").join(digest)
    }

    fn lock_path(&self, sha256: &str) -> PathBuf {
        self.dir.join("locks").join(sha256)
    }

    /// Keeps the artifact, whether it is here or on its way, from being evicted until the lock is dropped.
    pub(crate) async fn lease(&self, digest: &Digest) -> Result<FileLock, FetchError> {
        let path = self.lease_path(&digest.to_string());
        let lock = FileLock::acquire(&path, Kind::Shared).await.map_err(FetchError::cache("lock", &path))?;
        lock.touch().map_err(FetchError::cache("touch", &path))?;
        Ok(lock)
    }

    /// The right to fetch a blob. Whoever wants several asks in ascending order, so that no two wait for each other.
    pub(crate) async fn lock_blob(&self, sha256: &str) -> Result<FileLock, FetchError> {
        let path = self.lock_path(sha256);
        FileLock::acquire(&path, Kind::Exclusive).await.map_err(FetchError::cache("lock", &path))
    }

    /// Makes the partial file a blob. Its bytes are known to be right.
    pub(crate) fn keep(&self, blob: &Blob, partial: &fs::File) -> Result<(), FetchError> {
        let (from, to) = (self.partial(blob), self.blob(&blob.sha256));
        let keep = || {
            partial.sync_all()?;
            fs::rename(&from, &to)?;
            // Not before: a try that is killed in between must find a partial file that it can go on with.
            let mut permissions = partial.metadata()?.permissions();
            permissions.set_readonly(true);
            partial.set_permissions(permissions)?;
            sync_dir(&self.dir.join("blobs"))
        };
        keep().map_err(FetchError::cache("keep", &to))
    }

    /// Puts the artifact together from its blobs, all of which are here and locked by the caller. Another process that
    /// does the same meanwhile does no harm: the first wins, and both are alike.
    pub(crate) fn assemble(&self, digest: &Digest, manifest: &Manifest) -> Result<PathBuf, FetchError> {
        let dir = self.artifact(digest);
        let fresh = tempfile_name(&dir);
        let assemble = || {
            fs::create_dir(&fresh)?;
            let files = manifest.files.iter().map(|file| (file.path.as_str(), file.sha256.clone()));
            for (path, sha256) in files.chain([(MANIFEST_FILE, digest.to_string())]) {
                let to = fresh.join(path);
                to.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::hard_link(self.blob(&sha256), &to)?;
            }
            sync_dir(&fresh)?;
            match fs::rename(&fresh, &dir) {
                Err(_) if dir.join(MANIFEST_FILE).is_file() => fs::remove_dir_all(&fresh),
                renamed => renamed,
            }?;
            sync_dir(&self.dir.join("artifacts"))
        };
        assemble().map_err(|source| {
            fs::remove_dir_all(&fresh).ok();
            FetchError::cache("assemble", &dir)(source)
        })?;
        Ok(dir)
    }
}

/// Beside `dir`, hidden, and nobody else's.
fn tempfile_name(dir: &Path) -> PathBuf {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let n = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    dir.with_file_name(format!(".{name}.{}-{n}", std::process::id()))
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}
