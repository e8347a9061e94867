//! Linux namespaces of a cluster: a separate network, and separate mounts over every path outside its folder that a node writes to.

use std::{
    fs::{self, File},
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::sync::oneshot;

use crate::{Outcome, cluster::place::Place};

/// The node's address in the cluster's network.
pub const NODE: &str = "10.77.0.1";
/// Address range of pods.
pub const PODS: &str = "10.78.0.0/24";
/// Address range of Services.
pub const SERVICES: &str = "10.79.0.0/24";
/// First address of Services: the API server.
pub const FIRST_SERVICE: &str = "10.79.0.1";

/// Script that separates the node from the machine. `/run` contains sockets, locks and the network namespaces of pods, `/var/lib` the
/// state of network plugins, `/var/log` the logs of pods. There is no default route, so no packet leaves the cluster. Services are routed to a
/// link so that address translation sees their packets. The kubelet requires some kernel settings: it sees files with the expected
/// values, and the real settings stay unchanged.
const FURNISH: &str = r#"
set -eu
mount -t proc proc /proc
for hidden in /run /var/lib /var/log; do mount -t tmpfs tmpfs "$hidden"; done
mkdir /run/netns "$FOLDER/settings"
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
               kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  shown="$FOLDER/settings/$(echo "${setting%=*}" | tr / .)"
  echo "${setting#*=}" >"$shown"
  mount --bind "$shown" "/proc/sys/${setting%=*}"
done
ip link set lo up
ip link add node0 type veth peer name node0p
ip addr add "$NODE/24" dev node0
ip link set node0 up
ip link set node0p up
ip route add "$SERVICES" dev node0
echo 1 >/proc/sys/net/ipv4/ip_forward
"#;

/// Sets up mounts and network in new namespaces.
pub fn furnish(place: &Place) -> Outcome {
    if ["/run", "/var/lib", "/var/log"].iter().any(|hidden| place.folder.starts_with(hidden)) {
        return Err(format!(
            "{} will be hidden: set MARQUEE_CACHE to another folder",
            place.folder.display()
        )
        .into());
    }
    let mut shell = place.command("sh");
    shell.args(["-c", FURNISH]).env("FOLDER", &place.folder).env("NODE", NODE).env("SERVICES", SERVICES);
    run(&mut shell).map(drop)
}

/// Runs a command to its end. Returns its output, or an error that contains the output.
pub fn run(command: &mut Command) -> Outcome<String> {
    let done = command.stdin(std::process::Stdio::null()).output()?;
    let output = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        Ok(output)
    } else {
        Err(format!("{command:?} {}: {output}{}", done.status, String::from_utf8_lossy(&done.stderr)).into())
    }
}

/// Name in /proc of the network namespace of a process.
pub fn network(process: u32) -> Outcome<PathBuf> {
    Ok(fs::read_link(Path::new("/proc").join(process.to_string()).join("ns/net"))?)
}

/// Ids of the processes in this network namespace.
pub fn members(network_namespace: &Path) -> Outcome<Vec<u32>> {
    let mut members = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(process) = entry?.file_name().to_string_lossy().parse() else { continue };
        // Skip a process that has just ended.
        if network(process).is_ok_and(|its| its == network_namespace) {
            members.push(process);
        }
    }
    Ok(members)
}

/// Runs `work` on threads in the network of the process `init`.
pub async fn inside<T, F>(init: u32, work: impl FnOnce() -> F + Send + 'static) -> Outcome<T>
where
    T: Send + 'static,
    F: Future<Output = Outcome<T>>,
{
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        let outcome = enter(init).and_then(|()| {
            // Threads that this thread starts are in the same network.
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            runtime.block_on(work())
        });
        // The caller may no longer wait.
        let _ = sender.send(outcome);
    });
    receiver.await.map_err(|_| "the thread inside the network panicked")?
}

fn enter(init: u32) -> Outcome {
    let network = File::open(Path::new("/proc").join(init.to_string()).join("ns/net"))?;
    Ok(move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?)
}
