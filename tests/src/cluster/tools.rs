//! Paths of the programs that `make setup` builds and downloads, and a check that this machine can run a cluster.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    Outcome,
    cluster::{cgroup, state},
    data,
};

/// Debian programs that the kubelet and the harness call by name.
const NODE_COMMANDS: [&str; 7] = ["containerd", "runc", "ctr", "iptables", "conntrack", "ip", "nsenter"];

/// Output folder of `tests/setup/cluster.sh`.
pub fn folder() -> Outcome<PathBuf> {
    let folder = data::cache()?.join("tools/cluster");
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err(format!("{} is missing: run `make setup`", folder.display()).into())
    }
}

/// Path of a program that a cluster needs: `kube-apiserver`, `kubectl`, `helm`, …
pub fn program(name: &str) -> Outcome<PathBuf> {
    let program = folder()?.join("bin").join(name);
    if program.is_file() {
        Ok(program)
    } else {
        Err(format!("{} is missing: run `make setup`", program.display()).into())
    }
}

/// Folder with the CRDs of another project: `gateway-api`, `keda`, `prometheus-operator`.
pub fn foreign_crds(project: &str) -> Outcome<PathBuf> {
    Ok(folder()?.join("crds").join(project))
}

/// Path of a program that Cargo built next to the running test.
pub fn sibling(name: &str) -> Outcome<PathBuf> {
    let test = std::env::current_exe()?;
    let found = test.ancestors().skip(1).take(3).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.ok_or_else(|| format!("{name} is not built: run `make build`").into())
}

/// The reason why this machine cannot run a whole cluster. `None` if it can.
pub fn hindrance() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("a whole cluster needs root".into());
    }
    let missing: Vec<_> = NODE_COMMANDS.into_iter().filter(|name| !is_on_path(name)).collect();
    if !missing.is_empty() {
        return Some(format!("{} not installed: run `make setup` as root", missing.join(", ")));
    }
    let mut probe = Command::new("unshare");
    probe.args(["--pid", "--mount", "--net", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/run"]);
    match probe.stdin(Stdio::null()).output() {
        Err(error) => Some(format!("unshare: {error}")),
        Ok(done) if !done.status.success() => {
            Some(format!("namespaces are forbidden here: {}", String::from_utf8_lossy(&done.stderr).trim()))
        }
        Ok(_) => {
            let probe = format!("{}-probe", state::unique_name());
            cgroup::make(&probe).and_then(|()| cgroup::remove(&probe)).err().map(|error| error.to_string())
        }
    }
}

fn is_on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .any(|folder| Path::new(&folder).join(name).is_file())
}
