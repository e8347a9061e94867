//! A namespace of an API server, operator processes on it, and a snapshot of its objects.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Stdio};

use kube::{
    Api, Client, Config,
    api::{DynamicObject, Patch, PatchParams},
    config::{KubeConfigOptions, Kubeconfig},
    core::{ApiResource, GroupVersionKind},
};
use marquee_crds::labels::{COMPONENT, REVISION};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::{
    Outcome,
    cluster::{ApiServer, Options, tools},
    condition, wait,
};

/// Kinds that the operator creates, and its own kinds.
const KINDS: [(&str, &str, &str); 13] = [
    ("", "v1", "ServiceAccount"),
    ("", "v1", "ConfigMap"),
    ("", "v1", "Service"),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding"),
    ("networking.k8s.io", "v1", "NetworkPolicy"),
    ("policy", "v1", "PodDisruptionBudget"),
    ("apps", "v1", "Deployment"),
    ("autoscaling", "v2", "HorizontalPodAutoscaler"),
    ("marquee.dev", "v1alpha1", "RankingModel"),
    ("marquee.dev", "v1alpha1", "PageLayout"),
    ("keda.sh", "v1alpha1", "ScaledObject"),
    ("gateway.networking.k8s.io", "v1", "HTTPRoute"),
    ("gateway.networking.k8s.io", "v1", "GRPCRoute"),
];
/// The first of them, without the kinds of optional projects.
const N_REQUIRED: usize = 10;

/// A namespace with the objects of one operator.
pub struct OperatorFixture {
    /// The API server.
    pub server: &'static ApiServer,
    namespace: String,
    client: Client,
    folder: tempfile::TempDir,
}

impl OperatorFixture {
    /// A namespace of the API server that the test binary shares.
    pub async fn new(namespace: &str) -> Outcome<Self> {
        Self::on(ApiServer::shared_with_kinds().await?, namespace).await
    }

    /// A namespace of a separate API server, which stops with the test binary.
    pub async fn alone(namespace: &str, options: Options) -> Outcome<Self> {
        let server = Box::leak(Box::new(ApiServer::start_with(options).await?));
        server.install_kinds().await?;
        Self::on(server, namespace).await
    }

    /// A new namespace of `server`.
    pub async fn on(server: &'static ApiServer, namespace: &str) -> Outcome<Self> {
        server.kubectl(&["create", "namespace", namespace])?;
        let kubeconfig = Kubeconfig::read_from(server.kubeconfig())?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        let (client, folder) = (Client::try_from(config)?, tempfile::tempdir()?);
        Ok(Self { server, namespace: namespace.into(), client, folder })
    }

    /// Starts an operator that connects to the API server directly. Dropping it kills it.
    pub fn start_operator(&self, args: &[&str]) -> Outcome<Child> {
        self.start_operator_with("direct", &fs::read_to_string(self.server.kubeconfig())?, args)
    }

    /// Starts an operator with this kubeconfig. `name` is the name of its log.
    pub fn start_operator_with(&self, name: &str, kubeconfig: &str, args: &[&str]) -> Outcome<Child> {
        let mut command = self.operator(name, kubeconfig)?;
        let namespace = &self.namespace;
        command.args([format!("--namespaces={namespace}"), format!("--lease-namespace={namespace}")]);
        command.args(["--drain=1s", "--log=info,marquee_operator=debug"]);
        Ok(command.args(args).spawn()?)
    }

    /// The command of an operator with this kubeconfig, without further arguments. `name` is the name of its log. Dropping its process
    /// kills it.
    pub fn operator(&self, name: &str, kubeconfig: &str) -> Outcome<Command> {
        let file = self.folder.path().join(format!("{name}.kubeconfig"));
        fs::write(&file, kubeconfig)?;
        let log = fs::File::create(self.log(name))?;
        let mut command = Command::new(tools::sibling("marquee-operator")?);
        command.arg("--http=127.0.0.1:0").env("KUBECONFIG", file).env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        Ok(command)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    /// How often `words` appear in the log of the operator `name`.
    pub fn log_count(&self, name: &str, words: &str) -> Outcome<usize> {
        Ok(fs::read_to_string(self.log(name))?.matches(words).count())
    }

    /// Runs `kubectl ARGS` as an administrator in this namespace and returns its output.
    pub fn kubectl(&self, args: &[&str]) -> Outcome<String> {
        self.server.kubectl(&[&["-n", &self.namespace], args].concat())
    }

    /// Number of events in this namespace with this reason.
    pub fn event_count(&self, reason: &str) -> Outcome<usize> {
        let events: Value =
            serde_json::from_str(&self.kubectl(&["get", "events.events.k8s.io", "-o", "json"])?)?;
        let events = events["items"].as_array().ok_or("the list of events has no items")?;
        Ok(events.iter().filter(|event| event["reason"] == reason).count())
    }

    /// Client for the objects of a kind in this namespace.
    pub fn api(&self, kind: &str) -> Outcome<Api<DynamicObject>> {
        let &(group, version, kind) = KINDS.iter().find(|known| known.2 == kind).ok_or("no such kind")?;
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        Ok(Api::namespaced_with(self.client.clone(), &self.namespace, &resource))
    }

    /// Changes an object with a JSON merge patch, as a person would.
    pub async fn patch(&self, kind: &str, name: &str, change: &Value) -> Outcome {
        self.api(kind)?.patch(name, &PatchParams::default(), &Patch::Merge(change)).await?;
        Ok(())
    }

    /// Creates the model `m` with autoscaling.
    pub async fn make_model(&self) -> Outcome {
        self.make(json!({
            "apiVersion": "marquee.dev/v1alpha1", "kind": "RankingModel", "metadata": {"name": "m"},
            "spec": {
                "surface": "home", "objective": "top-picks", "revisionHistoryLimit": 0,
                "artifact": {"uri": "s3://models/top", "sha256": "0".repeat(64)},
                "serving": {"replicas": {"min": 1, "max": 4}},
            },
        }))
        .await
    }

    /// Creates the page `home`, whose only row uses the model.
    pub async fn make_layout(&self) -> Outcome {
        self.make(json!({
            "apiVersion": "marquee.dev/v1alpha1", "kind": "PageLayout", "metadata": {"name": "home"},
            "spec": {
                "surface": "home", "replicas": {"min": 2}, "revisionHistoryLimit": 0,
                "catalogue": {"uri": "s3://models/catalogue", "sha256": "0".repeat(64)},
                "candidateRows": [{"name": "top", "heading": "Top picks", "source": {"model": {"objective": "top-picks"}}}],
            },
        }))
        .await
    }

    async fn make(&self, object: Value) -> Outcome {
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        self.api(&kind)?.create(&Default::default(), &serde_json::from_value(object)?).await?;
        Ok(())
    }

    /// Deletes an object and waits until it is gone. Its children stay: this API server has no garbage collector.
    pub async fn delete(&self, kind: &str, name: &str) -> Outcome {
        self.api(kind)?.delete(name, &Default::default()).await?;
        self.until(&format!("{kind} {name} to be gone"), async || {
            Ok(self.api(kind)?.get_opt(name).await?.is_none())
        })
        .await
    }

    /// A condition as `status reason`, and its message.
    pub async fn condition(&self, kind: &str, name: &str, type_: &str) -> Outcome<(String, String)> {
        let object = self.api(kind)?.get(name).await?;
        let (status, reason, message) = condition(&object.data, type_);
        Ok((format!("{status} {reason}"), message.to_owned()))
    }

    /// Waits until a condition equals `wanted` (`status reason`). Returns its message.
    pub async fn wait_for_condition(
        &self,
        (kind, name): (&str, &str),
        type_: &str,
        wanted: &str,
    ) -> Outcome<String> {
        let mut last = Default::default();
        let waited = self
            .until(&format!("{kind} {name} to have the condition {type_} {wanted}"), async || {
                last = self.condition(kind, name, type_).await?;
                Ok(last.0 == wanted)
            })
            .await;
        waited.map_err(|error| format!("{last:?}: {error}"))?;
        Ok(last.1)
    }

    /// Names of the objects of a kind.
    pub async fn names(&self, kind: &str) -> Outcome<Vec<String>> {
        let list = self.api(kind)?.list(&Default::default()).await?;
        Ok(list.into_iter().filter_map(|object| object.metadata.name).collect())
    }

    /// Reports in the status of each Deployment that its pods are ready, as a real cluster would.
    pub async fn run_pods(&self) -> Outcome {
        let deployments = self.api("Deployment")?;
        for deployment in deployments.list(&Default::default()).await? {
            let (wanted, status) = (&deployment.data["spec"]["replicas"], &deployment.data["status"]);
            let generation = deployment.metadata.generation;
            if status["readyReplicas"] == *wanted && status["observedGeneration"] == json!(generation) {
                continue;
            }
            let status = json!({"status": {
                "observedGeneration": generation, "replicas": wanted, "updatedReplicas": wanted,
                "readyReplicas": wanted, "availableReplicas": wanted,
            }});
            let name = deployment.metadata.name.unwrap_or_default();
            // The operator may have deleted it meanwhile.
            let _ = deployments.patch_status(&name, &PatchParams::default(), &Patch::Merge(&status)).await;
        }
        Ok(())
    }

    /// Whether the status is of this generation and says that the resource is ready.
    pub async fn is_ready(&self, kind: &str, name: &str, generation: i64) -> Outcome<bool> {
        Ok(self.api(kind)?.get_opt(name).await?.is_some_and(|object| is_ready(&object, generation)))
    }

    /// Waits until the model `m` is ready at this generation.
    pub async fn model_ready(&self, generation: i64) -> Outcome {
        let what = format!("generation {generation} of the model to be ready");
        self.until(&what, async || self.is_ready("RankingModel", "m", generation).await).await
    }

    /// Waits until the model `m` and the page `home` are ready as they were created.
    pub async fn both_ready(&self) -> Outcome {
        self.until("both to be ready", async || {
            Ok(self.is_ready("RankingModel", "m", 1).await? && self.is_ready("PageLayout", "home", 1).await?)
        })
        .await
    }

    /// Waits until `is` holds, and reports the pods of new Deployments as ready meanwhile.
    pub async fn until(&self, what: &str, mut is: impl AsyncFnMut() -> Outcome<bool>) -> Outcome {
        let waited = wait::until_within(2 * wait::PATIENCE, what, async || {
            self.run_pods().await?;
            Ok(is().await?.then_some(()))
        });
        let Err(late) = waited.await else { return Ok(()) };
        let snapshot = serde_json::to_string_pretty(&self.snapshot().await?)?;
        let mut logs = String::new();
        for entry in fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|kind| kind == "log") {
                logs += &format!("{}\n{}", path.display(), fs::read_to_string(&path)?);
            }
        }
        Err(format!("{late}\n{snapshot}\n{logs}").into())
    }

    /// Every object by kind and name, without values that differ between runs. Leaves out the kinds of optional projects.
    pub async fn snapshot(&self) -> Outcome<BTreeMap<String, Value>> {
        let mut objects = Vec::new();
        for (_, _, kind) in &KINDS[..N_REQUIRED] {
            objects.extend(
                self.api(kind)?.list(&Default::default()).await?.into_iter().map(|object| (*kind, object)),
            );
        }
        // The name of a revision is a hash whose input contains the namespace.
        let mut revisions = BTreeMap::new();
        for (_, object) in &objects {
            let labels = object.metadata.labels.iter().flatten();
            let labels: BTreeMap<&str, &str> =
                labels.map(|(key, value)| (key.as_str(), value.as_str())).collect();
            if let (Some(revision), Some(component)) = (labels.get(REVISION), labels.get(COMPONENT)) {
                revisions.insert((*revision).to_owned(), format!("REVISION-{component}"));
            }
        }
        let normalized = |text: &str| {
            let text = text.replace(&self.namespace, "NAMESPACE");
            revisions.iter().fold(text, |text, (revision, name)| text.replace(revision, name))
        };
        let mut snapshot = BTreeMap::new();
        for (kind, object) in objects {
            let name = object.metadata.name.clone().unwrap_or_default();
            let mut data = json!({"object": object.data, "labels": object.metadata.labels});
            if kind == "Deployment" {
                data["object"]["status"] = Value::Null;
            }
            data["object"]["spec"]["clusterIP"].take();
            data["object"]["spec"]["clusterIPs"].take();
            mask_times(&mut data);
            snapshot.insert(
                format!("{kind}/{}", normalized(&name)),
                serde_json::from_str(&normalized(&data.to_string()))?,
            );
        }
        Ok(snapshot)
    }
}

/// Whether the status is of this generation and says that the resource is ready.
pub fn is_ready(object: &DynamicObject, generation: i64) -> bool {
    condition(&object.data, "Ready").0 == "True"
        && object.data["status"]["observedGeneration"] == json!(generation)
}

/// Replaces every timestamp.
fn mask_times(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(mask_times),
        Value::Array(items) => items.iter_mut().for_each(mask_times),
        Value::String(text) if text.starts_with("20") && text.ends_with('Z') => *text = "TIME".into(),
        _ => {}
    }
}
