use std::{fs, path::Path};

use marquee_tests::{Outcome, condition, data::repository, platform::Platform};
use serde_json::{Value, json};

use super::{autoscaling::pods, targets};

/// Pods start and end, and Debian's Prometheus cannot discover pods: a file lists the scrape targets.
const CONFIG: &str = "
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: marquee
    file_sd_configs: [{files: [FILE], refresh_interval: 1s}]
";

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_flight_add_pods_where_a_custom_metrics_api_reports_them() -> Outcome {
    let Some(platform) = Platform::new("in-flight").await? else { return Ok(()) };
    platform.homepage().await?;
    let spec = json!({ "spec": {
        "replicas": { "min": 1, "max": 3 },
        // A target so high that CPU never adds a pod.
        "autoscaling": { "targetInFlightRequests": 2, "targetCpuPercent": 1000 },
        "resources": { "requests": { "cpu": "300m" } },
    }});
    platform.patch("pagelayout/home", &spec).await?;
    let says = |expected: (&'static str, &'static str), part: &'static str| {
        move |layout: &Value| {
            let (status, reason, message) = condition(layout, "Autoscaling");
            (status, reason) == expected
                && message.contains(part)
                && layout["status"]["revision"] == layout["status"]["latestRevision"]
        }
    };
    let absent = says(("False", "MetricsApiNotInstalled"), "install KEDA or a custom metrics API");
    platform.until("pagelayout/home", "no custom metrics API", absent).await?;

    // The API is installed with the rule from the examples, but has no data about these pods yet.
    let scraped = platform.cluster.folder().join("in-flight-targets.json");
    fs::write(&scraped, "[]")?;
    let config = CONFIG.replace("FILE", &scraped.display().to_string());
    let (_prometheus, prometheus) = platform.cluster.prometheus(&config)?;
    let _metrics = platform.cluster.custom_metrics(&prometheus, &rules()?).await?;
    let unread = says(("False", "MetricsUnavailable"), "marquee_serving_in_flight_requests");
    let layout = platform.until("pagelayout/home", "the missing metric to be reported", unread).await?;
    let (.., message) = condition(&layout, "Autoscaling");
    assert!(message.contains("examples/autoscaling"), "the message does not say what to do: {message}");

    let page_pods = "pods -l app.kubernetes.io/component=page";
    scrape(&platform.get(page_pods).await?, &scraped)?;
    platform
        .until(
            "pagelayout/home",
            "the metric to be read",
            says(("True", "AutoscalerApplied"), "2 requests in flight"),
        )
        .await?;
    platform.until(page_pods, "one page pod", pods(1, 1)).await?;

    // Each connection keeps one request in flight.
    let load = platform.load(5_000, 24).await?;
    let grown = |now: &Value| scrape(now, &scraped).is_ok() && pods(2, 3)(now);
    platform.until(page_pods, "the requests in flight to add pods", grown).await?;
    let tally = load.stop().await?;
    eprintln!("in flight: {} pages answered, {} failed", tally.answered, tally.failed.len());
    tally.none_failed()?;
    let events = platform.list("events --field-selector=reason=SuccessfulRescale").await?;
    let messages: Vec<&str> = events.iter().filter_map(|event| event["message"].as_str()).collect();
    eprintln!("in flight: {messages:?}");
    let by_requests =
        |message: &&str| message.contains("pods metric marquee_serving_in_flight_requests above target");
    assert!(messages.iter().any(by_requests), "CPU added the pods: {messages:?}");
    Ok(())
}

/// The rules of the example, as the adapter's chart passes them to the adapter.
fn rules() -> Outcome<String> {
    let values = fs::read_to_string(repository().join("examples/autoscaling/prometheus-adapter.yaml"))?;
    let values: Value = serde_yaml::from_str(&values)?;
    Ok(json!({ "rules": values["rules"]["custom"] }).to_string())
}

/// Writes these pods as the scrape targets.
fn scrape(pods: &Value, file: &Path) -> Outcome {
    let pods = pods["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let whole = file.with_extension("new");
    fs::write(&whole, serde_json::to_vec(&targets(pods))?)?;
    Ok(fs::rename(whole, file)?)
}
