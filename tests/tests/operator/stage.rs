//! A namespace of the API server, the operator's process on it, and what is there in the end.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Stdio};

use kube::{
    Api, Client, Config,
    api::{DynamicObject, Patch, PatchParams},
    config::{KubeConfigOptions, Kubeconfig},
    core::{ApiResource, GroupVersionKind},
};
use marquee_tests::{
    Outcome,
    cluster::{ApiServer, tools},
    wait,
};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// Everything that the operator makes on a cluster without foreign APIs, and what it is made for.
const KINDS: [(&str, &str, &str); 10] = [
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
];

/// A namespace in which an operator works.
pub struct Stage {
    pub server: &'static ApiServer,
    namespace: String,
    client: Client,
    folder: tempfile::TempDir,
}

impl Stage {
    pub async fn new(namespace: &str) -> Outcome<Self> {
        let server = ApiServer::shared_with_kinds().await?;
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
        let model = json!({
            "apiVersion": "marquee.dev/v1alpha1", "kind": "RankingModel", "metadata": {"name": "m"},
            "spec": {
                "surface": "home", "objective": "top-picks", "revisionHistoryLimit": 0,
                "artifact": {"uri": "s3://models/top", "sha256": "0".repeat(64)},
                "serving": {"replicas": {"min": 1, "max": 4}},
            },
        });
        self.api("RankingModel")?.create(&Default::default(), &serde_json::from_value(model)?).await?;
        Ok(())
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
        let Some(object) = self.api(kind)?.get_opt(name).await? else { return Ok(false) };
        let status = &object.data["status"];
        let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
        let ready = conditions.iter().any(|is| is["type"] == "Ready" && is["status"] == "True");
        Ok(ready && status["observedGeneration"] == json!(generation))
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

    /// Every object by its kind and name, without what differs from run to run.
    pub async fn world(&self) -> Outcome<BTreeMap<String, Value>> {
        let mut world = BTreeMap::new();
        // A revision's name is made of what its pods run, the namespace included.
        let model = self.api("RankingModel")?.get_opt("m").await?.map(|model| model.data).unwrap_or_default();
        let revision = model["status"]["latestRevision"].as_str().unwrap_or("none").to_owned();
        for (_, _, kind) in KINDS {
            for object in self.api(kind)?.list(&Default::default()).await? {
                let name = object.metadata.name.clone().unwrap_or_default();
                let mut data = json!({"is": object.data, "labels": object.metadata.labels});
                if kind == "Deployment" {
                    data["is"]["status"] = Value::Null;
                }
                data["is"]["spec"]["clusterIP"].take();
                data["is"]["spec"]["clusterIPs"].take();
                timeless(&mut data);
                let text = data.to_string().replace(&self.namespace, "NAMESPACE");
                let (name, text) = (name.replace(&revision, "REVISION"), text.replace(&revision, "REVISION"));
                world.insert(format!("{kind}/{name}"), serde_json::from_str(&text)?);
            }
        }
        Ok(world)
    }
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
