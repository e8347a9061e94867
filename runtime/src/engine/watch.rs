//! When to read the manifests again: the folder changed, an unpinned artifact in place changed, SIGHUP came, or it is time
//! to try again what failed.

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

/// Files settle for so long before they are read: editors and `kubectl cp` write in several steps.
const QUIET: Duration = Duration::from_millis(150);
/// Looking more often than this finds nothing sooner.
const LEAST_POLL: Duration = Duration::from_millis(10);
/// An artifact is what this file of it says.
const MANIFEST: &str = "marquee.json";
/// A folder that never settles is read anyway.
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
    /// For the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Signal => "signal",
            Self::Retry => "retry",
        }
    }
}

/// Waits for changes.
pub struct ChangeWatcher {
    manifests: PathBuf,
    artifacts: Vec<PathBuf>,
    poll: Duration,
    seen: Print,
    told: mpsc::Receiver<()>,
    /// Tells `told`; none where the system cannot, and polling finds changes instead.
    _watcher: Option<RecommendedWatcher>,
    hangup: Option<Signal>,
}

impl ChangeWatcher {
    /// Watches the folder (or file) of manifests. Where the system does not tell of changes, polling finds them.
    pub fn new(manifests: &Path, poll: Duration) -> Self {
        let (tell, told) = mpsc::channel(1);
        let watcher = watcher(manifests, tell)
            .inspect_err(|error| {
                warn!(error = error as &dyn std::error::Error, "changes are found by polling only")
            })
            .ok();
        let mut watch = Self {
            manifests: manifests.to_owned(),
            artifacts: Vec::new(),
            poll,
            seen: Print::default(),
            told,
            _watcher: watcher,
            hangup: signal(SignalKind::hangup()).ok(),
        };
        watch.seen = watch.print();
        watch
    }

    /// Looks at these folders of artifacts as well. To be called before they are loaded: what changes from then on is
    /// seen.
    pub fn also(&mut self, artifacts: Vec<PathBuf>) {
        let files =
            |artifacts: &[PathBuf]| artifacts.iter().map(|folder| folder.join(MANIFEST)).collect::<Vec<_>>();
        for gone in files(&self.artifacts) {
            if !artifacts.iter().any(|artifact| gone.starts_with(artifact)) {
                self.seen.remove(&gone);
            }
        }
        // What is known already stays: it may have changed since, and that is yet to be told.
        for new in
            files(&artifacts).into_iter().filter(|file| !self.artifacts.iter().any(|a| file.starts_with(a)))
        {
            add(&mut self.seen, new);
        }
        self.artifacts = artifacts;
    }

    /// Waits until there is a reason to read the manifests again; `again` is when to do so without one.
    pub async fn changed(&mut self, again: Option<Instant>) -> Cause {
        let mut tick = tokio::time::interval(self.poll.max(LEAST_POLL));
        tick.tick().await;
        loop {
            // Looked at first: it may have changed while the last change was being served.
            if self.print() != self.seen {
                self.settle().await;
                return Cause::Files;
            }
            tokio::select! {
                Some(()) = self.told.recv() => {}
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

/// What tells one state of the files from another: modification time, size and inode of each. Links are followed, because
/// a ConfigMap changes behind them.
type Print = BTreeMap<PathBuf, (i64, i64, u64, u64)>;

fn add(print: &mut Print, path: PathBuf) {
    if let Ok(meta) = fs::metadata(&path) {
        print.insert(path, (meta.mtime(), meta.mtime_nsec(), meta.len(), meta.ino()));
    }
}

fn watcher(manifests: &Path, tell: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading the folder is told as well: to answer that by reading it would never end.
        if event.is_ok_and(|event| event.kind.is_access()) {
            return;
        }
        // Full means that a change is told already.
        let _ = tell.try_send(());
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

/// The folder of a `file://` uri, after the volumes; none for what lies elsewhere.
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
    fn volumes_stand_in_for_mounts() {
        let volumes = [("/artifacts".into(), "/tmp/a".into()), ("/artifacts/big".into(), "/data".into())];
        #[rustfmt::skip]
        let cases = [
            ("under a volume",         "file:///artifacts/home-ease", Some("/tmp/a/home-ease")),
            ("the longest that fits",  "file:///artifacts/big/mf",    Some("/data/mf")),
            ("under none",             "file:///srv/mf",              Some("/srv/mf")),
            ("only whole parts fit",   "file:///artifacts-2/mf",      Some("/artifacts-2/mf")),
            ("elsewhere",              "s3://bucket/mf",              None),
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
        assert_eq!(watch.changed(soon()).await, Cause::Retry, "an artifact is its marquee.json");
        fs::write(artifact.join("new"), "{ }").unwrap();
        fs::rename(artifact.join("new"), artifact.join("marquee.json")).unwrap();
        assert_eq!(watch.changed(None).await, Cause::Files);
        fs::remove_file(manifests.join("a.yaml")).unwrap();
        assert_eq!(watch.changed(None).await, Cause::Files);
    }
}
