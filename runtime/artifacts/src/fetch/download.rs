//! One blob: from the store into the cache, going on where an earlier try stopped.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;

use super::blocking;
use super::cache::{Blob, Cache};
use super::cause::StoreCause;
use super::error::FetchError;
use super::lock::FileLock;
use super::source::{ArtifactStore, RetryPolicy, Transfer};
use crate::backoff::{Backoff, jitter};
use crate::digest::{Digest, Hasher};
use crate::error::{Fault, Finding};

/// Chunks on the way to the disk: what is read ahead while it is slow.
const CHUNKS_IN_FLIGHT: usize = 8;

/// Before a transfer that broke off goes on.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(10) };

/// One blob to be fetched.
pub(crate) struct Download<'a> {
    pub(crate) source: &'a ArtifactStore,
    pub(crate) retry_policy: &'a RetryPolicy,
    pub(crate) cache: &'a Cache,
    /// Its path in the artifact.
    pub(crate) file: &'a str,
    pub(crate) blob: &'a Blob,
    /// Held by the writing thread too, which outlives a call that is dropped.
    pub(crate) lock: Arc<FileLock>,
}

impl Download<'_> {
    /// Fetches the blob. `arrived` is called with the number of bytes whenever some more are here, and taken back with
    /// a negative number when they have to be thrown away.
    pub(crate) async fn run(&self, arrived: impl Fn(i64)) -> Result<(), FetchError> {
        let mut partial = self.open_partial().await?;
        arrived(partial.written as i64);
        let mut was_resumed = partial.written > 0;
        loop {
            partial = self.fill(partial, &arrived).await?;
            let found = partial.hasher.clone().finish();
            if found.to_string() == self.blob.sha256 {
                return self.keep(partial).await;
            }
            arrived(-(partial.written as i64));
            partial = self.restart(partial).await?;
            if !was_resumed {
                return Err(self.wrong_checksum(&found));
            }
            // What was left of an earlier try was damaged, or another file's: the whole is fetched once more.
            tracing::warn!(
                file = self.file,
                "what was kept of an interrupted download was wrong, starting over"
            );
            was_resumed = false;
        }
    }

    /// Adds to the partial file until it is as long as declared.
    async fn fill(&self, mut partial: Partial, arrived: &impl Fn(i64)) -> Result<Partial, FetchError> {
        let mut failures: u32 = 0;
        while partial.written < self.blob.size {
            let before = partial.written;
            let transfer = match self.source.transfer(self.file, before).await {
                // A server that knows no ranges is asked for the whole.
                Err(FetchError::Unavailable { .. }) if before > 0 => {
                    arrived(-(before as i64));
                    partial = self.restart(partial).await?;
                    self.source.transfer(self.file, 0).await?
                }
                transfer => transfer?,
            };
            self.check_size(transfer.size)?;
            let broken;
            (partial, broken) = self.pour(transfer, partial, arrived).await?;
            let Some(source) = broken else { continue };
            failures = if partial.written > before { 0 } else { failures + 1 };
            if failures as usize > self.retry_policy.max_retries {
                let object = self.source.object(self.file);
                return Err(FetchError::Unavailable { object, bytes: partial.written, source });
            }
            tracing::warn!(file = self.file, at = partial.written, error = %source, "a download broke off, going on");
            // A transfer that made progress waits too, as after a first failure.
            tokio::time::sleep(BACKOFF.wait(failures + 1, jitter())).await;
        }
        Ok(partial)
    }

    /// Writes what arrives, on a thread that may block. A break is no error here: what is written stays.
    async fn pour(
        &self,
        mut transfer: Transfer,
        partial: Partial,
        arrived: &impl Fn(i64),
    ) -> Result<(Partial, Option<StoreCause>), FetchError> {
        let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
        let mut room = self.blob.size - partial.written;
        let path = partial.path.clone();
        let lock = self.lock.clone();
        let writer = tokio::task::spawn_blocking(move || {
            let written = partial.write_all(receiver);
            drop(lock);
            written
        });
        let mut broken: Option<StoreCause> = None;
        while room > 0 {
            match tokio::time::timeout(self.retry_policy.stall, transfer.stream.next()).await {
                Ok(Some(Ok(chunk))) => {
                    let chunk = chunk.slice(..chunk.len().min(room as usize));
                    room -= chunk.len() as u64;
                    let length = chunk.len() as i64;
                    if sender.send(chunk).await.is_err() {
                        break; // the writer says why
                    }
                    arrived(length);
                }
                Ok(Some(Err(error))) => broken = Some(StoreCause::of(&error)),
                Ok(None) => broken = Some("the store ended the transfer early".into()),
                Err(_) => {
                    broken = Some(format!("the store was silent for {:?}", self.retry_policy.stall).into())
                }
            }
            if broken.is_some() {
                break;
            }
        }
        drop(sender);
        let written = writer.await.map_err(io::Error::from).and_then(|written| written);
        Ok((written.map_err(FetchError::cache("write", &path))?, broken))
    }

    fn check_size(&self, found: u64) -> Result<(), FetchError> {
        if found == self.blob.size {
            return Ok(());
        }
        let finding = Finding::new(Fault::Size, format!("{} bytes", self.blob.size), found.to_string());
        Err(finding.in_file(self.source.object(self.file).as_ref()).into())
    }

    fn wrong_checksum(&self, found: &Digest) -> FetchError {
        let finding =
            Finding::new(Fault::Checksum, format!("sha256 {}", self.blob.sha256), found.to_string());
        finding.in_file(self.source.object(self.file).as_ref()).into()
    }

    async fn open_partial(&self) -> Result<Partial, FetchError> {
        let (path, size) = (self.cache.partial(self.blob), self.blob.size);
        self.locked("open", path, move |path| Partial::open(path, size)).await
    }

    async fn restart(&self, mut partial: Partial) -> Result<Partial, FetchError> {
        self.locked("empty", partial.path.clone(), move |_| partial.restart().map(|()| partial)).await
    }

    async fn keep(&self, partial: Partial) -> Result<(), FetchError> {
        let (cache, blob) = (self.cache.clone(), self.blob.clone());
        let path = partial.path.clone();
        self.locked("keep", path, move |_| Ok(cache.keep(&blob, &partial.file))).await?
    }

    /// Works on the partial file on a thread that may block. That thread goes on when the call is dropped, so it holds the lock until it
    /// ends: otherwise the next fetch would open a file that is just being renamed or emptied.
    async fn locked<T: Send + 'static>(
        &self,
        verb: &'static str,
        path: PathBuf,
        work: impl FnOnce(PathBuf) -> io::Result<T> + Send + 'static,
    ) -> Result<T, FetchError> {
        let lock = self.lock.clone();
        blocking(verb, path, move |path| {
            let done = work(path);
            drop(lock);
            done
        })
        .await
    }
}

/// The beginning of a blob, and the digest of it.
struct Partial {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    written: u64,
}

impl Partial {
    /// Reads what an earlier try left; what is longer than the whole is thrown away.
    fn open(path: PathBuf, size: u64) -> io::Result<Self> {
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        if file.metadata()?.len() > size {
            file.set_len(0)?;
        }
        let mut hasher = Hasher::default();
        let mut written = 0;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let n = file.read(&mut buffer)?;
            if n == 0 {
                return Ok(Self { path, file, hasher, written });
            }
            hasher.update(&buffer[..n]);
            written += n as u64;
        }
    }

    fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.hasher = Hasher::default();
        self.written = 0;
        Ok(())
    }

    fn write_all(mut self, mut chunks: mpsc::Receiver<Bytes>) -> io::Result<Self> {
        while let Some(chunk) = chunks.blocking_recv() {
            self.file.write_all(&chunk)?;
            self.hasher.update(&chunk);
            self.written += chunk.len() as u64;
        }
        Ok(self)
    }
}
