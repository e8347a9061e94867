//! Decides when to read the manifests again: the folder changed, an unpinned local artifact changed, SIGHUP arrived, or a
//! failed load should be retried.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};
use tracing::warn;

/// Files are read after this time without changes, because editors and `kubectl cp` write in several steps.
const QUIET: Duration = Duration::from_millis(150);
/// Shortest poll interval. Polling more often would not find changes sooner.
const LEAST_POLL: Duration = Duration::from_millis(10);
/// The file that decides whether an artifact changed.
const MANIFEST: &str = "marquee.json";
/// Longest wait for a folder to settle. After it the folder is read anyway.
const AT_MOST: Duration = Duration::from_secs(2);

/// Why the manifests are read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A file changed.
    Files,
    /// SIGHUP.
    Signal,
    /// Something failed before.
    Retry,
}

impl Cause {
    /// Word for the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Signal => "signal",
            Self::Retry => "retry",
        }
    }
}

/// Waits for changes of manifests and artifacts.
pub struct ChangeWatcher {
    manifests: PathBuf,
    artifacts: Vec<PathBuf>,
    poll: Duration,
    seen: Print,
    changes: mpsc::Receiver<()>,
    /// Sends to `changes`. `None` if the system cannot report changes; polling then finds them.
    _watcher: Option<RecommendedWatcher>,
    hangup: Option<Signal>,
}

impl ChangeWatcher {
    /// Watches the folder (or file) of manifests. If the system cannot report changes, polling finds them.
    pub fn new(manifests: &Path, poll: Duration) -> Self {
        let (sender, changes) = mpsc::channel(1);
        let watcher = watcher(manifests, sender)
            .inspect_err(|error| {
                warn!(
                    error = error as &dyn std::error::Error,
                    "cannot watch the manifests: only polling finds changes"
                )
            })
            .ok();
        let mut watch = Self {
            manifests: manifests.to_owned(),
            artifacts: Vec::new(),
            poll,
            seen: Print::default(),
            changes,
            _watcher: watcher,
            hangup: signal(SignalKind::hangup()).ok(),
        };
        watch.seen = watch.print();
        watch
    }

    /// Watches these artifact folders too. Call it before they are loaded, so that no later change is missed.
    pub fn also(&mut self, artifacts: Vec<PathBuf>) {
        let files =
            |artifacts: &[PathBuf]| artifacts.iter().map(|folder| folder.join(MANIFEST)).collect::<Vec<_>>();
        for gone in files(&self.artifacts) {
            if !artifacts.iter().any(|artifact| gone.starts_with(artifact)) {
                self.seen.remove(&gone);
            }
        }
        // Known files keep their fingerprint, because they may have changed since, which is not reported yet.
        for new in
            files(&artifacts).into_iter().filter(|file| !self.artifacts.iter().any(|a| file.starts_with(a)))
        {
            add(&mut self.seen, new);
        }
        self.artifacts = artifacts;
    }

    /// Waits until the manifests should be read again, at `again` at the latest.
    pub async fn changed(&mut self, again: Option<Instant>) -> Cause {
        let mut tick = tokio::time::interval(self.poll.max(LEAST_POLL));
        tick.tick().await;
        loop {
            // Checked first, because files may have changed while the previous change was being applied.
            if self.print() != self.seen {
                self.settle().await;
                return Cause::Files;
            }
            tokio::select! {
                Some(()) = self.changes.recv() => {}
                _ = tick.tick() => {}
                () = hung_up(&mut self.hangup) => return Cause::Signal,
                () = at(again) => return Cause::Retry,
            }
        }
    }

    async fn settle(&mut self) {
        let began = Instant::now();
        loop {
            self.seen = self.print();
            tokio::time::sleep(QUIET).await;
            if self.print() == self.seen || began.elapsed() > AT_MOST {
                return;
            }
        }
    }

    fn print(&self) -> Print {
        let mut print = Print::new();
        if self.manifests.is_file() {
            add(&mut print, self.manifests.clone());
        } else if let Ok(entries) = fs::read_dir(&self.manifests) {
            entries.flatten().for_each(|entry| add(&mut print, entry.path()));
        }
        self.artifacts.iter().for_each(|artifact| add(&mut print, artifact.join(MANIFEST)));
        print
    }
}

/// Fingerprint of the files: modification time, size and inode of each. Links are followed, because a ConfigMap changes the
/// files behind its links.
type Print = BTreeMap<PathBuf, (i64, i64, u64, u64)>;

fn add(print: &mut Print, path: PathBuf) {
    if let Ok(meta) = fs::metadata(&path) {
        print.insert(path, (meta.mtime(), meta.mtime_nsec(), meta.len(), meta.ino()));
    }
}

fn watcher(manifests: &Path, sender: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reads of the folder are reported too. Reacting to them by reading the folder would never end.
        if event.is_ok_and(|event| event.kind.is_access()) {
            return;
        }
        // If the channel is full, it already holds a change.
        let _ = sender.try_send(());
    })?;
    watcher.watch(manifests, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

async fn hung_up(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

/// The local folder of a `file://` uri, with `volumes` applied. `None` for every other uri.
pub fn local_folder(uri: &str, volumes: &[(PathBuf, PathBuf)]) -> Option<PathBuf> {
    let path = Path::new(uri.strip_prefix("file://")?);
    let fitting = volumes
        .iter()
        .filter_map(|(from, to)| path.strip_prefix(from).ok().map(|rest| (from, to.join(rest))));
    let longest = fitting.max_by_key(|(from, _)| from.components().count());
    Some(longest.map_or_else(|| path.to_owned(), |(_, path)| path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_replace_mount_paths() {
        let volumes = [("/artifacts".into(), "/tmp/a".into()), ("/artifacts/big".into(), "/data".into())];
        #[rustfmt::skip]
        let cases = [
            ("under a volume",         "file:///artifacts/home-ease", Some("/tmp/a/home-ease")),
            ("the longest that fits",  "file:///artifacts/big/mf",    Some("/data/mf")),
            ("under no volume",        "file:///srv/mf",              Some("/srv/mf")),
            ("only whole parts fit",   "file:///artifacts-2/mf",      Some("/artifacts-2/mf")),
            ("not a file uri",         "s3://bucket/mf",              None),
        ];
        for (why, uri, expected) in cases {
            assert_eq!(local_folder(uri, &volumes), expected.map(PathBuf::from), "{why}");
        }
    }

    #[tokio::test]
    async fn a_changed_file_and_a_changed_artifact_are_seen_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let (manifests, artifact) = (dir.path().join("manifests"), dir.path().join("artifact"));
        fs::create_dir_all(&manifests).unwrap();
        fs::create_dir_all(&artifact).unwrap();
        fs::write(artifact.join("marquee.json"), "{}").unwrap();
        let mut watch = ChangeWatcher::new(&manifests, Duration::from_millis(20));
        watch.also(vec![artifact.clone()]);
        let soon = || Some(Instant::now() + Duration::from_millis(200));
        assert_eq!(watch.changed(soon()).await, Cause::Retry, "nothing changed");
        fs::write(manifests.join("a.yaml"), "a: 1").unwrap();
        assert_eq!(watch.changed(None).await, Cause::Files);
        fs::write(artifact.join("weights.safetensors"), "x").unwrap();
        assert_eq!(watch.changed(soon()).await, Cause::Retry, "only marquee.json decides");
        fs::write(artifact.join("new"), "{ }").unwrap();
        fs::rename(artifact.join("new"), artifact.join("marquee.json")).unwrap();
        assert_eq!(watch.changed(None).await, Cause::Files);
        fs::remove_file(manifests.join("a.yaml")).unwrap();
        assert_eq!(watch.changed(None).await, Cause::Files);
    }
}
