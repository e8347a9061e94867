//! Locks that hold between processes and end with them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How often a lock that somebody else holds is tried again. Polling can be dropped at any point, a blocked thread not.
const POLL: Duration = Duration::from_millis(20);

/// Who else may hold the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Others that share it.
    Shared,
    /// Nobody.
    Exclusive,
}

/// A lock on a file, held until dropped, also against other descriptors of this process.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
    path: PathBuf,
}

impl FileLock {
    /// Takes the lock if it is free.
    pub(crate) fn try_acquire(path: &Path, kind: Kind) -> io::Result<Option<Self>> {
        loop {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
            let locked = match kind {
                Kind::Shared => file.try_lock_shared(),
                Kind::Exclusive => file.try_lock(),
            };
            match locked {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Between opening and locking, its holder may have removed the file: then the lock is on nothing.
            if same_file(&file, path) {
                return Ok(Some(Self { file, path: path.to_owned() }));
            }
        }
    }

    /// Takes the lock, waiting for whoever holds it.
    pub(crate) async fn acquire(path: &Path, kind: Kind) -> io::Result<Self> {
        loop {
            if let Some(lock) = Self::try_acquire(path, kind)? {
                return Ok(lock);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Notes the time, for whoever looks for what was not used for longest.
    pub(crate) fn touch(&self) -> io::Result<()> {
        self.file.set_modified(SystemTime::now())
    }

    /// Removes the file of an exclusive lock.
    pub(crate) fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

fn same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_excludes_as_its_kind_says_and_ends_when_dropped() {
        use Kind::{Exclusive, Shared};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        #[rustfmt::skip]
        let cases = [
            ("readers share",          Shared,    Shared,    true),
            ("a writer waits",         Shared,    Exclusive, false),
            ("readers wait",           Exclusive, Shared,    false),
            ("writers take turns",     Exclusive, Exclusive, false),
        ];
        for (why, held, wanted, free) in cases {
            let first = FileLock::try_acquire(&path, held).unwrap().expect(why);
            assert_eq!(FileLock::try_acquire(&path, wanted).unwrap().is_some(), free, "{why}");
            drop(first);
            assert!(FileLock::try_acquire(&path, wanted).unwrap().is_some(), "{why}: free again");
        }
    }

    #[test]
    fn a_removed_lock_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        FileLock::try_acquire(&path, Kind::Exclusive).unwrap().unwrap().remove().unwrap();
        assert!(!path.exists());
        assert!(FileLock::try_acquire(&path, Kind::Shared).unwrap().is_some());
    }
}
