//! A namespace of the API server, the operator's process on it, and what is there in the end.

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

/// Everything that the operator makes, and what it is made for.
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
/// Those of them that every cluster has.
const OWN: usize = 10;

/// A namespace in which an operator works.
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

    /// A namespace of an API server of its own, which ends with the test binary.
    pub async fn alone(namespace: &str, options: Options) -> Outcome<Self> {
        let server = Box::leak(Box::new(ApiServer::start_with(options).await?));
        server.install_kinds().await?;
        Self::on(server, namespace).await
    }

    async fn on(server: &'static ApiServer, namespace: &str) -> Outcome<Self> {
        server.kubectl(&["create", "namespace", namespace])?;
        let kubeconfig = Kubeconfig::read_from(server.kubeconfig())?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        let (client, folder) = (Client::try_from(config)?, tempfile::tempdir()?);
        Ok(Self { server, namespace: namespace.into(), client, folder })
    }

    /// Starts an operator that asks the API server itself. It is killed when it is dropped.
    pub fn operate(&self, args: &[&str]) -> Outcome<Child> {
        self.operate_as("direct", &fs::read_to_string(self.server.kubeconfig())?, args)
    }

    /// Starts an operator with this kubeconfig; its log is named after it.
    pub fn operate_as(&self, name: &str, kubeconfig: &str, args: &[&str]) -> Outcome<Child> {
        let file = self.folder.path().join(format!("{name}.kubeconfig"));
        fs::write(&file, kubeconfig)?;
        let log = fs::File::create(self.log(name))?;
        let mut command = Command::new(tools::sibling("marquee-operator")?);
        let namespace = &self.namespace;
        command.args([format!("--namespaces={namespace}"), format!("--lease-namespace={namespace}")]);
        command.args(["--http=127.0.0.1:0", "--drain=1s", "--log=info,marquee_operator=debug"]);
        command.args(args).env("KUBECONFIG", file).env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        Ok(command.spawn()?)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    /// How often `words` are in the log of the operator of that name.
    pub fn said(&self, name: &str, words: &str) -> Outcome<usize> {
        Ok(fs::read_to_string(self.log(name))?.matches(words).count())
    }

    /// The objects of a kind in this namespace.
    pub fn api(&self, kind: &str) -> Outcome<Api<DynamicObject>> {
        let &(group, version, kind) = KINDS.iter().find(|known| known.2 == kind).ok_or("no such kind")?;
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        Ok(Api::namespaced_with(self.client.clone(), &self.namespace, &resource))
    }

    /// Changes a part of an object, as a person would.
    pub async fn patch(&self, kind: &str, name: &str, change: &Value) -> Outcome {
        self.api(kind)?.patch(name, &PatchParams::default(), &Patch::Merge(change)).await?;
        Ok(())
    }

    /// Makes the model `m`, autoscaled.
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

    /// Makes the page `home`, whose one row asks the model.
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

    /// Asks for an object's deletion, and waits until it is gone. Nobody here collects what belonged to it.
    pub async fn delete(&self, kind: &str, name: &str) -> Outcome {
        self.api(kind)?.delete(name, &Default::default()).await?;
        self.until(&format!("{kind} {name} to be gone"), async || {
            Ok(self.api(kind)?.get_opt(name).await?.is_none())
        })
        .await
    }

    /// The condition of a type, as `status reason`; and its message.
    pub async fn condition(&self, kind: &str, name: &str, type_: &str) -> Outcome<(String, String)> {
        let object = self.api(kind)?.get(name).await?;
        let (status, reason, message) = condition(&object.data, type_);
        Ok((format!("{status} {reason}"), message.to_owned()))
    }

    /// Waits until a condition is as `wanted` (`status reason`); its message.
    pub async fn says(&self, (kind, name): (&str, &str), type_: &str, wanted: &str) -> Outcome<String> {
        let mut last = Default::default();
        let waited = self
            .until(&format!("{kind} {name} to say {type_} {wanted}"), async || {
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

    /// Says of each Deployment that its pods run, as a node would.
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
            // It may be gone by now.
            let _ = deployments.patch_status(&name, &PatchParams::default(), &Patch::Merge(&status)).await;
        }
        Ok(())
    }

    /// Whether what the operator says of the resource is of this generation, and that it is ready.
    pub async fn is_ready(&self, kind: &str, name: &str, generation: i64) -> Outcome<bool> {
        Ok(self.api(kind)?.get_opt(name).await?.is_some_and(|object| is_ready(&object, generation)))
    }

    /// Waits until the model `m` is ready, as of this generation of its spec.
    pub async fn model_ready(&self, generation: i64) -> Outcome {
        let what = format!("generation {generation} of the model to be ready");
        self.until(&what, async || self.is_ready("RankingModel", "m", generation).await).await
    }

    /// Waits for `is`, and meanwhile runs pods.
    pub async fn until(&self, what: &str, mut is: impl AsyncFnMut() -> Outcome<bool>) -> Outcome {
        let waited = wait::until_within(2 * wait::PATIENCE, what, async || {
            self.run_pods().await?;
            Ok(is().await?.then_some(()))
        });
        let Err(late) = waited.await else { return Ok(()) };
        let world = serde_json::to_string_pretty(&self.world().await?)?;
        let mut logs = String::new();
        for entry in fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|kind| kind == "log") {
                logs += &format!("{}\n{}", path.display(), fs::read_to_string(&path)?);
            }
        }
        Err(format!("{late}\n{world}\n{logs}").into())
    }

    /// Every object of a cluster's own kinds by its kind and name, without what differs from run to run.
    pub async fn world(&self) -> Outcome<BTreeMap<String, Value>> {
        let mut objects = Vec::new();
        for (_, _, kind) in &KINDS[..OWN] {
            objects.extend(
                self.api(kind)?.list(&Default::default()).await?.into_iter().map(|object| (*kind, object)),
            );
        }
        // A revision's name is made of what its pods run, the namespace included.
        let mut revisions = BTreeMap::new();
        for (_, object) in &objects {
            let labels = object.metadata.labels.iter().flatten();
            let labels: BTreeMap<&str, &str> =
                labels.map(|(key, value)| (key.as_str(), value.as_str())).collect();
            if let (Some(revision), Some(part)) = (labels.get(REVISION), labels.get(COMPONENT)) {
                revisions.insert((*revision).to_owned(), format!("REVISION-{part}"));
            }
        }
        let told = |text: &str| {
            let text = text.replace(&self.namespace, "NAMESPACE");
            revisions.iter().fold(text, |text, (revision, name)| text.replace(revision, name))
        };
        let mut world = BTreeMap::new();
        for (kind, object) in objects {
            let name = object.metadata.name.clone().unwrap_or_default();
            let mut data = json!({"is": object.data, "labels": object.metadata.labels});
            if kind == "Deployment" {
                data["is"]["status"] = Value::Null;
            }
            data["is"]["spec"]["clusterIP"].take();
            data["is"]["spec"]["clusterIPs"].take();
            timeless(&mut data);
            world.insert(format!("{kind}/{}", told(&name)), serde_json::from_str(&told(&data.to_string()))?);
        }
        Ok(world)
    }
}

/// Whether the status of the resource is about this generation, and says that it is ready.
pub fn is_ready(object: &DynamicObject, generation: i64) -> bool {
    condition(&object.data, "Ready").0 == "True"
        && object.data["status"]["observedGeneration"] == json!(generation)
}

/// Takes every point in time away.
fn timeless(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(timeless),
        Value::Array(items) => items.iter_mut().for_each(timeless),
        Value::String(text) if text.starts_with("20") && text.ends_with('Z') => *text = "TIME".into(),
        _ => {}
    }
}
