//! The chart's role against what the operator does: nothing is used that is not granted, and nothing granted that is not used.
//!
//! The operator runs as the chart's ServiceAccount, with the arguments of the chart's Deployment, on a real API server that keeps an
//! audit log. No node runs pods: the test says of each Deployment what a node would.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may panic, and prints what it compared"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use marquee_tests::{
    Outcome,
    cluster::{ApiServer, Options, tools},
    rights::{self, Deeds, Right},
    wait,
};
use serde::Deserialize as _;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

const SYSTEM: &str = "marquee-system";
const SHOP: &str = "shop";
/// Everything that the operator makes.
const CHILDREN: [&str; 11] = [
    "serviceaccounts",
    "configmaps",
    "rolebindings",
    "networkpolicies",
    "services",
    "poddisruptionbudgets",
    "deployments",
    "horizontalpodautoscalers",
    "scaledobjects",
    "httproutes",
    "grpcroutes",
];

/// What is granted and never seen in an audit log, and why it is granted all the same: the API server asks for it while it answers
/// another request.
const NEVER_SEEN: [(&str, &str, &str); 4] = [
    ("roles", "bind", "asked for when a RoleBinding is made"),
    ("clusterroles", "bind", "asked for when a RoleBinding is made"),
    ("rankingmodels/finalizers", "update", "asked for when a child blocks its owner's deletion"),
    ("pagelayouts/finalizers", "update", "asked for when a child blocks its owner's deletion"),
];

const RESOURCES: &str = "
apiVersion: marquee.dev/v1alpha1
kind: RankingModel
metadata: {name: top, namespace: shop}
spec:
  surface: home
  objective: top-picks
  artifact: {uri: s3://models/top, sha256: '0000000000000000000000000000000000000000000000000000000000000000'}
  serving: {replicas: {min: 1, max: 4}}
  revisionHistoryLimit: 0
---
apiVersion: marquee.dev/v1alpha1
kind: RankingModel
metadata: {name: near, namespace: shop}
spec:
  surface: home
  objective: near
  artifact: {uri: s3://models/near, sha256: '0000000000000000000000000000000000000000000000000000000000000000'}
  serving: {replicas: {min: 1, max: 4}, autoscaling: {targetInFlightRequests: 8}}
---
apiVersion: marquee.dev/v1alpha1
kind: PageLayout
metadata: {name: home, namespace: shop}
spec:
  surface: home
  catalogue: {uri: s3://models/catalogue, sha256: '0000000000000000000000000000000000000000000000000000000000000000'}
  candidateRows:
    - {name: top, heading: Top picks, source: {model: {objective: top-picks}}}
    - {name: near, heading: 'More like {title}', source: {becauseYouWatched: {objective: near}}}
  replicas: {min: 2}
  gateway: {parentRefs: [{name: public}]}
";

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_role_is_what_is_used() -> Outcome {
    compare("cluster-wide", &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_of_a_namespace_is_what_is_used() -> Outcome {
    compare("namespaced", &["--set=watchNamespaces={shop}"]).await
}

async fn compare(mode: &str, values: &[&str]) -> Outcome {
    let stage = ChartOnServer::set(values).await?;
    let story = stage.story().await;
    let user = format!("system:serviceaccount:{SYSTEM}:marquee-operator");
    let granted = stage.granted();
    let never: BTreeSet<Right> = granted.iter().filter(|right| reason(right).is_some()).cloned().collect();
    // What comes last, such as the deletion of a revision that has drained, may still be under way.
    let settled = wait::until("all that is granted to be used", async || {
        let deeds = rights::deeds(&stage.server.audit_log(), &user)?;
        Ok(granted.iter().all(|right| never.contains(right) || deeds.used.contains_key(right)).then_some(()))
    });
    let settled = settled.await;
    let deeds = rights::deeds(&stage.server.audit_log(), &user)?;
    print(mode, &granted, &deeds);
    story?;
    assert_eq!(deeds.forbidden, BTreeSet::new(), "{mode}: used, and not granted");
    let beyond: Vec<_> =
        deeds.used.keys().filter(|right| !granted.contains(right) && !everybodys(right)).collect();
    assert_eq!(beyond, Vec::<&Right>::new(), "{mode}: used, and granted by another role");
    let idle: Vec<_> =
        granted.iter().filter(|right| !never.contains(right) && !deeds.used.contains_key(right)).collect();
    assert_eq!(idle, Vec::<&Right>::new(), "{mode}: granted, and not used");
    settled?;
    let ChartOnServer { server, .. } = stage;
    server.clear()
}

fn reason(right: &Right) -> Option<&'static str> {
    NEVER_SEEN
        .iter()
        .find(|(resource, verb, _)| right.resource == *resource && right.verb == *verb)
        .map(|(_, _, why)| *why)
}

/// What every account may: ask what it may.
fn everybodys(right: &Right) -> bool {
    right.group == "authorization.k8s.io"
}

fn print(mode: &str, granted: &BTreeSet<Right>, deeds: &Deeds) {
    println!("{mode}: {} rights are granted", granted.len());
    for right in granted {
        let count = deeds.used.get(right).copied().unwrap_or_default();
        let note = match (count, reason(right)) {
            (0, Some(why)) => why.to_owned(),
            (0, None) => "NOT USED".to_owned(),
            (count, _) => format!("{count} times"),
        };
        println!("  {:<8}{:<28} {:<28} {note}", right.verb, right.resource, right.group);
    }
    for forbidden in &deeds.forbidden {
        println!("  NOT GRANTED: {forbidden}");
    }
}

/// The API server with the chart applied, and the operator at work on it.
struct ChartOnServer {
    server: ApiServer,
    rendered: Vec<Value>,
    _operator: Child,
    _folder: tempfile::TempDir,
}

impl ChartOnServer {
    async fn set(values: &[&str]) -> Outcome<Self> {
        // It asks for `finalizers` as some clusters do.
        let enforce = "--enable-admission-plugins=OwnerReferencesPermissionEnforcement".to_owned();
        let server = ApiServer::start_with(Options { audit: true, flags: vec![enforce] }).await?;
        for project in ["gateway-api", "keda"] {
            server.apply_foreign(project).await?;
        }
        for namespace in [SYSTEM, SHOP] {
            server.kubectl(&["create", "namespace", namespace])?;
        }
        let text = render(values)?;
        server.apply(&text)?;
        server.custom_kinds_are_served().await?;
        let rendered = serde_yaml::Deserializer::from_str(&text)
            .map(|document| Value::deserialize(document).map_err(Into::into))
            .collect::<Outcome<Vec<_>>>()?;
        let folder = tempfile::tempdir()?;
        let kubeconfig = as_the_operator(&server, folder.path())?;
        let operator = operate(&rendered, &kubeconfig, folder.path())?;
        Ok(Self { server, rendered, _operator: operator, _folder: folder })
    }

    /// All that the roles of the operator grant.
    fn granted(&self) -> BTreeSet<Right> {
        let is_role = |object: &&Value| {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            object["kind"].as_str().is_some_and(|kind| kind.ends_with("Role"))
                && name.starts_with("marquee-operator")
        };
        self.rendered.iter().filter(is_role).flat_map(rights::granted).collect()
    }

    /// Everything that the operator ever does, once.
    async fn story(&self) -> Outcome {
        self.server.apply(RESOURCES)?;
        for resource in ["rankingmodel/top", "rankingmodel/near", "pagelayout/home"] {
            self.until(&format!("{resource} to be ready"), || self.is_ready(resource)).await?;
        }
        // Somebody changes every child by hand, and it is put back.
        let ours = "app.kubernetes.io/managed-by=marquee-operator";
        let part = "app.kubernetes.io/part-of";
        for child in CHILDREN {
            self.kubectl(&["label", child, "-l", ours, &format!("{part}=theirs"), "--overwrite"])?;
        }
        self.until("every child to be put back", || {
            let theirs =
                self.kubectl(&["get", &CHILDREN.join(","), "-l", &format!("{part}=theirs"), "-o", "name"])?;
            Ok(theirs.is_empty())
        })
        .await?;
        // Another artifact: the revision before drains and goes.
        let before = self.kubectl(&["get", "deployments", "-l", "marquee.dev/model=top", "-o", "name"])?;
        self.patch("rankingmodel/top", &json!({"spec": {"artifact": {"uri": "s3://models/top-2"}}}))?;
        self.until("the revision before to go", || {
            Ok(!self.kubectl(&["get", "deployments", "-o", "name"])?.contains(before.trim()))
        })
        .await?;
        // No route, no autoscaler, and then no pods of the models' own.
        let fixed = json!({"spec": {"serving": {"replicas": {"max": null}}}});
        self.patch("rankingmodel/top", &fixed)?;
        self.patch("rankingmodel/near", &fixed)?;
        self.patch("pagelayout/home", &json!({"spec": {"gateway": null, "topology": "Monolith"}}))?;
        self.until("the models' own pods to go", || {
            Ok(self.kubectl(&["get", "deployments", "-l", "marquee.dev/model", "-o", "name"])?.is_empty())
        })
        .await?;
        self.kubectl(&["delete", "rankingmodels,pagelayouts", "--all"]).map(drop)
    }

    fn kubectl(&self, args: &[&str]) -> Outcome<String> {
        self.server.kubectl(&[&["-n", SHOP], args].concat())
    }

    fn patch(&self, what: &str, change: &Value) -> Outcome {
        self.kubectl(&["patch", what, "--type=merge", "-p", &change.to_string()]).map(drop)
    }

    fn is_ready(&self, what: &str) -> Outcome<bool> {
        let path = r#"jsonpath={.status.conditions[?(@.type=="Ready")].status}"#;
        Ok(self.kubectl(&["get", what, "-o", path])? == "True")
    }

    /// Waits, and meanwhile says of each Deployment that its pods run.
    async fn until(&self, what: &str, is: impl Fn() -> Outcome<bool>) -> Outcome {
        let waited = wait::until_within(2 * wait::PATIENCE, what, async || {
            self.run_pods()?;
            Ok(is()?.then_some(()))
        });
        let Err(late) = waited.await else { return Ok(()) };
        let state = self.kubectl(&["get", "rankingmodels,pagelayouts,deployments", "-o", "yaml"])?;
        let log = fs::read_to_string(self._folder.path().join("operator.log"))?;
        Err(format!("{late}\n{state}\n{log}").into())
    }

    fn run_pods(&self) -> Outcome {
        let list: Value = serde_json::from_str(&self.kubectl(&["get", "deployments", "-o", "json"])?)?;
        for deployment in list["items"].as_array().unwrap() {
            let wanted = &deployment["spec"]["replicas"];
            let generation = &deployment["metadata"]["generation"];
            let status = &deployment["status"];
            if status["readyReplicas"] == *wanted && status["observedGeneration"] == *generation {
                continue;
            }
            let status = json!({"status": {
                "observedGeneration": generation, "replicas": wanted, "updatedReplicas": wanted,
                "readyReplicas": wanted, "availableReplicas": wanted,
            }});
            let name = format!("deployment/{}", deployment["metadata"]["name"].as_str().unwrap());
            let patch = ["patch", &name, "--subresource=status", "--type=merge", "-p", &status.to_string()];
            // It may be gone by now.
            let _ = self.kubectl(&patch);
        }
        Ok(())
    }
}

/// The chart as plain YAML.
fn render(values: &[&str]) -> Outcome<String> {
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/marquee");
    let mut command = std::process::Command::new(tools::program("helm")?);
    command.args(["template", "marquee"]).arg(chart).args(["--namespace", SYSTEM, "--no-hooks"]);
    let extra = ["--set=prometheusUrl=http://prometheus:9090", "--set=extraArgs={--drain=1s}"];
    let done = command.args(extra).args(values).output()?;
    match done.status.success() {
        true => Ok(String::from_utf8(done.stdout)?),
        false => Err(String::from_utf8_lossy(&done.stderr).into()),
    }
}

/// A kubeconfig with a token of the chart's ServiceAccount.
fn as_the_operator(server: &ApiServer, folder: &Path) -> Outcome<PathBuf> {
    let token = server.kubectl(&["create", "token", "marquee-operator", "-n", SYSTEM])?;
    let mut config: Value = serde_json::from_slice(&fs::read(server.kubeconfig())?)?;
    config["users"][0]["user"] = json!({"token": token.trim()});
    let file = folder.join("kubeconfig");
    fs::write(&file, config.to_string())?;
    Ok(file)
}

/// The operator's binary with the arguments of the chart's Deployment. It ends when it is dropped.
fn operate(rendered: &[Value], kubeconfig: &Path, folder: &Path) -> Outcome<Child> {
    let deployment = rendered.iter().find(|object| object["kind"] == "Deployment").ok_or("no Deployment")?;
    let args = deployment["spec"]["template"]["spec"]["containers"][0]["args"].as_array().ok_or("no args")?;
    let args = args.iter().filter_map(Value::as_str).filter(|arg| !arg.starts_with("--http="));
    let log = fs::File::create(folder.join("operator.log"))?;
    let mut command = Command::new(tools::sibling("marquee-operator")?);
    command.args(args).arg("--http=127.0.0.1:0").env("KUBECONFIG", kubeconfig);
    command.env("POD_NAMESPACE", SYSTEM).env("POD_NAME", "marquee-operator-0");
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    Ok(command.spawn()?)
}
