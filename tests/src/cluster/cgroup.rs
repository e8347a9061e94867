//! The cgroup for the pods of a cluster: one in each hierarchy (version 1), or a single one (version 2).

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use crate::{Outcome, wait};

const ROOT: &str = "/sys/fs/cgroup";
/// Controllers that the kubelet uses to limit pods.
const CONTROLLERS: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

/// Creates the cgroup in every hierarchy, or in none. The error names what this machine forbids.
pub fn make(name: &str) -> Outcome {
    make_all(name).inspect_err(|_| {
        // Report the first error. The cgroups that were created can be removed.
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
        // Each level must enable its controllers for the level below. The root of a container with processes cannot.
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
        // In version 1 a new cpuset is empty, and no process can run in it.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if folder.parent().is_some_and(|parent| parent.ends_with("cpuset")) {
                fs::write(folder.join(file), fs::read(folder.with_file_name(file))?)?;
            }
        }
    }
    Ok(())
}

/// Removes the cgroup and its children after their processes have ended.
pub fn remove(name: &str) -> Outcome {
    for folder in folders(name)? {
        wait::retry(|| remove_tree(&folder))
            .map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    }
    Ok(())
}

/// Folders of a cgroup, one for each hierarchy that this machine mounts.
pub fn folders(name: &str) -> Outcome<Vec<PathBuf>> {
    if is_unified() {
        return Ok(vec![Path::new(ROOT).join(name)]);
    }
    let Ok(entries) = fs::read_dir(ROOT) else { return Ok(Vec::new()) };
    let hierarchies = entries.filter_map(|entry| Some(entry.ok()?.path()));
    // `cpu` may be a link to `cpu,cpuacct`, so the same folder can appear twice.
    let mut hierarchies: Vec<PathBuf> =
        hierarchies.filter(|path| path.is_dir()).map(fs::canonicalize).collect::<Result<_, _>>()?;
    hierarchies.sort();
    hierarchies.dedup();
    Ok(hierarchies.into_iter().map(|hierarchy| hierarchy.join(name)).collect())
}

fn is_unified() -> bool {
    Path::new(ROOT).join("cgroup.controllers").is_file()
}

/// Removes only folders, the innermost first. The kernel removes the files of a cgroup with its folder.
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
