//! Tests of the fixtures: they start quickly, work as documented, and leave nothing behind.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use marquee_tests::{
    Outcome,
    cluster::{ApiServer, Cluster, Options, cgroup, image, namespaces, tools},
    http_client, wait,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::net::{TcpStream, UdpSocket};

/// Several times the usual duration on two cores, because other work may run at the same time.
const API_READY: Duration = Duration::from_secs(15);
const NODE_READY: Duration = Duration::from_secs(60);

/// A namespace with the strictest Pod Security standard, a pod of ours that ends, and a pod that stays.
const PODS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: fixture, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: pods, namespace: fixture}
---
apiVersion: v1
kind: Pod
metadata: {name: version, namespace: fixture}
spec:
  restartPolicy: Never
  serviceAccountName: pods
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: runtime
      image: IMAGE
      imagePullPolicy: Never
      args: [--version]
      resources: {limits: {cpu: "1", memory: 64Mi}}
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
---
apiVersion: v1
kind: Pod
metadata: {name: steady, namespace: fixture}
spec:
  serviceAccountName: pods
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: steady
      image: localhost/pause:3
      imagePullPolicy: Never
      resources: {limits: {cpu: "1", memory: 64Mi}}
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
"#;

/// A Prometheus that scrapes itself.
const PROMETHEUS: &str = r#"
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: itself
    static_configs: [{targets: ["10.77.0.1:9090"]}]
"#;

#[tokio::test]
async fn an_api_server_checks_users_and_keeps_its_data_over_a_restart() -> Outcome {
    let started = Instant::now();
    let api = ApiServer::start_with(Options { audit: true, ..Options::default() }).await?;
    println!("API server ready in {:?}", started.elapsed());
    assert!(started.elapsed() < API_READY, "{:?}", started.elapsed());

    api.kubectl(&["create", "namespace", "kept"])?;
    let viewer = api.keys.user("viewer", &["viewers"])?;
    let whoami = api.kubectl(&[
        "auth",
        "whoami",
        "-o",
        "jsonpath={.status.userInfo}",
        "--kubeconfig",
        &viewer.display().to_string(),
    ])?;
    assert!(whoami.contains(r#""username":"viewer""#) && whoami.contains("viewers"), "{whoami}");
    let refused =
        api.kubectl(&["get", "namespaces", "--kubeconfig", &viewer.display().to_string()]).unwrap_err();
    assert!(refused.to_string().contains("Forbidden"), "{refused}");

    api.kill()?;
    assert!(api.get("/readyz").await.is_err(), "a killed API server answered");
    api.start_again().await?;
    assert_eq!(api.get("/api/v1/namespaces/kept").await?["metadata"]["name"], "kept");
    let log = fs::read_to_string(api.audit_log())?;
    assert!(log.lines().any(|line| line.contains(r#""username":"viewer""#)), "the audit log has the user");

    api.clear()
}

#[tokio::test]
async fn a_cluster_runs_pods_resolves_names_and_measures_use() -> Outcome {
    let started = Instant::now();
    let Some(cluster) = Cluster::start_or_skip(Options::default()).await? else { return Ok(()) };
    println!("cluster ready in {:?}", started.elapsed());
    assert!(started.elapsed() < NODE_READY, "{:?}", started.elapsed());
    cluster.api.apply(&PODS.replace("IMAGE", &image("runtime")))?;

    let ended = container(&cluster, "version", "terminated").await?;
    assert_eq!(ended["state"]["terminated"]["exitCode"], 0, "{ended}");
    let log = cluster.api.kubectl(&["logs", "version", "--namespace=fixture"])?;
    assert!(log.starts_with("marquee-runtime "), "{log}");

    let running = container(&cluster, "steady", "running").await?;
    let processes = cluster.processes_of(running["containerID"].as_str().unwrap())?;
    assert_eq!(processes.len(), 1, "{running}");
    let pod = processes[0];
    let address =
        namespaces::inside(pod, || async { resolve("kubernetes.default.svc.cluster.local").await }).await?;
    assert_eq!(address, namespaces::FIRST_SERVICE);
    namespaces::inside(pod, || async { Ok(TcpStream::connect((namespaces::FIRST_SERVICE, 443)).await?) })
        .await?;

    let (_prometheus, prometheus) = cluster.prometheus(PROMETHEUS)?;
    // The metrics server needs two samples before it has an answer.
    let measured = wait::until_within(Duration::from_secs(90), "the pod's use to be measured", async || {
        Ok(cluster.api.get("/apis/metrics.k8s.io/v1beta1/namespaces/fixture/pods/steady").await.ok())
    });
    assert_eq!(measured.await?["containers"][0]["name"], "steady");

    let url = format!("{prometheus}/api/v1/query?query=up");
    let scraped: Value =
        cluster.in_network(async move || Ok(http_client()?.get(url).send().await?.json().await?)).await?;
    assert_eq!(scraped["data"]["result"][0]["value"][1], "1", "Prometheus scrapes itself: {scraped}");

    kill_process(Pid::from_raw(i32::try_from(pod)?).unwrap(), Signal::KILL)?;
    let restarted = wait::until("the killed container to be started again", async || {
        let now = container(&cluster, "steady", "running").await?;
        Ok((now["restartCount"] == 1).then_some(()))
    });
    restarted.await?;

    let traces = Traces::of(&cluster)?;
    assert!(
        !traces.left()?.is_empty(),
        "a running cluster has no traces, so the next check would check nothing"
    );
    cluster.clear()?;
    assert_eq!(traces.left()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn nothing_is_left_of_a_cluster_whose_test_is_killed() -> Outcome {
    if tools::hindrance().is_some() {
        // The previous test prints the reason, or fails.
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let mut starter =
        Starter(Command::new(tools::sibling("cluster")?).arg(folder.path()).stdout(Stdio::piped()).spawn()?);
    let mut lines = BufReader::new(starter.0.stdout.take().unwrap()).lines();
    let ready = tokio::task::spawn_blocking(move || lines.next())
        .await?
        .ok_or("the cluster ended before it was ready")??;
    let state = PathBuf::from(ready.trim_start_matches("ready: "));
    let enter = folder.path().join("enter");
    let kubectl = folder.path().join("kubectl");
    let manifest = folder.path().join("pods.yaml");
    fs::write(&manifest, PODS.replace("IMAGE", &image("runtime")))?;
    namespaces::run(Command::new(&kubectl).args(["apply", "-f"]).arg(&manifest))?;
    let wait_for = ["wait", "--for=condition=Ready", "--namespace=fixture", "pod/steady", "--timeout=30s"];
    namespaces::run(Command::new(&kubectl).args(wait_for))?;
    let script = fs::read_to_string(&enter)?;
    let init = script.split("--target ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse()?;
    let traces = Traces { init_namespace: namespaces::network(init)?, state };
    assert!(!traces.left()?.is_empty());

    starter.0.kill()?;
    wait::until("everything to be gone", async || Ok(traces.left()?.is_empty().then_some(()))).await
}

/// Kills the process that a failed test started.
struct Starter(Child);

impl Drop for Starter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Everything of a cluster that could outlive it.
struct Traces {
    /// The network namespace, by its name in /proc.
    init_namespace: PathBuf,
    /// The folder. The cgroup has the same name.
    state: PathBuf,
}

impl Traces {
    fn of(cluster: &Cluster) -> Outcome<Self> {
        Ok(Self {
            init_namespace: namespaces::network(cluster.init()?)?,
            state: cluster.folder().to_path_buf(),
        })
    }

    /// Everything that still exists. Processes are found by network, folder and cgroup.
    fn left(&self) -> Outcome<Vec<String>> {
        let mut left = Vec::new();
        let name = self.state.file_name().unwrap().to_string_lossy();
        if self.state.exists() {
            left.push(format!("folder {}", self.state.display()));
        }
        left.extend(
            cgroup::folders(&name)?.iter().filter(|f| f.exists()).map(|f| format!("cgroup {}", f.display())),
        );
        left.extend(
            fs::read_to_string("/proc/mounts")?
                .lines()
                .filter(|line| line.contains(&*name))
                .map(String::from),
        );
        let members = namespaces::members(&self.init_namespace)?;
        for entry in fs::read_dir("/proc")? {
            let pid = entry?.file_name().to_string_lossy().into_owned();
            let Ok(pid) = pid.parse::<u32>() else { continue };
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if members.contains(&pid) || line.contains(&*name) {
                left.push(format!("process {pid} {}", line.replace('\0', " ")));
            }
        }
        Ok(left)
    }
}

/// Waits until the container of a pod is in this state, and returns it.
async fn container(cluster: &Cluster, pod: &str, state: &str) -> Outcome<Value> {
    wait::until(&format!("{pod} to be {state}"), async || {
        let now = cluster.api.get(&format!("/api/v1/namespaces/fixture/pods/{pod}")).await?;
        let container = &now["status"]["containerStatuses"][0];
        Ok(container["state"][state].is_object().then(|| container.clone()))
    })
    .await
}

/// Resolves a name with the cluster's DNS, with the smallest possible query.
async fn resolve(name: &str) -> Outcome<String> {
    const HEADER: [u8; 12] = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    const ADDRESS_OF: [u8; 5] = [0, 0, 1, 0, 1];
    let mut question = HEADER.to_vec();
    for label in name.split('.') {
        question.push(u8::try_from(label.len())?);
        question.extend_from_slice(label.as_bytes());
    }
    question.extend(ADDRESS_OF);
    let socket = UdpSocket::bind("0.0.0.0:0").await?;
    socket.send_to(&question, (namespaces::NODE, 53)).await?;
    let mut answer = [0; 512];
    let length = tokio::time::timeout(wait::PATIENCE, socket.recv(&mut answer)).await??;
    let address = answer[..length].last_chunk::<4>().ok_or("no address in the answer")?;
    Ok(std::net::Ipv4Addr::from(*address).to_string())
}
