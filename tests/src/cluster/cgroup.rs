//! The cgroup that holds a cluster's pods: one in each hierarchy (version 1), or one (version 2).

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use crate::{Outcome, wait};

const ROOT: &str = "/sys/fs/cgroup";
/// What the kubelet limits pods by.
const CONTROLLERS: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

/// Makes the cgroup in every hierarchy, or in none. An error says what this machine forbids.
pub fn make(name: &str) -> Outcome {
    make_all(name).inspect_err(|_| {
        // What could be made can be removed; the error that counts is the first.
        for folder in folders(name).unwrap_or_default() {
            let _ = fs::remove_dir(folder);
        }
    })
}

fn make_all(name: &str) -> Outcome {
    let absent = CONTROLLERS.iter().find(|one| !is_unified() && !Path::new(ROOT).join(one).is_dir());
    if let Some(absent) = absent {
        return Err(format!("the cgroup controller {absent} is not mounted at {ROOT}/{absent}").into());
    }
    if is_unified() {
        // Every level hands its controllers down; where a container holds processes in its root, it may not.
        let wanted = CONTROLLERS.map(|controller| format!("+{controller}")).join(" ");
        let _ = fs::write(format!("{ROOT}/cgroup.subtree_control"), wanted);
    }
    for folder in folders(name)? {
        fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        if is_unified() {
            let given = fs::read_to_string(folder.join("cgroup.controllers"))?;
            if let Some(absent) =
                CONTROLLERS.iter().find(|one| !given.split_whitespace().any(|has| has == **one))
            {
                return Err(format!("the cgroup controller {absent} is not handed down to {ROOT}").into());
            }
        }
        // Version 1 starts a cpuset empty, and nothing runs in an empty one.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if folder.parent().is_some_and(|parent| parent.ends_with("cpuset")) {
                fs::write(folder.join(file), fs::read(folder.with_file_name(file))?)?;
            }
        }
    }
    Ok(())
}

/// Removes the cgroup and all below it, once the processes in it are gone.
pub fn remove(name: &str) -> Outcome {
    for folder in folders(name)? {
        wait::retry(|| remove_tree(&folder))
            .map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    }
    Ok(())
}

/// Where the cgroup of a name lies, in every hierarchy that this machine mounts.
pub fn folders(name: &str) -> Outcome<Vec<PathBuf>> {
    if is_unified() {
        return Ok(vec![Path::new(ROOT).join(name)]);
    }
    let Ok(entries) = fs::read_dir(ROOT) else { return Ok(Vec::new()) };
    let hierarchies = entries.filter_map(|entry| Some(entry.ok()?.path()));
    // `cpu` may be a link to `cpu,cpuacct`: the same folder twice is made once.
    let mut hierarchies: Vec<PathBuf> =
        hierarchies.filter(|path| path.is_dir()).map(fs::canonicalize).collect::<Result<_, _>>()?;
    hierarchies.sort();
    hierarchies.dedup();
    Ok(hierarchies.into_iter().map(|hierarchy| hierarchy.join(name)).collect())
}

fn is_unified() -> bool {
    Path::new(ROOT).join("cgroup.controllers").is_file()
}

/// A cgroup's files go with it; only its folders are removed, the innermost first.
fn remove_tree(folder: &Path) -> std::io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(folder)
}
