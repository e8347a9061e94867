//! The node: container runtime, kubelet, proxy, DNS, and the controllers that keep it busy.

use std::{fs, path::Path};

use crate::{
    Outcome,
    cluster::{
        api_server::ApiServer,
        cgroup, metrics,
        namespaces::{self, NODE, PODS},
        place::{Place, Process},
        tools,
    },
    wait,
};

/// The sandbox image of a pod. Its process only sleeps.
const SANDBOX_IMAGE: &str = "localhost/pause:3";
/// Images and container layers are in memory, because each cluster writes them once and discards them at its end.
const CONTAINERD: &str = r#"
version = 2
root = "/run/containerd/root"
state = "/run/containerd/state"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "/run/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "SANDBOX_IMAGE"
  stream_server_address = "127.0.0.1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "FOLDER/cni"
"#;
const NETWORK: &str = r#"{"cniVersion": "1.0.0", "name": "marquee", "plugins": [
 {"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
  "ipam": {"type": "host-local", "dataDir": "/run/cni", "ranges": [[{"subnet": "PODS"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
 {"type": "portmap", "capabilities": {"portMappings": true}}]}
"#;
/// Accepts both versions of cgroups, and ignores a full disk of the machine.
const KUBELET: &str = r#"
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /CGROUP
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: FOLDER/pki/ca.crt}}
authorization: {mode: Webhook}
address: NODE
failSwapOn: false
resolvConf: ""
clusterDomain: cluster.local
clusterDNS: [NODE]
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
maxPods: 100
"#;
const DNS: &str = ".:53 {\n bind NODE\n errors\n kubernetes cluster.local {\n  kubeconfig FOLDER/pki/admin.kubeconfig\n }\n}\n";
/// Controllers stop for good if they start before the API server has written these objects.
const BOOTSTRAP: [&str; 3] = [
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:kube-scheduler",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings/system::leader-locking-kube-scheduler",
    "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication",
];
/// Flags for an autoscaler that is fast enough for tests.
const CONTROLLERS: &str = "--leader-elect=false --use-service-account-credentials=true --bind-address=127.0.0.1 \
    --horizontal-pod-autoscaler-sync-period=5s --horizontal-pod-autoscaler-initial-readiness-delay=5s \
    --horizontal-pod-autoscaler-cpu-initialization-period=20s --horizontal-pod-autoscaler-downscale-stabilization=10s";
/// Leaves the kernel's limits on tracked connections unchanged, because they belong to the machine.
const PROXY: &str = "--hostname-override=node-1 --proxy-mode=iptables --metrics-bind-address=127.0.0.1:10249 \
    --conntrack-max-per-core=0 --conntrack-min=0 --conntrack-tcp-timeout-established=0s --conntrack-tcp-timeout-close-wait=0s";

/// Starts the container runtime. It starts first so that the images are loaded when the node is Ready.
pub(super) fn containerd(place: &Place) -> Outcome<Process> {
    for folder in ["cni", "kubelet"] {
        fs::create_dir_all(place.path(folder))?;
    }
    fs::write(place.path("cni/10-marquee.conflist"), filled(NETWORK, place))?;
    let config = place.path("containerd.toml");
    fs::write(&config, filled(CONTAINERD, place))?;
    place.spawn("containerd", Path::new("containerd"), [Path::new("-c"), &config])
}

/// Imports an image archive into the container runtime.
pub(super) fn load_image(place: &Place, archive: &Path) -> Outcome {
    let mut import = place.command("ctr");
    import.args(["-a", "/run/containerd/containerd.sock", "-n", "k8s.io", "images", "import"]).arg(archive);
    namespaces::run(&mut import).map(drop)
}

/// Starts all other processes, once the API server is ready. Returns them when the node is Ready.
pub(super) async fn rest(api: &ApiServer) -> Outcome<Vec<Process>> {
    for path in BOOTSTRAP {
        wait::until(path, async || Ok(api.get(path).await.ok())).await?;
    }
    let place = &api.place;
    let known = |name: &str| api.keys.known(name).display().to_string();
    let start = |name: &str, args: Vec<String>| place.spawn(name, &tools::program(name)?, args);
    let key = |flag: &str, file: &str| format!("--{flag}={}", api.keys.path(file).display());

    let delegated = |name: &str| metrics::delegated("kubeconfig", &api.keys.known(name));
    let mut controllers = delegated("controller-manager");
    controllers.extend(words(CONTROLLERS));
    controllers.extend([
        key("service-account-private-key-file", "sa.key"),
        key("root-ca-file", "ca.crt"),
        key("cluster-signing-cert-file", "ca.crt"),
        key("cluster-signing-key-file", "ca.key"),
    ]);
    let mut scheduler = delegated("scheduler");
    scheduler.extend(words("--leader-elect=false --bind-address=127.0.0.1"));

    let config = place.path("kubelet.yaml");
    fs::write(&config, filled(KUBELET, place))?;
    // Measure pods as often as metrics-server reads them, so that autoscaling starts sooner.
    let mut kubelet = words("--hostname-override=node-1 --housekeeping-interval=5s");
    kubelet.extend([
        format!("--node-ip={NODE}"),
        format!("--kubeconfig={}", known("node")),
        format!("--config={}", config.display()),
        format!("--root-dir={}", place.path("kubelet").display()),
        format!("--cert-dir={}", place.path("kubelet-pki").display()),
    ]);
    let mut proxy = words(PROXY);
    proxy.extend([format!("--kubeconfig={}", known("proxy")), format!("--cluster-cidr={PODS}")]);

    let corefile = place.path("Corefile");
    fs::write(&corefile, filled(DNS, place))?;
    let mut processes = vec![
        start("kubelet", kubelet)?,
        start("kube-controller-manager", controllers)?,
        start("kube-scheduler", scheduler)?,
        start("kube-proxy", proxy)?,
        start("coredns", vec!["-conf".into(), corefile.display().to_string()])?,
        metrics::of_resources(api)?,
    ];
    wait::until("the node to be Ready", async || {
        processes.iter_mut().try_for_each(Process::expect_alive)?;
        let Ok(node) = api.get("/api/v1/nodes/node-1").await else { return Ok(None) };
        let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
        let ready = conditions.into_iter().any(|one| one["type"] == "Ready" && one["status"] == "True");
        // Discovery is complete only when the metrics API answers too, and namespaces cannot be deleted without it.
        let whole = ready && api.get("/apis/metrics.k8s.io/v1beta1").await.is_ok();
        Ok(whole.then_some(()))
    })
    .await?;
    Ok(processes)
}

/// Ids, outside of the namespaces, of the processes in a container. `container` is the `containerd://ID` of the pod's status.
pub(super) fn processes_of(place: &Place, container: &str) -> Outcome<Vec<u32>> {
    let name = place.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut found = Vec::new();
    for folder in cgroup::folders(&name)? {
        collect(&folder, container.trim_start_matches("containerd://"), &mut found);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn collect(folder: &Path, container: &str, found: &mut Vec<u32>) {
    if folder.ends_with(container) {
        let listed = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        found.extend(listed.lines().filter_map(|line| line.parse::<u32>().ok()));
    }
    let below = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    below.filter(|path| path.is_dir()).for_each(|path| collect(&path, container, found));
}

pub(super) fn words(flags: &str) -> Vec<String> {
    flags.split_whitespace().map(String::from).collect()
}

fn filled(template: &str, place: &Place) -> String {
    let folder = place.folder.display().to_string();
    let name = place.folder.file_name().unwrap_or_default().to_string_lossy();
    let template = template.replace("SANDBOX_IMAGE", SANDBOX_IMAGE).replace("FOLDER", &folder);
    template.replace("/CGROUP", &format!("/{name}")).replace("NODE", NODE).replace("PODS", PODS)
}
