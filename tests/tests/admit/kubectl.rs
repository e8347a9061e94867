//! The output of kubectl.

use std::fs;

use marquee_tests::{Outcome, cluster::ApiServer};
use serde_json::{Value, json};

use super::rules::{KINDS, schema, smallest, with};

/// Applies the smallest object of a kind in a namespace. Returns `PLURAL/NAME`.
fn applied(server: &ApiServer, kind: &str, namespace: &str) -> Outcome<String> {
    let object = with(smallest(kind), "/metadata/namespace", &json!(namespace));
    server.apply(&object.to_string())?;
    let plural = if kind == "RankingModel" { "rankingmodels" } else { "pagelayouts" };
    Ok(format!("{plural}/{}", object["metadata"]["name"].as_str().unwrap()))
}

#[tokio::test]
async fn a_misspelt_field_is_named_at_every_level() -> Outcome {
    let server = ApiServer::shared_with_kinds().await?;
    #[rustfmt::skip]
    let cases = [
        ("RankingModel", "/spec/objectiv",                  r#"unknown field "spec.objectiv""#),
        ("RankingModel", "/spec/artifact/sha512",           r#"unknown field "spec.artifact.sha512""#),
        ("RankingModel", "/spec/serving/batching/maxDelai", r#"unknown field "spec.serving.batching.maxDelai""#),
        ("RankingModel", "/spec/serving/replicas/count",    r#"unknown field "spec.serving.replicas.count""#),
        ("RankingModel", "/specs",                          r#"unknown field "specs""#),
        ("PageLayout",   "/spec/candidateRow",              r#"unknown field "spec.candidateRow""#),
        ("PageLayout",   "/spec/candidateRows/0/title",     r#"unknown field "spec.candidateRows[0].title""#),
        ("PageLayout",   "/spec/candidateRows/1/source/popular/top", r#"unknown field "spec.candidateRows[1].source.popular.top""#),
        ("PageLayout",   "/spec/page/columns",              r#"unknown field "spec.page.columns""#),
    ];
    let folder = tempfile::tempdir()?;
    for (kind, pointer, message) in cases {
        let file = folder.path().join("object.json");
        fs::write(&file, with(smallest(kind), pointer, &json!("x")).to_string())?;
        let refused =
            server.kubectl(&["create", "--dry-run=server", "-f", file.to_str().unwrap()]).unwrap_err();
        assert!(refused.to_string().contains(message), "{pointer}: {refused}");
    }
    Ok(())
}

#[tokio::test]
async fn every_field_is_explained() -> Outcome {
    let server = ApiServer::shared_with_kinds().await?;
    for (kind, plural) in KINDS.into_iter().zip(["rankingmodels", "pagelayouts"]) {
        let mut parents = Vec::new();
        objects(&schema(kind), plural, &mut parents);
        assert!(parents.len() > 12, "{kind}: {parents:?}");
        for path in parents {
            let text = server.kubectl(&["explain", &path])?;
            assert!(!text.contains("<no description>") && !text.contains("<empty>"), "{path}: {text}");
            assert!(!text.contains("Auto-generated"), "{path}: {text}");
        }
    }
    Ok(())
}

/// Paths of objects, as kubectl writes them.
fn objects(schema: &Value, path: &str, found: &mut Vec<String>) {
    let members = schema["properties"].as_object().filter(|members| !members.is_empty());
    if let Some(members) = members {
        found.push(path.to_owned());
        for (name, member) in members {
            objects(member, &format!("{path}.{name}"), found);
        }
    }
    if schema["items"].is_object() {
        objects(&schema["items"], path, found);
    }
}

#[tokio::test]
async fn columns_show_readiness_pods_revision_and_reason() -> Outcome {
    let server = ApiServer::shared_with_kinds().await?;
    server.kubectl(&["create", "namespace", "columns"])?;
    let condition = json!([{
        "type": "Ready", "status": "True", "reason": "FewerPodsThanWanted", "message": "1 of 2 pods is ready",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1,
    }]);
    let mut names = Vec::new();
    for kind in KINDS {
        let name = applied(server, kind, "columns")?;
        let mut status = json!({
            "conditions": condition, "pods": "1/2", "revision": "0a1b2c3d", "why": "Unschedulable", "observedGeneration": 1,
        });
        if kind == "RankingModel" {
            status["latestRevision"] = json!("4e5f6a7b");
        } else {
            status["address"] = json!("l-page.columns.svc:8080");
        }
        let patch = json!({"status": status}).to_string();
        server.kubectl(&[
            "patch",
            &name,
            "-n",
            "columns",
            "--subresource=status",
            "--type=merge",
            "-p",
            &patch,
        ])?;
        names.push(name);
    }
    let table = |args: &[&str]| -> Outcome<Vec<Vec<String>>> {
        let text = server.kubectl(&[&["get", "-n", "columns"], args].concat())?;
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        // The last column is the age, which grows.
        Ok(text
            .lines()
            .map(words)
            .map(|mut line| {
                line.pop();
                line
            })
            .collect())
    };
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        table(&["rm"])?,
        [
            words("NAME OBJECTIVE READY PODS REVISION LATEST WHY"),
            words("m top-picks True 1/2 0a1b2c3d 4e5f6a7b Unschedulable"),
        ]
    );
    assert_eq!(
        table(&["pl"])?,
        [
            words("NAME SURFACE READY PODS REVISION WHY TOPOLOGY"),
            words("l home True 1/2 0a1b2c3d Unschedulable Microservices"),
        ]
    );
    let wide = server.kubectl(&["get", "-n", "columns", "rm,pl", "-o", "wide"])?;
    for word in [
        "SURFACE",
        "ARTIFACT",
        "file:///artifacts/ease",
        "ADDRESS",
        "l-page.columns.svc:8080",
        "DEADLINE",
        "CATALOGUE",
    ] {
        assert!(wide.contains(word), "{word}: {wide}");
    }
    let both = server.kubectl(&["get", "marquee", "-n", "columns", "-o", "name"])?;
    assert_eq!(both.lines().count(), 2, "the category holds both kinds: {both}");
    for name in &names {
        server.kubectl(&["wait", "-n", "columns", "--for=condition=Ready", name, "--timeout=5s"])?;
    }
    Ok(())
}

#[tokio::test]
async fn scaling_sets_the_minimum_and_reports_the_selector() -> Outcome {
    let server = ApiServer::shared_with_kinds().await?;
    server.kubectl(&["create", "namespace", "scale"])?;
    for (kind, field) in
        [("RankingModel", "{.spec.serving.replicas.min}"), ("PageLayout", "{.spec.replicas.min}")]
    {
        let name = applied(server, kind, "scale")?;
        let status = json!({"status": {"selector": "marquee.dev/model=m", "replicas": 2}}).to_string();
        server.kubectl(&[
            "patch",
            &name,
            "-n",
            "scale",
            "--subresource=status",
            "--type=merge",
            "-p",
            &status,
        ])?;
        server.kubectl(&["scale", &name, "-n", "scale", "--replicas=3"])?;
        assert_eq!(server.kubectl(&["get", &name, "-n", "scale", "-o", &format!("jsonpath={field}")])?, "3");
        let scale: Value = serde_json::from_str(&server.kubectl(&[
            "get",
            &name,
            "-n",
            "scale",
            "--subresource=scale",
            "-o",
            "json",
        ])?)?;
        assert_eq!(scale["spec"]["replicas"], 3, "{scale}");
        assert_eq!(scale["status"], json!({"replicas": 2, "selector": "marquee.dev/model=m"}));
        let none = server.kubectl(&["scale", &name, "-n", "scale", "--replicas=0"]).unwrap_err().to_string();
        assert!(none.contains("should be greater than or equal to 1"), "{none}");
    }
    Ok(())
}

/// The API server ignores a status in a manifest: only the status subresource can set it. Until the operator has seen a resource, the
/// status says that no generation was observed. Otherwise kstatus would call the resource current.
#[tokio::test]
async fn a_status_in_a_manifest_is_ignored() -> Outcome {
    let server = ApiServer::shared_with_kinds().await?;
    server.kubectl(&["create", "namespace", "status"])?;
    for kind in KINDS {
        let object = with(smallest(kind), "/metadata/namespace", &json!("status"));
        server.apply(&with(object, "/status", &json!({"why": "Because"})).to_string())?;
    }
    let path =
        "jsonpath={.items[*].status.observedGeneration}{.items[*].status.why}{.items[*].status.conditions}";
    let status = server.kubectl(&["get", "marquee", "-n", "status", "-o", path])?;
    assert_eq!(status, "-1 -1 [] []");
    Ok(())
}
