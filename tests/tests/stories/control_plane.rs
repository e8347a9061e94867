use marquee_tests::{
    Outcome,
    platform::{Platform, SYSTEM, kubectl},
    wait,
};

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_served_without_operator_and_api_server() -> Outcome {
    let Some(platform) = Platform::alone("control-plane").await? else { return Ok(()) };
    platform.patient_homepage().await?;
    let load = platform.load(50, 4).await?;
    load.answers(50).await?;
    scale_operator(&platform, 0).await?;
    load.answers(100).await?;
    platform.cluster.api.kill()?;
    load.answers(500).await?;
    platform.cluster.api.start_again().await?;
    scale_operator(&platform, 2).await?;
    load.answers(50).await?;
    let tally = load.stop().await?;
    eprintln!(
        "control plane gone: {} pages answered, {} degraded, {} late",
        tally.answered, tally.degraded, tally.late
    );
    tally.none_failed()?;
    // A few rows may use a fallback while pods start and end. Without their models, all pages would be degraded.
    assert!(
        tally.degraded * 100 <= tally.answered,
        "{} pages degraded without a control plane: {:?}",
        tally.degraded,
        tally.fallback_rows
    );
    Ok(())
}

async fn scale_operator(platform: &Platform, replicas: u32) -> Outcome {
    let scale = ["-n", SYSTEM, "scale", "deployment", "-l", "app.kubernetes.io/name=marquee"];
    let replicas_flag = format!("--replicas={replicas}");
    kubectl(platform.cluster, &[&scale[..], &[&replicas_flag]].concat(), None).await?;
    let pods = ["-n", SYSTEM, "get", "pods", "-l", "app.kubernetes.io/name=marquee", "-o", "json"];
    wait::until_within(
        std::time::Duration::from_secs(60),
        "the operator to have the wanted number of pods",
        async || {
            let pods: serde_json::Value =
                serde_json::from_str(&kubectl(platform.cluster, &pods, None).await?)?;
            let pods = pods["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            let ready =
                pods.iter().filter(|pod| pod["status"]["containerStatuses"][0]["ready"] == true).count();
            Ok((pods.len() == replicas as usize && ready == replicas as usize).then_some(()))
        },
    )
    .await
}
