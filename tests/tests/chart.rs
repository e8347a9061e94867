//! The chart: Helm 4 and Helm 3 render the same objects, and a real API server accepts all of them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{collections::BTreeSet, env, fs, process::Command};

use marquee_tests::{
    Outcome,
    cluster::{ApiServer, tools},
    data::repository,
};
use serde::Deserialize as _;
use serde_json::{Value, json};

/// Names of `charts/marquee/ci/<name>-values.yaml`, each with a golden file in `tests/golden/chart`.
const CASES: [&str; 3] = ["default", "namespaced", "everything"];

/// Renders the chart with `helm` or `helm3`. The error is the program's output.
fn template(helm: &str, args: &[&str]) -> Outcome<String> {
    let fixed =
        ["template", "marquee", "charts/marquee", "--namespace=marquee-system", "--kube-version=1.35.4"];
    let mut command = Command::new(tools::program(helm)?);
    let done = command.args(fixed).args(args).current_dir(repository()).output()?;
    if done.status.success() {
        Ok(String::from_utf8(done.stdout)?)
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into())
    }
}

fn values(case: &str) -> String {
    format!("--values=charts/marquee/ci/{case}-values.yaml")
}

/// The objects of a rendering by kind, namespace and name.
fn objects(text: &str) -> Outcome<Vec<Value>> {
    let read = |document| Value::deserialize(document).map_err(Into::into);
    let mut objects: Vec<Value> =
        serde_yaml::Deserializer::from_str(text).map(read).collect::<Outcome<_>>()?;
    objects.retain(|object| !object.is_null());
    objects.sort_by_key(|object| {
        ["/kind", "/metadata/namespace", "/metadata/name"].map(|at| object.pointer(at).map(Value::to_string))
    });
    Ok(objects)
}

/// YAML for review, without the content that the repository has as separate files.
fn readable(objects: Vec<Value>) -> Outcome<String> {
    let mut text = String::new();
    for mut object in objects {
        match object["kind"].as_str() {
            Some("CustomResourceDefinition") => object["spec"] = json!("as in charts/marquee/files/crds"),
            Some("PrometheusRule") => object["spec"] = json!("as in charts/marquee/alerts"),
            Some("ConfigMap") => {
                for (_, file) in object["data"].as_object_mut().ok_or("a ConfigMap without data")? {
                    serde_json::from_str::<Value>(file.as_str().unwrap())?;
                    *file = json!("as in charts/marquee/dashboards");
                }
            }
            _ => {}
        }
        text += "---\n";
        text += &serde_yaml::to_string(&object)?;
    }
    Ok(text)
}

#[test]
fn the_rendered_chart_equals_the_golden_files() -> Outcome {
    for case in CASES {
        let rendered = objects(&template("helm", &[&values(case)])?)?;
        assert_eq!(
            rendered,
            objects(&template("helm3", &[&values(case)])?)?,
            "{case}: Helm 3 renders something else"
        );
        let rendered = readable(rendered)?;
        let golden = repository().join(format!("tests/golden/chart/{case}.yaml"));
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(golden.parent().unwrap())?;
            fs::write(&golden, &rendered)?;
        }
        let reviewed = fs::read_to_string(&golden).unwrap_or_default();
        let differs = rendered.lines().zip(reviewed.lines()).position(|(is, was)| is != was);
        assert!(
            rendered == reviewed,
            "{} differs from line {}: look at it, and run with UPDATE_GOLDEN=1",
            golden.display(),
            differs.unwrap_or(reviewed.lines().count().min(rendered.lines().count())) + 1
        );
    }
    Ok(())
}

#[test]
fn a_wrong_value_is_refused_with_its_name() {
    #[rustfmt::skip]
    let cases = [
        ("a misspelt value",         "replica=3",                        "replica"),
        ("a misspelt nested value", "image.repo=x",                  "repo"),
        ("no operator",              "replicas=0",                       "replicas"),
        ("an invalid namespace", "watchNamespaces={Kids}",           "watchNamespaces"),
        ("an invalid flag",      "extraArgs={debug}",                "extraArgs"),
        ("an interval without unit", "serviceMonitor.interval=30",       "interval"),
        ("an invalid policy",    "image.pullPolicy=Sometimes",       "pullPolicy"),
        ("an invalid egress",        "servingPods.egress=None",          "egress"),
        ("no place to start",        "servingPods.maxStarting=0",        "maxStarting"),
        ("an invalid port",      "networkPolicy.apiServerPorts={0}", "apiServerPorts"),
    ];
    for (why, set, named) in cases {
        let refused = template("helm", &["--set", set]).expect_err(why).to_string();
        assert!(refused.contains(named), "{why}: {refused}");
    }
}

#[test]
fn every_value_is_in_the_schema_and_in_the_readme() -> Outcome {
    let read = |file: &str| fs::read_to_string(repository().join("charts/marquee").join(file));
    let values: Value = serde_yaml::from_str(&read("values.yaml")?)?;
    let schema: Value = serde_json::from_str(&read("values.schema.json")?)?;
    let readme = read("README.md")?;
    let mut known: BTreeSet<&str> =
        schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    // Helm sets this value for charts inside charts.
    known.remove("global");
    let documented: BTreeSet<&str> = values.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(documented, known);
    for name in documented {
        assert!(readme.contains(&format!("`{name}")), "README.md has no row for {name}");
    }
    Ok(())
}

#[test]
fn no_role_grants_everything_and_namespaced_has_no_cluster_role() -> Outcome {
    for case in CASES {
        for object in objects(&template("helm", &[&values(case)])?)? {
            let kind = object["kind"].as_str().unwrap();
            assert!(case != "namespaced" || !kind.starts_with("ClusterRole"), "{object}");
            for rule in object["rules"].as_array().into_iter().flatten() {
                assert!(!rule.to_string().contains('*'), "{object}");
            }
        }
    }
    Ok(())
}

#[test]
fn kinds_are_kept_by_default() -> Outcome {
    let policies = |set: &str| -> Outcome<Vec<Value>> {
        let crds = objects(&template("helm", &["--set", set])?)?.into_iter();
        let crds = crds.filter(|object| object["kind"] == "CustomResourceDefinition");
        Ok(crds.map(|crd| crd["metadata"]["annotations"]["helm.sh/resource-policy"].clone()).collect())
    };
    assert_eq!(policies("crds.keep=true")?, [json!("keep"), json!("keep")]);
    assert_eq!(policies("crds.keep=false")?, [Value::Null, Value::Null]);
    assert_eq!(policies("crds.install=false")?, Vec::<Value>::new());
    Ok(())
}

/// A dry run on a real API server with strict validation, in a namespace with the strictest Pod Security standard.
#[tokio::test]
async fn an_api_server_accepts_every_object() -> Outcome {
    let server = ApiServer::start().await?;
    server.apply_foreign("prometheus-operator").await?;
    for namespace in ["marquee-system", "discovery", "kids"] {
        server.kubectl(&["create", "namespace", namespace])?;
    }
    let strictest = ["label", "namespace", "marquee-system", "pod-security.kubernetes.io/enforce=restricted"];
    server.kubectl(&strictest)?;
    let folder = tempfile::tempdir()?;
    for case in CASES {
        let file = folder.path().join("all.yaml");
        fs::write(&file, template("helm", &[&values(case)])?)?;
        let apply = ["apply", "--server-side", "--validate=strict", "--dry-run=server", "-f"];
        let applied = server.kubectl(&[&apply[..], &[file.to_str().unwrap()]].concat())?;
        assert!(
            applied.lines().count() > 9 && applied.lines().all(|line| line.contains("dry run")),
            "{applied}"
        );
    }
    server.clear()
}
