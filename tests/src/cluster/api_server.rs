//! etcd and a real API server, for tests that need no pods.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use marquee_crds::definitions::manifests;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::{
    Outcome,
    cluster::{
        keys::Keys,
        namespaces::{self, FIRST_SERVICE, NODE, SERVICES},
        place::{Place, Process},
        tools,
    },
    install_crypto, wait,
};

/// Audit policy: log each request once, after its answer.
const AUDIT_POLICY: &str =
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n";

/// Options of an API server.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether to write every request to [`ApiServer::audit_log`].
    pub audit: bool,
    /// More flags for kube-apiserver.
    pub flags: Vec<String>,
}

/// A running API server with its etcd. Both end when this is dropped, and when the process that holds it ends.
#[derive(Debug)]
pub struct ApiServer {
    /// Certificates, tokens and kubeconfigs.
    pub keys: Keys,
    /// `https://ADDRESS:PORT`.
    pub url: String,
    flags: Vec<String>,
    /// Number of changes of the installed kinds. After each change the command-line clients get an empty cache folder.
    kinds_generation: AtomicU32,
    /// `None` while the API server is stopped.
    server: Mutex<Option<Process>>,
    _etcd: Process,
    /// The last field, because its drop removes the folder that the processes above use.
    pub(super) place: Place,
}

impl ApiServer {
    /// The API server that all tests of a test binary share. Each test creates its own Kubernetes namespace.
    pub async fn shared() -> Outcome<&'static Self> {
        static SHARED: OnceCell<ApiServer> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    /// The shared API server with Marquee's kinds.
    pub async fn shared_with_kinds() -> Outcome<&'static Self> {
        static INSTALLED: OnceCell<()> = OnceCell::const_new();
        let server = Self::shared().await?;
        INSTALLED.get_or_try_init(async || server.install_kinds().await).await?;
        Ok(server)
    }

    /// Installs Marquee's kinds and waits until the API server serves them.
    pub async fn install_kinds(&self) -> Outcome {
        for (_, text) in manifests()? {
            self.apply(&text)?;
        }
        self.custom_kinds_are_served().await
    }

    /// Waits until discovery and OpenAPI list every custom kind that is installed.
    ///
    /// The condition `Established` is too early: objects can be stored then, but clients may not find the kind yet. kubectl and helm start
    /// with an empty cache folder afterwards, so older caches have no effect.
    pub async fn custom_kinds_are_served(&self) -> Outcome {
        self.kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"])?;
        let installed = self.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").await?;
        for kind in installed["items"].as_array().into_iter().flatten().flat_map(CustomKind::of) {
            let CustomKind { path, kind, plural } = &kind;
            wait::until(&format!("{kind} to be listed at {path}"), async || {
                // A new group answers 404 for a moment.
                let (Ok(resources), Ok(schemas)) =
                    (self.get(path).await, self.get(&format!("/openapi/v3{path}")).await)
                else {
                    return Ok(None);
                };
                let is_discovered = resources["resources"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|one| one["name"] == plural.as_str()));
                let is_described = schemas["components"]["schemas"].as_object().is_some_and(|all| {
                    all.values().any(|one| one["x-kubernetes-group-version-kind"][0]["kind"] == kind.as_str())
                });
                Ok((is_discovered && is_described).then_some(()))
            })
            .await?;
        }
        self.kinds_generation.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Starts an API server on 127.0.0.1 and waits until it is ready. Needs no root.
    pub async fn start() -> Outcome<Self> {
        Self::start_with(Options::default()).await
    }

    /// The same with options.
    pub async fn start_with(mut options: Options) -> Outcome<Self> {
        // No controller manager runs here to create service accounts, and the endpoints of the Service `kubernetes` cannot be loopback addresses.
        let flags = ["--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none"];
        options.flags.extend(flags.map(String::from));
        let place = Place::on_the_machine()?;
        let [port, client, peer] = free_ports()?;
        let data = place.path("etcd");
        Self::start_in(place, Ports { address: "127.0.0.1", port, client, peer }, &data, options).await
    }

    pub(super) async fn start_in_namespaces(place: Place, options: Options) -> Outcome<Self> {
        let ports = Ports { address: NODE, port: 6443, client: 2379, peer: 2380 };
        Self::start_in(place, ports, Path::new("/run/etcd"), options).await
    }

    async fn start_in(place: Place, ports: Ports, data: &Path, options: Options) -> Outcome<Self> {
        install_crypto();
        let etcd = place.spawn("etcd", &tools::program("etcd")?, ports.etcd(data))?;
        let url = format!("https://{}:{}", ports.address, ports.port);
        let keys = Keys::new(place.path("pki"), url.clone(), &["127.0.0.1", NODE, FIRST_SERVICE])?;
        let flags = ports.flags(&keys, &place, options)?;
        let server = Self {
            keys,
            url,
            flags,
            kinds_generation: AtomicU32::new(0),
            server: Mutex::new(None),
            _etcd: etcd,
            place,
        };
        server.start_again().await?;
        Ok(server)
    }

    /// Kills the API server, as a crash would. etcd keeps its data.
    pub fn kill(&self) -> Outcome {
        match self.server.lock().map_err(|_| "a test panicked while it restarted the API server")?.take() {
            Some(mut server) => server.kill(),
            None => Ok(()),
        }
    }

    /// Restarts the API server with the same address and the same etcd, and waits until it is ready.
    pub async fn start_again(&self) -> Outcome {
        self.kill()?;
        let process = self.place.spawn("kube-apiserver", &tools::program("kube-apiserver")?, &self.flags)?;
        *self.server.lock().map_err(|_| "a test panicked while it restarted the API server")? = Some(process);
        let ready = wait::until("the API server to be ready", async || {
            self.expect_alive()?;
            Ok(self.get("/readyz").await.ok())
        });
        ready.await.map_err(|late| format!("{late}\n{}", self.place.log_tails()))?;
        Ok(())
    }

    fn expect_alive(&self) -> Outcome {
        let mut server =
            self.server.lock().map_err(|_| "a test panicked while it restarted the API server")?;
        server.as_mut().map_or(Ok(()), Process::expect_alive)
    }

    /// Kubeconfig of an administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        self.keys.known("admin")
    }

    /// Token of an administrator.
    pub fn admin_token(&self) -> Outcome<String> {
        let config: Value = serde_json::from_slice(&fs::read(self.kubeconfig())?)?;
        Ok(config["users"][0]["user"]["token"].as_str().ok_or("the administrator has no token")?.to_owned())
    }

    /// A client that trusts this API server and no other server.
    pub fn https_client(&self) -> Outcome<reqwest::Client> {
        let authority = reqwest::Certificate::from_pem(&fs::read(self.keys.path("ca.crt"))?)?;
        Ok(reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build()?)
    }

    /// Path of the log of [`Options::audit`]: one JSON object on each line.
    pub fn audit_log(&self) -> PathBuf {
        self.place.path("audit.log")
    }

    /// Answer to a GET as an administrator: JSON, or text as a JSON string.
    pub async fn get(&self, path: &str) -> Outcome<Value> {
        // A connection belongs to the async runtime that opened it, so each request needs a new client.
        let client = self.https_client()?;
        let request = client.get(format!("{}{path}", self.url)).bearer_auth(self.admin_token()?).build()?;
        let text = match self.place.init() {
            Err(_) => answer(&client, request).await,
            Ok(init) => namespaces::inside(init, async move || answer(&client, request).await).await,
        }?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// A command-line client (kubectl, helm) that runs in the fixture's network as an administrator.
    ///
    /// Its home is a folder of the fixture, so its cache is only for this API server and nothing is left in the user's home. kubectl caches
    /// by host and port for hours, and would otherwise mix two servers that had the same address.
    pub fn client(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.place.command(program);
        let home = self.place.path(&format!("home-{}", self.kinds_generation.load(Relaxed)));
        command.env("HOME", home).env("KUBECONFIG", self.kubeconfig());
        for elsewhere in ["KUBECACHEDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env_remove(elsewhere);
        }
        command
    }

    /// Runs `kubectl ARGS` as an administrator in the fixture's network and returns its output.
    pub fn kubectl(&self, args: &[&str]) -> Outcome<String> {
        namespaces::run(self.client(tools::program("kubectl")?).args(args))
    }

    /// Applies YAML or JSON with `kubectl apply`.
    pub fn apply(&self, manifest: &str) -> Outcome<String> {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), manifest)?;
        self.kubectl(&["apply", "--server-side", "-f", &file.path().display().to_string()])
    }

    /// Installs those kinds of another project that Marquee uses, and waits until the API server serves them.
    pub async fn apply_foreign(&self, project: &str) -> Outcome {
        let folder = tools::foreign_crds(project)?.display().to_string();
        self.kubectl(&["apply", "--server-side", "-f", &folder])?;
        self.custom_kinds_are_served().await
    }

    /// Requests the deletion of these kinds and of all their objects, and returns at once. A busy API server may need more than a minute for
    /// a kind, so each test waits only for the deletions that it needs.
    pub fn delete_foreign(&self, project: &str) -> Outcome {
        let folder = tools::foreign_crds(project)?.display().to_string();
        self.kubectl(&["delete", "--wait=false", "-f", &folder])?;
        self.kinds_generation.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Ends all processes and waits for their end. The error names what is left.
    pub fn clear(self) -> Outcome {
        let Self { place, .. } = self;
        place.clear()
    }
}

/// A served version of a custom kind.
struct CustomKind {
    /// `/apis/GROUP/VERSION`.
    path: String,
    kind: String,
    plural: String,
}

impl CustomKind {
    /// The served versions that a CustomResourceDefinition declares.
    fn of(definition: &Value) -> Vec<Self> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (spec, names) = (&definition["spec"], &definition["spec"]["names"]);
        let versions = spec["versions"].as_array().into_iter().flatten();
        let served = versions.filter(|version| version["served"] == true);
        served
            .map(|version| Self {
                path: format!("/apis/{}/{}", text(&spec["group"]), text(&version["name"])),
                kind: text(&names["kind"]),
                plural: text(&names["plural"]),
            })
            .collect()
    }
}

async fn answer(client: &reqwest::Client, request: reqwest::Request) -> Outcome<String> {
    let answer = client.execute(request).await?;
    let status = answer.status();
    let text = answer.text().await?;
    if status.is_success() { Ok(text) } else { Err(format!("{status}: {text}").into()) }
}

/// Addresses of etcd and the API server.
struct Ports {
    address: &'static str,
    port: u16,
    client: u16,
    peer: u16,
}

impl Ports {
    fn etcd(&self, data: &Path) -> Vec<String> {
        let (client, peer) =
            (format!("http://127.0.0.1:{}", self.client), format!("http://127.0.0.1:{}", self.peer));
        let args = [
            "--name=n1",
            "--unsafe-no-fsync",
            "--log-level=warn",
            &format!("--data-dir={}", data.display()),
            &format!("--listen-client-urls={client}"),
            &format!("--advertise-client-urls={client}"),
            &format!("--listen-peer-urls={peer}"),
            &format!("--initial-advertise-peer-urls={peer}"),
            &format!("--initial-cluster=n1={peer}"),
        ];
        args.map(String::from).into()
    }

    fn flags(&self, keys: &Keys, place: &Place, options: Options) -> Outcome<Vec<String>> {
        let key = |name: &str| keys.path(name).display().to_string();
        let mut flags: Vec<String> = vec![
            format!("--etcd-servers=http://127.0.0.1:{}", self.client),
            format!("--bind-address={}", self.address),
            format!("--advertise-address={NODE}"),
            format!("--secure-port={}", self.port),
            format!("--tls-cert-file={}", key("api.crt")),
            format!("--tls-private-key-file={}", key("api.key")),
            format!("--client-ca-file={}", key("ca.crt")),
            format!("--token-auth-file={}", key("tokens.csv")),
            "--authorization-mode=Node,RBAC".into(),
            "--enable-admission-plugins=NodeRestriction".into(),
            "--allow-privileged=true".into(),
            format!("--service-cluster-ip-range={SERVICES}"),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            format!("--service-account-key-file={}", key("sa.pub")),
            format!("--service-account-signing-key-file={}", key("sa.key")),
            format!("--kubelet-client-certificate={}", key("kubelet-client.crt")),
            format!("--kubelet-client-key={}", key("kubelet-client.key")),
            "--kubelet-preferred-address-types=InternalIP".into(),
            "--enable-aggregator-routing=true".into(),
            format!("--requestheader-client-ca-file={}", key("front-ca.crt")),
            "--requestheader-allowed-names=front-proxy-client".into(),
            "--requestheader-username-headers=X-Remote-User".into(),
            "--requestheader-group-headers=X-Remote-Group".into(),
            "--requestheader-extra-headers-prefix=X-Remote-Extra-".into(),
            format!("--proxy-client-cert-file={}", key("front.crt")),
            format!("--proxy-client-key-file={}", key("front.key")),
        ];
        if options.audit {
            let policy = place.path("audit-policy.yaml");
            fs::write(&policy, AUDIT_POLICY)?;
            flags.push(format!("--audit-policy-file={}", policy.display()));
            flags.push(format!("--audit-log-path={}", place.path("audit.log").display()));
        }
        flags.extend(options.flags);
        Ok(flags)
    }
}

/// Free ports of 127.0.0.1. All are bound until the last is chosen, so that they differ.
fn free_ports() -> Outcome<[u16; 3]> {
    let listen = || TcpListener::bind(("127.0.0.1", 0));
    let held = [listen()?, listen()?, listen()?];
    let port = |n: usize| held[n].local_addr().map(|address| address.port());
    Ok([port(0)?, port(1)?, port(2)?])
}
