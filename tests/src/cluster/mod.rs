//! A real Kubernetes for tests. [`ApiServer`] is etcd and an API server: it starts in two seconds and needs no root. [`Cluster`] adds a
//! node on which pods run, in separate Linux namespaces, and needs root.
//!
//! A test that needs the whole cluster begins with
//! `let Some(cluster) = Cluster::shared_or_skip().await? else { return Ok(()) };`. Tests run in the machine's network. To
//! reach the cluster, pass code to [`Cluster::in_network`], or start a command with [`Cluster::command`].
//! `bin/reaper.rs` removes the cluster even if the test is killed.

pub mod api_server;
pub mod cgroup;
pub mod keys;
mod metrics;
pub mod namespaces;
mod node;
pub mod place;
pub mod state;
pub mod tools;

use std::{
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU16, Ordering::Relaxed},
};

pub use api_server::{ApiServer, Options};
pub use metrics::CustomMetrics;
use place::{Place, Process};
use tokio::sync::OnceCell;

use crate::Outcome;

/// Environment variable that turns a skipped test into a failure, for CI.
const REQUIRE: &str = "MARQUEE_REQUIRE_CLUSTER";

/// A whole cluster with one node. It ends when this is dropped, and when the process that holds it ends.
#[derive(Debug)]
pub struct Cluster {
    /// The API server, with the kubeconfigs.
    pub api: ApiServer,
    node: Vec<Process>,
    /// Lock for one cluster at a time on this machine, because a cluster needs the cores.
    _turn: File,
}

impl Cluster {
    /// The cluster that all tests of a test binary share, with an audit log and the images of `make images`. Each test creates its own
    /// Kubernetes namespace. Prints the reason and returns `None` if this machine cannot run a cluster.
    pub async fn shared_or_skip() -> Outcome<Option<&'static Self>> {
        static SHARED: OnceCell<Option<Cluster>> = OnceCell::const_new();
        let audited = Options { audit: true, ..Options::default() };
        Ok(SHARED.get_or_try_init(|| Self::start_or_skip(audited)).await?.as_ref())
    }

    /// Starts a separate cluster. Prints the reason and returns `None` if this machine cannot run one.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    pub async fn start_or_skip(options: Options) -> Outcome<Option<Self>> {
        match tools::hindrance() {
            None => Self::start(options).await.map(Some),
            Some(why) if std::env::var_os(REQUIRE).is_some() => {
                Err(format!("{REQUIRE} is set, and {why}").into())
            }
            Some(why) => {
                eprintln!("skipped: {why}");
                Ok(None)
            }
        }
    }

    /// Starts a cluster and waits until its node is Ready and the images are loaded.
    pub async fn start(options: Options) -> Outcome<Self> {
        let turn = tokio::task::spawn_blocking(|| -> Outcome<File> {
            let turn = File::create(state::root()?.join("turn"))?;
            turn.lock()?;
            Ok(turn)
        });
        let turn = turn.await??;
        let name = state::unique_name();
        let place = Place::in_namespaces(&name)?;
        cgroup::make(&name)?;
        let containerd = node::containerd(&place)?;
        let api = ApiServer::start_in_namespaces(place, options).await?;
        let mut node = vec![containerd];
        let images = archives()?;
        let first = crate::wait::until("the container runtime", async || {
            Ok(node::load_image(&api.place, &images[0]).ok())
        });
        first.await?;
        images[1..].iter().try_for_each(|image| node::load_image(&api.place, image))?;
        match node::rest(&api).await {
            Ok(more) => node.extend(more),
            Err(error) => return Err(format!("{error}\n{}", api.place.log_tails()).into()),
        }
        Ok(Self { api, node, _turn: turn })
    }

    /// Runs `work` on threads in the cluster's network, where the addresses of the API server, pods and Services are valid. Returns its
    /// result.
    pub async fn in_network<T, F>(&self, work: impl FnOnce() -> F + Send + 'static) -> Outcome<T>
    where
        T: Send + 'static,
        F: Future<Output = Outcome<T>>,
    {
        namespaces::inside(self.api.place.init()?, work).await
    }

    /// A command in the cluster's network with an administrator's kubeconfig. It ends with the cluster at the latest.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.api.client(program)
    }

    /// Starts a process next to the node, such as a load, a store or Prometheus. Dropping the returned value kills it.
    pub fn spawn<S: AsRef<OsStr>>(
        &self,
        name: &str,
        program: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Outcome<Process> {
        self.api.place.spawn(name, program, args)
    }

    /// Output of a process of the cluster, or of one that [`Cluster::spawn`] started.
    pub fn log(&self, name: &str) -> String {
        std::fs::read(self.api.place.log(name))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    /// Starts Debian's Prometheus with this configuration and returns its URL. The first one uses port 9090. Dropping the process kills it.
    pub fn prometheus(&self, config: &str) -> Outcome<(Process, String)> {
        static NEXT_PORT: AtomicU16 = AtomicU16::new(9090);
        let port = NEXT_PORT.fetch_add(1, Relaxed);
        let name = format!("prometheus-{port}");
        let file = self.api.place.path(&format!("{name}.yml"));
        std::fs::write(&file, config)?;
        let args = [
            format!("--config.file={}", file.display()),
            format!("--web.listen-address={}:{port}", namespaces::NODE),
            format!("--storage.tsdb.path=/run/{name}"),
            "--log.level=warn".into(),
        ];
        let url = format!("http://{}:{port}", namespaces::NODE);
        Ok((self.spawn(&name, Path::new("/usr/bin/prometheus"), args)?, url))
    }

    /// Starts prometheus-adapter with these rules, so that autoscalers can use metrics of a Prometheus until the returned value is dropped.
    pub async fn custom_metrics(&self, prometheus: &str, rules: &str) -> Outcome<CustomMetrics<'_>> {
        CustomMetrics::install(&self.api, prometheus, rules).await
    }

    /// Imports an image archive into the node.
    pub fn load_image(&self, archive: &Path) -> Outcome {
        node::load_image(&self.api.place, archive)
    }

    /// Ids, on this machine, of the processes in a container that a pod's status names, for example to send signals.
    pub fn processes_of(&self, container: &str) -> Outcome<Vec<u32>> {
        node::processes_of(&self.api.place, container)
    }

    /// Process 1 of the namespaces, by its id on this machine.
    pub fn init(&self) -> Outcome<u32> {
        self.api.place.init()
    }

    /// Folder of the cluster's files. The cgroup has the same name.
    pub fn folder(&self) -> &Path {
        &self.api.place.folder
    }

    /// Ends all processes and waits for their end. The error names what is left.
    pub fn clear(self) -> Outcome {
        let Self { api, node, .. } = self;
        let cleared = api.clear();
        drop(node);
        cleared
    }
}

/// Images of every cluster: the sandbox image, and ours if `make images` has built them.
fn archives() -> Outcome<Vec<PathBuf>> {
    let ours = ["runtime", "operator"].map(image_archive).into_iter().collect::<Outcome<Vec<_>>>()?;
    let built = ours.into_iter().filter(|archive| archive.is_file());
    Ok([tools::folder()?.join("pause.tar")].into_iter().chain(built).collect())
}

/// Path at which `make images` writes the image of the runtime or the operator.
pub fn image_archive(of: &str) -> Outcome<PathBuf> {
    let reaper = tools::sibling("reaper")?;
    let target = reaper.ancestors().nth(2).ok_or("a program lies in no folder")?;
    Ok(target.join(format!("images/{of}.tar")))
}

/// Name of the image in a pod.
pub fn image(of: &str) -> String {
    format!("localhost/marquee-{of}:{}", env!("CARGO_PKG_VERSION"))
}
