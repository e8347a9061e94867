//! Room for what is to come: what nobody holds goes first, then the artifacts that were not used for longest.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use super::super::error::FetchError;
use super::super::lock::{FileLock, Kind};
use super::{Blob, Cache};
use crate::digest::{Digest, Hasher};
use crate::limits::Limits;
use crate::manifest::{MANIFEST_FILE, Manifest};

/// One entry of the blobs folder.
struct Entry {
    name: String,
    sha256: String,
    /// Its own, or of a partial file that of the whole.
    size: u64,
    /// An artifact holds it.
    is_linked: bool,
}

impl Cache {
    /// Makes room for the blobs of `wanted` that are not here, and reserves it with empty partial files. The caller
    /// holds their locks. `Err(in_use)` gives the bytes that could not be evicted.
    pub(crate) async fn reserve(&self, wanted: &[Blob]) -> Result<Result<(), u64>, FetchError> {
        let path = self.dir.join("lock");
        let _lock =
            FileLock::acquire(&path, Kind::Exclusive).await.map_err(FetchError::cache("lock", &path))?;
        let missing: Vec<&Blob> = wanted.iter().filter(|blob| !self.blob(&blob.sha256).exists()).collect();
        let unreserved = missing.iter().filter(|blob| !self.partial(blob).exists());
        let needed: u64 = unreserved.map(|blob| blob.size).sum();
        let reserve = || {
            if let Some(in_use) = self.make_room(needed)? {
                return Ok(Err(in_use));
            }
            for blob in missing {
                fs::OpenOptions::new().append(true).create(true).open(self.partial(blob))?;
            }
            Ok(Ok(()))
        };
        reserve().map_err(FetchError::cache("make room in", &self.dir))
    }

    /// Removes an artifact whose files are damaged, although somebody uses it, and those of its blobs that are not what
    /// their names say. Those who have it mapped keep what they have.
    pub(crate) fn discard(&self, digest: &Digest) -> Result<(), FetchError> {
        let dir = self.artifact(digest);
        let discard = || {
            let name = digest.to_string();
            let manifest = fs::read(dir.join(MANIFEST_FILE)).unwrap_or_default();
            let manifest = Manifest::parse(&manifest, &Limits::default()).ok();
            let files = manifest.iter().flat_map(|manifest| &manifest.files).map(|file| &file.sha256);
            files.chain([&name]).try_for_each(|sha256| self.remove_if_damaged(sha256))?;
            self.remove_artifact(&name)
        };
        discard().map_err(FetchError::cache("discard", &dir))
    }

    /// Other artifacts that hold the blob are damaged too, and are found to be when they are opened.
    fn remove_if_damaged(&self, sha256: &str) -> io::Result<()> {
        let path = self.blob(sha256);
        let mut file = match fs::File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        let mut hasher = Hasher::default();
        let mut buffer = vec![0; 1 << 20];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                n => hasher.update(&buffer[..n]),
            }
        }
        if hasher.finish().to_string() == sha256 { Ok(()) } else { fs::remove_file(&path) }
    }

    /// `Some(in_use)` if there is no room even so.
    fn make_room(&self, needed: u64) -> io::Result<Option<u64>> {
        let limit = self.max_bytes.saturating_sub(needed);
        let fits = |entries: &[Entry]| entries.iter().map(|entry| entry.size).sum::<u64>() <= limit;
        let mut entries = self.entries()?;
        if fits(&entries) {
            return Ok(None);
        }
        self.sweep()?;
        for entry in entries.iter().filter(|entry| !entry.is_linked) {
            self.remove_blob(entry)?;
        }
        for digest in self.least_recently_used()? {
            entries = self.entries()?;
            if fits(&entries) {
                return Ok(None);
            }
            self.evict(&digest)?;
        }
        entries = self.entries()?;
        let in_use = entries.iter().map(|entry| entry.size).sum();
        Ok((!fits(&entries)).then_some(in_use))
    }

    fn evict(&self, digest: &str) -> io::Result<()> {
        let Some(lease) = FileLock::try_acquire(&self.lease_path(digest), Kind::Exclusive)? else {
            return Ok(()); // in use
        };
        tracing::info!(digest, "evicting an artifact from the cache");
        self.remove_artifact(digest)?;
        for entry in self.entries()?.iter().filter(|entry| !entry.is_linked) {
            self.remove_blob(entry)?;
        }
        lease.remove()
    }

    /// Renames before it removes, so that no folder is ever seen half removed.
    fn remove_artifact(&self, digest: &str) -> io::Result<()> {
        let dir = self.dir.join("artifacts").join(digest);
        let aside = super::tempfile_name(&dir);
        match fs::rename(&dir, &aside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => fs::remove_dir_all(&aside),
        }
    }

    /// Removes a blob or partial file unless somebody is fetching it.
    fn remove_blob(&self, entry: &Entry) -> io::Result<()> {
        let Some(lock) = FileLock::try_acquire(&self.lock_path(&entry.sha256), Kind::Exclusive)? else {
            return Ok(());
        };
        let path = self.dir.join("blobs").join(&entry.name);
        // It may have been linked since it was listed.
        if fs::metadata(&path).is_ok_and(|meta| meta.nlink() <= 1) {
            fs::remove_file(&path)?;
        }
        lock.remove()
    }

    /// Folders that killed processes left half made or half removed. Those of the living are in use by leases.
    fn sweep(&self) -> io::Result<()> {
        for name in names(&self.dir.join("artifacts"))? {
            let Some(digest) = name.strip_prefix('.').and_then(|name| name.split('.').next()) else {
                continue;
            };
            if let Some(lease) = FileLock::try_acquire(&self.lease_path(digest), Kind::Exclusive)? {
                fs::remove_dir_all(self.dir.join("artifacts").join(&name))?;
                drop(lease);
            }
        }
        Ok(())
    }

    fn least_recently_used(&self) -> io::Result<Vec<String>> {
        let mut artifacts = Vec::new();
        for digest in names(&self.dir.join("artifacts"))?.into_iter().filter(|name| !name.starts_with('.')) {
            let used = fs::metadata(self.lease_path(&digest)).and_then(|meta| meta.modified());
            artifacts.push((used.unwrap_or(SystemTime::UNIX_EPOCH), digest));
        }
        artifacts.sort();
        Ok(artifacts.into_iter().map(|(_, digest)| digest).collect())
    }

    fn entries(&self) -> io::Result<Vec<Entry>> {
        let dir = self.dir.join("blobs");
        let entries = names(&dir)?.into_iter().filter_map(|name| entry(&dir, name));
        Ok(entries.collect())
    }
}

/// None for what is gone meanwhile and for what is not the cache's.
fn entry(dir: &Path, name: String) -> Option<Entry> {
    let meta = fs::metadata(dir.join(&name)).ok()?;
    let mut parts = name.split('.');
    let sha256 = parts.next().filter(|sha256| sha256.parse::<Digest>().is_ok())?.to_owned();
    let size = match parts.next() {
        Some(size) => size.parse().ok()?,
        None => meta.len(),
    };
    Some(Entry { sha256, size, is_linked: meta.nlink() > 1, name })
}

fn names(dir: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}
