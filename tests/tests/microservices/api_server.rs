//! The page gets its traffic plan from a real API server, and keeps it while the API server is down.

use marquee_tests::cluster::ApiServer;

use super::*;

const NAMESPACE: &str = "default";

/// A model with traffic for one revision, and the slice of that revision's Service.
fn objects(revision: &str, addresses: &[&str]) -> Outcome<(String, String)> {
    let service = marquee_crds::names::ranker_revision("home-top-picks", revision);
    let endpoint = marquee_crds::names::endpoint(&service, NAMESPACE);
    let status = json!({"status": {"traffic": [
        {"revision": revision, "weight": 100, "endpoint": endpoint, "since": "2026-01-01T00:00:00Z"},
    ]}});
    let endpoints: Vec<Value> = addresses
        .iter()
        .map(|address| json!({"addresses": [address], "conditions": {"ready": true}}))
        .collect();
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": service, "labels": {"kubernetes.io/service-name": service}},
        "endpoints": endpoints, "ports": [{"name": "grpc", "port": 9000}],
    });
    Ok((status.to_string(), slice.to_string()))
}

/// Writes the model's traffic and its endpoints.
fn write_traffic(api: &ApiServer, revision: &str, addresses: &[&str]) -> Outcome {
    let (status, slice) = objects(revision, addresses)?;
    api.apply(&slice)?;
    api.kubectl(&[
        "patch",
        "rankingmodel",
        "home-top-picks",
        "--subresource=status",
        "--type=merge",
        "-p",
        &status,
    ])?;
    Ok(())
}

/// The model's traffic in `/status`: revision and number of endpoints.
async fn followed(page: &Runtime) -> Outcome<Option<(String, u64)>> {
    let status: Value = http_client()?.get(format!("{}/status", page.http)).send().await?.json().await?;
    let target = &status["traffic"]["objectives"]["top-picks"][0];
    Ok(target["revision"].as_str().map(|name| (name.to_owned(), target["endpoints"].as_u64().unwrap_or(0))))
}

async fn follows(page: &Runtime, revision: &str, n_endpoints: u64) -> Outcome {
    let wanted = Some((revision.to_owned(), n_endpoints));
    wait::until("the page to follow the plan", async || Ok((followed(page).await? == wanted).then_some(())))
        .await
}

#[tokio::test]
async fn a_page_follows_the_api_server_and_serves_without_it() -> Outcome {
    let api = ApiServer::start().await?;
    api.install_kinds().await?;
    api.apply(&example("top-picks")?.to_string())?;
    // Addresses without a server: this test only compares addresses.
    write_traffic(&api, "aaaaaaaa", &["192.0.2.1", "192.0.2.2"])?;

    let folder = tempfile::tempdir()?;
    let mut config = pod_config::page_pod(&layout()?);
    config.discovery = Some(pod_config::Discovery { namespace: NAMESPACE.into() });
    let config = write_config(folder.path(), "page", &config)?;
    let kubeconfig = api.kubeconfig().display().to_string();
    let page =
        Runtime::start_with(artifacts().await?, &["--config", &config], &[("KUBECONFIG", &kubeconfig)])
            .await?;
    follows(&page, "aaaaaaaa", 2).await?;
    write_traffic(&api, "aaaaaaaa", &["192.0.2.1", "192.0.2.2", "192.0.2.3"])?;
    follows(&page, "aaaaaaaa", 3).await?;
    write_traffic(&api, "bbbbbbbb", &["192.0.2.4"])?;
    follows(&page, "bbbbbbbb", 1).await?;

    api.kill()?;
    wait::until("the page to log that its watch failed", async || {
        Ok(page.output().contains("the watch failed").then_some(()))
    })
    .await?;
    assert_eq!(followed(&page).await?, Some(("bbbbbbbb".to_owned(), 1)), "the last plan stays in use");
    let shown = ask(&page, &json!({ "viewer": "1" })).await?;
    assert!(shown["rows"].as_array().is_some_and(|rows| !rows.is_empty()), "{shown}");

    api.start_again().await?;
    write_traffic(&api, "bbbbbbbb", &["192.0.2.4", "192.0.2.5"])?;
    wait::until_within(
        std::time::Duration::from_secs(90),
        "the page to follow the API server again",
        async || Ok((followed(&page).await? == Some(("bbbbbbbb".to_owned(), 2))).then_some(())),
    )
    .await
}
