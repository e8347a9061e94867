//! Compares the rights that the chart grants with those that the operator uses: they must be equal.
//!
//! The operator runs as the chart's ServiceAccount, with the arguments of the chart's Deployment, on a real API server that keeps an
//! audit log. No node runs pods: the test reports in the status of each Deployment that its pods are ready.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may panic, and prints what it compared"
)]

use std::{collections::BTreeSet, fs, process::Command};

use marquee_tests::{
    Outcome,
    cluster::{ApiServer, Options, tools},
    data,
    operator::OperatorFixture,
    rights::{self, Right, UserRequests},
    wait,
};
use serde::Deserialize as _;
use serde_json::{Value, json};
use tokio::process::Child;

const SYSTEM: &str = "marquee-system";
const SHOP: &str = "shop";
/// Kinds that the operator creates.
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

/// Granted rights that appear in no audit log, and the reason for each. The API server checks them while it handles another request.
const NEVER_SEEN: [(&str, &str, &str); 4] = [
    ("roles", "bind", "checked when a RoleBinding is created"),
    ("clusterroles", "bind", "checked when a RoleBinding is created"),
    ("rankingmodels/finalizers", "update", "checked when a child blocks the deletion of its owner"),
    ("pagelayouts/finalizers", "update", "checked when a child blocks the deletion of its owner"),
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
async fn the_cluster_role_grants_exactly_the_rights_in_use() -> Outcome {
    compare("cluster-wide", &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_namespaced_role_grants_exactly_the_rights_in_use() -> Outcome {
    compare("namespaced", &["--set=watchNamespaces={shop}"]).await
}

async fn compare(mode: &str, values: &[&str]) -> Outcome {
    let mut installation = Installation::new(values).await?;
    let story = use_every_right(&installation.fixture).await;
    let user = format!("system:serviceaccount:{SYSTEM}:marquee-operator");
    let audit_log = installation.fixture.server.audit_log();
    let granted = granted(&installation.rendered);
    let never: BTreeSet<Right> = granted.iter().filter(|right| reason(right).is_some()).cloned().collect();
    let is_used = async |right: &dyn Fn(&Right) -> bool| {
        wait::until("the use of all granted rights", async || {
            let requests = rights::user_requests(&audit_log, &user)?;
            let needed = granted.iter().filter(|known| !never.contains(*known) && right(known));
            Ok(needed.into_iter().all(|known| requests.used.contains_key(known)).then_some(()))
        })
        .await
    };
    // The last requests, such as the deletion of a drained revision, may still be in progress.
    let settled = is_used(&|right| !looks_for_a_holder(right)).await;
    // The first operator names a pod that no node runs, and is killed. The second one looks for this pod, and takes the Lease.
    installation.operator.kill().await?;
    let _second = start_operator(&installation.fixture, &installation.rendered, "second")?;
    let taken = is_used(&looks_for_a_holder).await;
    let requests = rights::user_requests(&audit_log, &user)?;
    print(mode, &granted, &requests);
    story?;
    assert_eq!(requests.forbidden, BTreeSet::new(), "{mode}: rights in use but not granted");
    let beyond: Vec<_> =
        requests.used.keys().filter(|right| !granted.contains(right) && !is_open_to_all(right)).collect();
    assert_eq!(beyond, Vec::<&Right>::new(), "{mode}: rights in use but granted by another role");
    let idle: Vec<_> =
        granted.iter().filter(|right| !never.contains(right) && !requests.used.contains_key(right)).collect();
    assert_eq!(idle, Vec::<&Right>::new(), "{mode}: rights granted but not in use");
    settled?;
    taken
}

/// Whether the right is that of a candidate that looks for the pod of the Lease's holder.
fn looks_for_a_holder(right: &Right) -> bool {
    right.resource == "pods" && right.verb == "get"
}

fn reason(right: &Right) -> Option<&'static str> {
    NEVER_SEEN
        .iter()
        .find(|(resource, verb, _)| right.resource == *resource && right.verb == *verb)
        .map(|(_, _, why)| *why)
}

/// Whether every account has the right: reviews of its own access.
fn is_open_to_all(right: &Right) -> bool {
    right.group == "authorization.k8s.io"
}

fn print(mode: &str, granted: &BTreeSet<Right>, requests: &UserRequests) {
    println!("{mode}: {} rights are granted", granted.len());
    for right in granted {
        let count = requests.used.get(right).copied().unwrap_or_default();
        let note = match (count, reason(right)) {
            (0, Some(why)) => why.to_owned(),
            (0, None) => "NOT USED".to_owned(),
            (count, _) => format!("{count} times"),
        };
        println!("  {:<8}{:<28} {:<28} {note}", right.verb, right.resource, right.group);
    }
    for forbidden in &requests.forbidden {
        println!("  NOT GRANTED: {forbidden}");
    }
}

/// An API server with the chart applied, and a running operator.
struct Installation {
    fixture: OperatorFixture,
    rendered: Vec<Value>,
    operator: Child,
}

impl Installation {
    async fn new(values: &[&str]) -> Outcome<Self> {
        // This admission plugin checks `finalizers`, as some clusters do.
        let enforce = "--enable-admission-plugins=OwnerReferencesPermissionEnforcement".to_owned();
        let server = ApiServer::start_with(Options { audit: true, flags: vec![enforce] }).await?;
        for project in ["gateway-api", "keda"] {
            server.apply_foreign(project).await?;
        }
        server.kubectl(&["create", "namespace", SYSTEM])?;
        // The namespaced role lies in the namespace of the fixture.
        let fixture = OperatorFixture::on(Box::leak(Box::new(server)), SHOP).await?;
        let text = render(values)?;
        fixture.server.apply(&text)?;
        fixture.server.custom_kinds_are_served().await?;
        let rendered = serde_yaml::Deserializer::from_str(&text)
            .map(|document| Value::deserialize(document).map_err(Into::into))
            .collect::<Outcome<Vec<_>>>()?;
        let operator = start_operator(&fixture, &rendered, "first")?;
        Ok(Self { fixture, rendered, operator })
    }
}

/// All rights that the operator's roles grant.
fn granted(rendered: &[Value]) -> BTreeSet<Right> {
    let is_role = |object: &&Value| {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        object["kind"].as_str().is_some_and(|kind| kind.ends_with("Role"))
            && name.starts_with("marquee-operator")
    };
    rendered.iter().filter(is_role).flat_map(rights::granted).collect()
}

/// Makes the operator use each of its rights.
async fn use_every_right(fixture: &OperatorFixture) -> Outcome {
    fixture.server.apply(RESOURCES)?;
    for (kind, name) in [("RankingModel", "top"), ("RankingModel", "near"), ("PageLayout", "home")] {
        let what = format!("{kind} {name} to be ready");
        fixture.until(&what, async || fixture.is_ready(kind, name, 1).await).await?;
    }
    // Change every child by hand, twice; the operator corrects it, and counts the second time in the event of the first.
    let ours = "app.kubernetes.io/managed-by=marquee-operator";
    let component = "app.kubernetes.io/part-of";
    for theirs in ["theirs", "theirs-again"] {
        let changed = format!("{component}={theirs}");
        for child in CHILDREN {
            fixture.kubectl(&["label", child, "-l", ours, &changed, "--overwrite"])?;
        }
        fixture
            .until("every child to be corrected", async || {
                Ok(fixture.kubectl(&["get", &CHILDREN.join(","), "-l", &changed, "-o", "name"])?.is_empty())
            })
            .await?;
    }
    // Change the artifact; the operator drains and deletes the previous revision.
    let before = fixture.kubectl(&["get", "deployments", "-l", "marquee.dev/model=top", "-o", "name"])?;
    let artifact = json!({"spec": {"artifact": {"uri": "s3://models/top-2"}}});
    fixture.patch("RankingModel", "top", &artifact).await?;
    fixture
        .until("the previous revision to be deleted", async || {
            Ok(!fixture.kubectl(&["get", "deployments", "-o", "name"])?.contains(before.trim()))
        })
        .await?;
    // Remove the routes, the autoscaler, and then the pods of the models.
    let fixed = json!({"spec": {"serving": {"replicas": {"max": null}}}});
    fixture.patch("RankingModel", "top", &fixed).await?;
    fixture.patch("RankingModel", "near", &fixed).await?;
    let monolith = json!({"spec": {"gateway": null, "topology": "Monolith"}});
    fixture.patch("PageLayout", "home", &monolith).await?;
    fixture
        .until("the pods of the models to be deleted", async || {
            Ok(fixture.kubectl(&["get", "deployments", "-l", "marquee.dev/model", "-o", "name"])?.is_empty())
        })
        .await?;
    fixture.kubectl(&["delete", "rankingmodels,pagelayouts", "--all"]).map(drop)
}

/// Renders the chart as YAML.
fn render(values: &[&str]) -> Outcome<String> {
    let chart = data::repository().join("charts/marquee");
    let mut command = Command::new(tools::program("helm")?);
    command.args(["template", "marquee"]).arg(chart).args(["--namespace", SYSTEM, "--no-hooks"]);
    let extra = ["--set=prometheusUrl=http://prometheus:9090", "--set=extraArgs={--drain=1s}"];
    let done = command.args(extra).args(values).output()?;
    match done.status.success() {
        true => Ok(String::from_utf8(done.stdout)?),
        false => Err(String::from_utf8_lossy(&done.stderr).into()),
    }
}

/// Starts the operator as the chart's ServiceAccount, with the arguments of the chart's Deployment. Dropping it kills it.
fn start_operator(fixture: &OperatorFixture, rendered: &[Value], name: &str) -> Outcome<Child> {
    let deployment = rendered.iter().find(|object| object["kind"] == "Deployment").ok_or("no Deployment")?;
    let args = deployment["spec"]["template"]["spec"]["containers"][0]["args"].as_array().ok_or("no args")?;
    let args = args.iter().filter_map(Value::as_str).filter(|arg| !arg.starts_with("--http="));
    let token = fixture.server.kubectl(&["create", "token", "marquee-operator", "-n", SYSTEM])?;
    let kubeconfig = fs::read_to_string(fixture.server.keys.bearer("operator", token.trim())?)?;
    let mut command = fixture.operator(name, &kubeconfig)?;
    command.args(args).env("POD_NAMESPACE", SYSTEM).env("POD_NAME", name);
    command.env("MARQUEE_POD", format!("{SYSTEM}/{name}/1"));
    Ok(command.spawn()?)
}
