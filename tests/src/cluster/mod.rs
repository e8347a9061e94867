//! A real Kubernetes for tests: [`ApiServer`] is etcd and an API server, ready in two seconds, without root; [`Cluster`]
//! adds a node on which pods run, in namespaces of its own, and needs root.
//!
//! A test that needs the whole cluster begins with
//! `let Some(cluster) = Cluster::shared_or_skip().await? else { return Ok(()) };`. Tests run in the machine's network: what
//! speaks to the cluster is handed to [`Cluster::in_network`], or is a command from [`Cluster::command`].
//! However a test ends, nothing is left of its cluster: see `bin/reaper.rs`.

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

/// Set where a skipped test would be a hole: in CI.
const REQUIRE: &str = "MARQUEE_REQUIRE_CLUSTER";

/// A whole cluster with one node. It ends when this is dropped, or when the process that holds it dies.
#[derive(Debug)]
pub struct Cluster {
    /// Its API server; also knows the kubeconfigs.
    pub api: ApiServer,
    node: Vec<Process>,
    /// One whole cluster at a time, whatever runs beside: it needs the cores.
    _turn: File,
}

impl Cluster {
    /// One for the whole test binary, with the images that are built; each test makes a Kubernetes namespace of its own
    /// in it. Its requests are written to the audit log. `None`, and a line that says why, where this machine cannot run
    /// one.
    pub async fn shared_or_skip() -> Outcome<Option<&'static Self>> {
        static SHARED: OnceCell<Option<Cluster>> = OnceCell::const_new();
        let audited = Options { audit: true, ..Options::default() };
        Ok(SHARED.get_or_try_init(|| Self::start_or_skip(audited)).await?.as_ref())
    }

    /// Starts one of its own for a test that needs it, or says why not.
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

    /// Starts one and waits until its node is Ready and the images are loaded.
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
            Err(error) => return Err(format!("{error}\n{}", api.place.last_words()).into()),
        }
        Ok(Self { api, node, _turn: turn })
    }

    /// Runs `work` on threads that are in the cluster's network, where the API server, pods and Services have their
    /// addresses. What it answers is handed out.
    pub async fn in_network<T, F>(&self, work: impl FnOnce() -> F + Send + 'static) -> Outcome<T>
    where
        T: Send + 'static,
        F: Future<Output = Outcome<T>>,
    {
        namespaces::inside(self.api.place.init()?, work).await
    }

    /// A command that runs in the cluster's network as an administrator; it ends with the cluster at the latest.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.api.client(program)
    }

    /// A process beside the node (a load, a store, a Prometheus): it is killed when what is given back is dropped.
    pub fn spawn<S: AsRef<OsStr>>(
        &self,
        name: &str,
        program: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Outcome<Process> {
        self.api.place.spawn(name, program, args)
    }

    /// What a process of the cluster, or one that [`Cluster::spawn`] started, has written.
    pub fn log(&self, name: &str) -> String {
        std::fs::read(self.api.place.log(name))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    /// Debian's Prometheus with this configuration, at the URL given back for as long as the process is kept: the first at port 9090.
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

    /// Lets what a Prometheus knows steer autoscalers, by an adapter with these rules, for as long as what is given back is kept.
    pub async fn custom_metrics(&self, prometheus: &str, rules: &str) -> Outcome<CustomMetrics<'_>> {
        CustomMetrics::install(&self.api, prometheus, rules).await
    }

    /// Hands an image archive to the node.
    pub fn load_image(&self, archive: &Path) -> Outcome {
        node::load_image(&self.api.place, archive)
    }

    /// The processes of a container, which a pod's status names, by their numbers on this machine: to be sent signals.
    pub fn processes_of(&self, container: &str) -> Outcome<Vec<u32>> {
        node::processes_of(&self.api.place, container)
    }

    /// Process 1 of its namespaces, by its number on this machine.
    pub fn init(&self) -> Outcome<u32> {
        self.api.place.init()
    }

    /// The folder of its files, its name also that of its cgroup.
    pub fn folder(&self) -> &Path {
        &self.api.place.folder
    }

    /// Ends everything and waits until nothing is left; an error says what is.
    pub fn clear(self) -> Outcome {
        let Self { api, node, .. } = self;
        let cleared = api.clear();
        drop(node);
        cleared
    }
}

/// What every cluster holds: the sandbox image, and ours as far as `make images` has built them.
fn archives() -> Outcome<Vec<PathBuf>> {
    let ours = ["runtime", "operator"].map(image_archive).into_iter().collect::<Outcome<Vec<_>>>()?;
    let built = ours.into_iter().filter(|archive| archive.is_file());
    Ok([tools::folder()?.join("pause.tar")].into_iter().chain(built).collect())
}

/// Where `make images` puts the image of the runtime or the operator.
pub fn image_archive(of: &str) -> Outcome<PathBuf> {
    let reaper = tools::sibling("reaper")?;
    let target = reaper.ancestors().nth(2).ok_or("a program lies in no folder")?;
    Ok(target.join(format!("images/{of}.tar")))
}

/// Its name in a pod.
pub fn image(of: &str) -> String {
    format!("localhost/marquee-{of}:{}", env!("CARGO_PKG_VERSION"))
}
