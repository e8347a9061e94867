//! The folder beside the place, and the step that puts it there.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{CWD, FlockOperation, Mode, OFlags, RenameFlags, flock, openat, renameat_with};
use rustix::io::Errno;

use super::{WriteError, write_file};
use crate::manifest::MANIFEST_FILE;

/// Stands in the name of every such folder.
const MARK: &str = ".partial-";

/// Another writer may sweep a folder up in the instant before it is locked; then the next one is tried.
const ATTEMPTS: usize = 16;

/// A folder beside the place, locked while its writer lives; removed on drop.
#[derive(Debug)]
pub(crate) struct Staging {
    dir: PathBuf,
    place: PathBuf,
    _lock: OwnedFd,
}

impl Staging {
    pub(crate) fn create(place: &Path) -> Result<Self, WriteError> {
        check_place(place)?;
        let fail = |verb| move |source| io_error(verb, place, place, source);
        let parent = parent(place);
        fs::create_dir_all(&parent).map_err(fail("create the parent of"))?;
        sweep(&parent, place);
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let dir = parent.join(fresh_name(place));
            fs::create_dir(&dir).map_err(|source| io_error("create", &dir, place, source))?;
            match lock(&dir) {
                Ok(lock) if dir.exists() => return Ok(Self { dir, place: place.to_owned(), _lock: lock }),
                Ok(_) => {}
                Err(source) => last = Some(io_error("lock", &dir, place, source)),
            }
        }
        Err(last
            .unwrap_or_else(|| io_error("lock a folder for", place, place, io::ErrorKind::TimedOut.into())))
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// Writes and syncs one file; gives its size and SHA-256. The message names the file as it will be.
    pub(crate) fn write(
        &self,
        path: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(u64, String), WriteError> {
        let full = self.dir.join(path);
        let create = || {
            full.parent().map_or(Ok(()), fs::create_dir_all)?;
            // A draft's manifest is mapped by nobody, but never written over all the same.
            let again = fs::remove_file(&full).err().filter(|error| error.kind() != io::ErrorKind::NotFound);
            again.map_or(Ok(()), Err)?;
            fs::File::create_new(&full)
        };
        create()
            .and_then(|file| write_file(file, write))
            .map_err(|source| io_error("write", &self.place.join(path), &self.place, source))
    }

    /// Puts the folder at its place and syncs both; an older artifact there is removed afterwards.
    pub(crate) fn publish(self) -> Result<(), WriteError> {
        sync_folders(&self.dir).map_err(|source| io_error("sync", &self.dir, &self.place, source))?;
        check_place(&self.place)?;
        let rename = |source| io_error("rename the new artifact to", &self.place, &self.place, source);
        self.rename().map_err(rename)?;
        let parent = parent(&self.place);
        // The artifact is whole and in place; only whether it would survive a power cut this instant is open.
        sync(&parent).map_err(|source| io_error("sync", &parent, &self.place, source))
        // What lay at the place now lies at `self.dir`, and drop removes it.
    }

    #[cfg(test)]
    pub(crate) fn abandon(mut self) -> PathBuf {
        // Drop then removes nothing, and gives the lock back.
        std::mem::replace(&mut self.dir, PathBuf::from("/nonexistent/abandoned"))
    }

    fn rename(&self) -> io::Result<()> {
        match renameat_with(CWD, &self.dir, CWD, &self.place, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(()),
            Err(Errno::EXIST | Errno::INVAL | Errno::NOSYS) => {}
            Err(errno) => return Err(errno.into()),
        }
        match renameat_with(CWD, &self.dir, CWD, &self.place, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS) => self.rename_aside(),
            Err(Errno::NOENT) => fs::rename(&self.dir, &self.place),
            done => Ok(done?),
        }
    }

    /// For file systems that cannot exchange: two renames, and back again if the second fails.
    fn rename_aside(&self) -> io::Result<()> {
        let aside = parent(&self.place).join(fresh_name(&self.place));
        let had_old = match fs::rename(&self.place, &aside) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if let Err(error) = fs::rename(&self.dir, &self.place) {
            if had_old {
                fs::rename(&aside, &self.place)?;
            }
            return Err(error);
        }
        if had_old {
            fs::remove_dir_all(&aside).ok(); // the next writer sweeps it up
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.dir).ok(); // nothing is there after a first publication
    }
}

fn io_error(verb: &'static str, path: &Path, dir: &Path, source: io::Error) -> WriteError {
    WriteError::Io { verb, path: path.to_owned(), dir: dir.to_owned(), source }
}

/// Only an older artifact or an empty folder may be replaced: a mistyped path must not cost a home folder.
fn check_place(place: &Path) -> Result<(), WriteError> {
    let occupied = || WriteError::Occupied { dir: place.to_owned() };
    if place.file_name().is_none() {
        return Err(occupied());
    }
    match fs::read_dir(place) {
        Ok(entries) => {
            let replaceable = entries.into_iter().next().is_none() || place.join(MANIFEST_FILE).is_file();
            if replaceable { Ok(()) } else { Err(occupied()) }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(occupied()),
        Err(source) => Err(io_error("read", place, place, source)),
    }
}

fn parent(place: &Path) -> PathBuf {
    match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// `.name.partial-PID-N`: hidden, on the same file system, and nobody else's.
fn fresh_name(place: &Path) -> OsString {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut name = prefix(place);
    name.push(format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    name
}

fn prefix(place: &Path) -> OsString {
    let mut name = OsString::from(".");
    name.push(place.file_name().unwrap_or_default());
    name.push(MARK);
    name
}

/// The lock says that the writer lives; it ends with the process, however that ends.
fn lock(dir: &Path) -> io::Result<OwnedFd> {
    let fd = openat(CWD, dir, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    flock(&fd, FlockOperation::NonBlockingLockExclusive)?;
    Ok(fd)
}

/// Removes what writers to the same place left when they were killed. A failure costs only disk space.
fn sweep(parent: &Path, place: &Path) {
    let prefix = prefix(place);
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes());
        if ours && lock(&entry.path()).is_ok() {
            tracing::info!(path = %entry.path().display(), "removing what an interrupted writer left");
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

fn sync_folders(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    sync(dir)
}

fn sync(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}
