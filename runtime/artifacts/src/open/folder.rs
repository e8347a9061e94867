//! Files of a folder, opened so that no link or special file leads out of it.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use crate::error::{ArtifactError, Fault, Finding};

/// An open folder. The folder itself may be reached through links; nothing within it may.
pub(crate) struct Folder {
    dir: PathBuf,
    fd: OwnedFd,
}

impl Folder {
    pub(crate) fn open(dir: &Path) -> Result<Self, ArtifactError> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let fd = openat(CWD, dir, flags, Mode::empty()).map_err(|errno| match errno {
            Errno::NOENT => {
                Finding::new(Fault::NoManifest, "an artifact folder", "no such folder").in_file(dir)
            }
            Errno::NOTDIR => Finding::new(Fault::NoManifest, "an artifact folder", "a file").in_file(dir),
            errno => ArtifactError::io("open", dir)(errno.into()),
        })?;
        Ok(Self { dir: dir.to_owned(), fd })
    }

    /// Where `path` lies, for messages.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    /// The plain file at `path` and its size, or `None` where nothing lies. Each part is opened by itself and without
    /// following links, so that the answer holds for the descriptor and not only for the name.
    pub(crate) fn open_file(&self, path: &str) -> Result<Option<(File, u64)>, ArtifactError> {
        let full = self.path(path);
        let link = || {
            Finding::new(Fault::Path, "a plain file within the folder", "a symbolic link or special file")
                .in_file(&full)
        };
        // Without NONBLOCK, opening a pipe that someone put there would wait for a writer.
        let base = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mut parent: Option<OwnedFd> = None;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            let flags = if is_last { base } else { base | OFlags::DIRECTORY };
            let opened = openat(parent.as_ref().unwrap_or(&self.fd), part, flags, Mode::empty());
            parent = Some(match opened {
                Ok(fd) => fd,
                Err(Errno::NOENT) => return Ok(None),
                // LOOP and NOTDIR: a link; NXIO: a socket.
                Err(Errno::LOOP | Errno::NOTDIR | Errno::NXIO) => return Err(link()),
                Err(errno) => return Err(ArtifactError::io("open", &full)(errno.into())),
            });
        }
        let Some(fd) = parent else { return Ok(None) };
        let stat = fstat(&fd).map_err(|errno| ArtifactError::io("read", &full)(errno.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(link());
        }
        Ok(Some((File::from(fd), stat.st_size.unsigned_abs())))
    }
}
