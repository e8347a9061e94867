//! The folders of running fixtures: one each, locked while its fixture lives, swept when nobody holds the lock.

use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{Outcome, cluster::cgroup, data, wait};

const LOCK: &str = "lock";

/// Where all of them lie: on a real disk, since the kubelet keeps the pods' volumes there.
pub fn root() -> Outcome<PathBuf> {
    let root = data::cache()?.join("clusters");
    fs::create_dir_all(&root)?;
    Ok(root)
}

/// A folder's name that no other fixture has, also good as the name of a cgroup.
pub fn unique_name() -> String {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    format!("marquee-{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed))
}

/// Makes the folder and locks it for as long as the file given back is open. It appears under its name only when it is
/// locked, so that no sweep takes it for abandoned.
pub fn hold(folder: &Path) -> Outcome<File> {
    let name = folder.file_name().ok_or("a state folder needs a name")?.to_string_lossy();
    let nascent = folder.with_file_name(format!(".{name}"));
    fs::create_dir_all(&nascent)?;
    let lock = File::create(nascent.join(LOCK))?;
    lock.lock()?;
    fs::rename(&nascent, folder)?;
    Ok(lock)
}

/// Removes the folder, again and again while what dies is still writing into it.
pub fn remove(folder: &Path) -> Outcome {
    wait::retry(|| match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("{}: {error}", folder.display()).into())
        }
        _ => Ok(()),
    })
}

/// Clears away what fixtures left whose keeper was killed.
pub fn sweep() -> Outcome {
    for entry in fs::read_dir(root()?)? {
        let folder = entry?.path();
        let Ok(lock) = File::open(folder.join(LOCK)) else { continue };
        if lock.try_lock().is_ok() {
            cgroup::remove(&folder.file_name().unwrap_or_default().to_string_lossy())?;
            remove(&folder)?;
        }
    }
    Ok(())
}
