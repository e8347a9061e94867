//! An installation of Marquee on the test cluster, with the chart, and a namespace for each story.

mod artifacts;
mod load;

use std::{
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    io::AsyncWriteExt as _,
    process::Command,
    sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

pub use artifacts::{copy, digest, long_catalogue, poison, variant};
pub use load::{Load, Tally};

use crate::{
    Outcome,
    cluster::{Cluster, tools},
    data::{self, repository},
};

/// Namespace of the operator.
pub const SYSTEM: &str = "marquee-system";

/// Longest wait for pods to start and become ready on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(250);

static TURN: RwLock<()> = RwLock::const_new(());

/// A namespace with restricted Pod Security, and the homepage's artifacts on a claimed volume.
pub struct Platform {
    /// The cluster.
    pub cluster: &'static Cluster,
    /// The story's namespace.
    pub namespace: String,
    /// Folder of the volume, on this machine and on the node.
    pub artifacts: PathBuf,
    _turn: Turn,
}

/// Stories run in parallel, except those that stop a component that all need.
enum Turn {
    Shared { _guard: RwLockReadGuard<'static, ()> },
    Alone { _guard: RwLockWriteGuard<'static, ()> },
}

impl Platform {
    /// Installs Marquee if necessary, and creates the story's namespace. `None` if this machine cannot run a cluster.
    pub async fn new(story: &str) -> Outcome<Option<Self>> {
        Self::with_turn(story, Turn::Shared { _guard: TURN.read().await }).await
    }

    /// The same while no other story runs, for a story that stops a component that all need.
    pub async fn alone(story: &str) -> Outcome<Option<Self>> {
        Self::with_turn(story, Turn::Alone { _guard: TURN.write().await }).await
    }

    async fn with_turn(story: &str, turn: Turn) -> Outcome<Option<Self>> {
        let Some(cluster) = Cluster::shared_or_skip().await? else { return Ok(None) };
        install(cluster).await?;
        let namespace = format!("story-{story}");
        let artifacts = cluster.folder().join("artifacts").join(story);
        for artifact in ["home-catalogue", "home-ials", "home-ease", "home-svdpp"] {
            copy(&data::trained_home("stories-home").await?.join(artifact), &artifacts.join(artifact))?;
        }
        let platform = Self { cluster, namespace, artifacts, _turn: turn };
        platform.furnish().await?;
        Ok(Some(platform))
    }

    async fn furnish(&self) -> Outcome {
        let (namespace, folder) = (&self.namespace, self.artifacts.display());
        let manifests = format!(
            "
apiVersion: v1
kind: Namespace
metadata: {{name: {namespace}, labels: {{pod-security.kubernetes.io/enforce: restricted}}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {{name: {namespace}}}
spec:
  capacity: {{storage: 1Gi}}
  accessModes: [ReadOnlyMany]
  storageClassName: ''
  hostPath: {{path: {folder}}}
  claimRef: {{namespace: {namespace}, name: marquee-artifacts}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: marquee-artifacts, namespace: {namespace}}}
spec:
  accessModes: [ReadOnlyMany]
  storageClassName: ''
  volumeName: {namespace}
  resources: {{requests: {{storage: 1Gi}}}}
"
        );
        self.apply(&manifests).await
    }

    /// Runs `kubectl` in the story's namespace and returns its output.
    pub async fn kubectl(&self, args: &str) -> Outcome<String> {
        let args: Vec<&str> =
            ["--namespace", &self.namespace].into_iter().chain(args.split_whitespace()).collect();
        kubectl(self.cluster, &args, None).await
    }

    /// Runs `kubectl` with arguments that contain spaces.
    pub async fn kubectl_with(&self, args: &[&str]) -> Outcome<String> {
        let args: Vec<&str> = ["--namespace", &self.namespace].iter().chain(args).copied().collect();
        kubectl(self.cluster, &args, None).await
    }

    /// Applies manifests in the story's namespace.
    pub async fn apply(&self, manifests: &str) -> Outcome {
        kubectl(self.cluster, &["--namespace", &self.namespace, "apply", "-f", "-"], Some(manifests))
            .await
            .map(drop)
    }

    /// Applies `examples/homepage`, and waits with `kubectl wait` until all resources are Ready.
    pub async fn homepage(&self) -> Outcome {
        let examples = repository().join("examples/homepage");
        self.kubectl_with(&["apply", "-f", &examples.display().to_string()]).await?;
        self.ready("rankingmodels --all").await?;
        self.ready("pagelayouts --all").await
    }

    /// The same with two seconds for a page: on a machine whose cores are busy, a story about failures must not count late rows.
    pub async fn patient_homepage(&self) -> Outcome {
        let layout = std::fs::read_to_string(repository().join("examples/homepage/layout.yaml"))?;
        let patient = layout.replace("  deadline: 50ms", "  deadline: 2s");
        if patient == layout {
            return Err(
                "examples/homepage/layout.yaml has no `deadline: 50ms`: change it here as well".into()
            );
        }
        for model in ["rated-for-you", "similar", "top-picks"] {
            let file = repository().join(format!("examples/homepage/{model}.yaml"));
            self.kubectl_with(&["apply", "-f", &file.display().to_string()]).await?;
        }
        self.apply(&patient).await?;
        self.ready("rankingmodels --all").await?;
        self.ready("pagelayouts --all").await
    }

    /// Waits until these resources are Ready; the error shows their state.
    pub async fn ready(&self, what: &str) -> Outcome {
        let waited = self.kubectl(&format!("wait {what} --for=condition=Ready --timeout=120s")).await;
        match waited {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("{error}\n{}", self.state_report().await).into()),
        }
    }

    /// State of the namespace, for the message of a failed story.
    pub async fn state_report(&self) -> String {
        let mut report = String::new();
        for look in ["get rankingmodels,pagelayouts -o yaml", "get all", "get events", "describe pods"] {
            report += &format!(
                "--- {look}\n{}\n",
                self.kubectl(look).await.unwrap_or_else(|error| error.to_string())
            );
        }
        let operator =
            ["-n", SYSTEM, "logs", "-l", "app.kubernetes.io/name=marquee", "--tail=40", "--prefix"];
        report + &kubectl(self.cluster, &operator, None).await.unwrap_or_else(|error| error.to_string())
    }

    /// Reads one object.
    pub async fn get(&self, what: &str) -> Outcome<Value> {
        Ok(serde_json::from_str(&self.kubectl(&format!("get {what} -o json")).await?)?)
    }

    /// Lists the objects of a kind, all or those with a label.
    pub async fn list(&self, what: &str) -> Outcome<Vec<Value>> {
        Ok(self.get(what).await?["items"].as_array().cloned().unwrap_or_default())
    }

    /// Changes a resource with a JSON merge patch.
    pub async fn patch(&self, what: &str, change: &Value) -> Outcome {
        self.kubectl_with(&["patch", what, "--type=merge", "-p", &change.to_string()]).await.map(drop)
    }

    /// Waits until `is` accepts the resource; the error shows its last state.
    pub async fn until(&self, what: &str, why: &str, is: impl Fn(&Value) -> bool) -> Outcome<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let last = self.get(what).await?;
            if is(&last) {
                return Ok(last);
            }
            if Instant::now() > deadline {
                let state = self.state_report().await;
                return Err(format!("waited {PATIENCE:?} for {why}; {what} was {last:#}\n{state}").into());
            }
            // Each poll starts a kubectl, which takes a core from the pods.
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// `http://ADDRESS` of the page's Service, in the cluster's network.
    pub async fn page_url(&self) -> Outcome<String> {
        let service = self.get("service/home-page").await?;
        let address = service["spec"]["clusterIP"].as_str().ok_or("the page's Service has no address")?;
        let ports = service["spec"]["ports"].as_array().ok_or("the page's Service has no ports")?;
        let http =
            ports.iter().find(|port| port["name"] == "http").ok_or("the page's Service has no port http")?;
        Ok(format!("http://{address}:{}/v1/surfaces/home/page", http["port"]))
    }

    /// The homepage of each viewer, without timings.
    pub async fn pages(&self, viewers: &[String]) -> Outcome<Vec<Value>> {
        let (url, viewers) = (self.page_url().await?, viewers.to_vec());
        self.cluster.in_network(move || async move { pages(&url, &viewers).await }).await
    }

    /// A steady load on the homepage until it is stopped.
    pub async fn load(&self, requests_per_second: u32, connections: usize) -> Outcome<Load> {
        // The Service has no endpoints until the node knows its pods.
        self.pages(&["1".to_owned()]).await?;
        let url = self.page_url().await?;
        Ok(Load::start(self.cluster, url, requests_per_second, connections))
    }
}

impl Drop for Platform {
    /// Deletes the namespace without waiting, to free resources for the next story.
    fn drop(&mut self) {
        let Ok(program) = tools::program("kubectl") else { return };
        let mut command = self.cluster.command(program);
        let delete =
            command.args(["delete", "namespace", &self.namespace, "--wait=false"]).stdout(Stdio::null());
        // If this fails, the whole cluster ends soon anyway.
        let _ = delete.status();
    }
}

/// The homepage of each of `viewers` at `url`, without timings.
pub async fn pages(url: &str, viewers: &[String]) -> Outcome<Vec<Value>> {
    let client = crate::http_client()?;
    let mut pages = Vec::with_capacity(viewers.len());
    for viewer in viewers {
        // A node learns about a Service's new pods a moment after they are ready.
        let answer = crate::wait::until("the page's address to answer", async || {
            let sent = client.post(url).json(&serde_json::json!({ "viewer": viewer })).send().await;
            if sent.as_ref().is_err_and(reqwest::Error::is_connect) { Ok(None) } else { Ok(Some(sent?)) }
        });
        let answer = answer.await?;
        let mut page: Value = answer.error_for_status()?.json().await?;
        page.as_object_mut().ok_or("the page is not an object")?.remove("timings");
        pages.push(page);
    }
    Ok(pages)
}

async fn install(cluster: &'static Cluster) -> Outcome {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let install = async || {
        let chart = repository().join("charts/marquee").display().to_string();
        let values = repository().join("tests/stories-values.yaml").display().to_string();
        let args =
            ["install", "marquee", &chart, "--namespace", SYSTEM, "--create-namespace", "--values", &values];
        let more = ["--wait", "--timeout", "90s"];
        match run(cluster, "helm", &[&args[..], &more[..]].concat(), None).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let look = kubectl(cluster, &["-n", SYSTEM, "describe", "pods"], None).await;
                let logs = ["-n", SYSTEM, "logs", "-l", "app.kubernetes.io/name=marquee", "--tail=40"];
                let logs = kubectl(cluster, &logs, None).await;
                Err(format!("{error}\n{}\n{}", look.unwrap_or_default(), logs.unwrap_or_default()).into())
            }
        }
    };
    INSTALLED.get_or_try_init(install).await.map(|_| ())
}

/// Runs `kubectl` as an administrator of the cluster.
pub async fn kubectl(cluster: &Cluster, args: &[&str], input: Option<&str>) -> Outcome<String> {
    run(cluster, "kubectl", args, input).await
}

/// Runs a program of the cluster's tools to its end. Returns its output, or an error that contains it.
pub async fn run(cluster: &Cluster, program: &str, args: &[&str], input: Option<&str>) -> Outcome<String> {
    let mut command = Command::from(cluster.command(tools::program(program)?));
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    stdin.write_all(input.unwrap_or_default().as_bytes()).await?;
    drop(stdin);
    let done = child.wait_with_output().await?;
    let output = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        return Ok(output);
    }
    Err(format!(
        "{program} {}: {}: {output}{}",
        args.join(" "),
        done.status,
        String::from_utf8_lossy(&done.stderr)
    )
    .into())
}
