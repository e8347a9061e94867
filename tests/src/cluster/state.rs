//! State folders of fixtures. A running fixture locks its folder. A folder without a lock is left over and is removed.

use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{Outcome, cluster::cgroup, data, wait};

const LOCK: &str = "lock";

/// Parent of all state folders. It is on a real disk because the kubelet stores the volumes of pods in them.
pub fn root() -> Outcome<PathBuf> {
    let root = data::cache()?.join("clusters");
    fs::create_dir_all(&root)?;
    Ok(root)
}

/// A unique folder name, which is also valid as the name of a cgroup.
pub fn unique_name() -> String {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    format!("marquee-{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed))
}

/// Creates the folder and locks it until the returned file is closed. The folder gets its name only after it is locked, so that `sweep`
/// does not remove it.
pub fn hold(folder: &Path) -> Outcome<File> {
    let name = folder.file_name().ok_or("a state folder needs a name")?.to_string_lossy();
    let nascent = folder.with_file_name(format!(".{name}"));
    fs::create_dir_all(&nascent)?;
    let lock = File::create(nascent.join(LOCK))?;
    lock.lock()?;
    fs::rename(&nascent, folder)?;
    Ok(lock)
}

/// Removes the folder. Retries while ending processes still write to it.
pub fn remove(folder: &Path) -> Outcome {
    wait::retry(|| match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("{}: {error}", folder.display()).into())
        }
        _ => Ok(()),
    })
}

/// Removes the folders and cgroups of fixtures whose keeper was killed.
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
