use std::{collections::BTreeSet, fs, time::Duration};

use marquee_tests::{
    Outcome,
    data::repository,
    http_client,
    platform::{Platform, SYSTEM, kubectl},
    wait,
};
use serde_json::Value;

const CONFIG: &str = "
global: {scrape_interval: 2s, evaluation_interval: 2s}
rule_files: [RULES]
scrape_configs:
  - job_name: marquee
    static_configs: TARGETS
";

#[tokio::test(flavor = "multi_thread")]
async fn every_expression_of_dashboards_and_alerts_has_data() -> Outcome {
    let Some(platform) = Platform::new("eyes").await? else { return Ok(()) };
    let rules = repository().join("charts/marquee/alerts/marquee.yaml");
    platform.homepage().await?;
    let targets = scraped(&platform).await?;
    assert!(targets.len() >= 6, "two operators, three rankers and a page are scraped, not {targets:?}");
    let config = CONFIG.replace("RULES", &rules.display().to_string());
    let config = config.replace("TARGETS", &serde_json::to_string(&targets)?);
    let (_prometheus, url) = platform.cluster.prometheus(&config)?;
    let load = platform.load(20, 2).await?;
    // Faults for the dashboards: a row without its model, and a child that was deleted by hand.
    platform.kubectl("delete rankingmodel home-rated-for-you").await?;
    platform.kubectl("delete service home-similar-ranker").await?;
    load.answers(200).await?;

    let mut expressions = BTreeSet::new();
    for dashboard in fs::read_dir(repository().join("charts/marquee/dashboards"))? {
        collect(&serde_json::from_str(&fs::read_to_string(dashboard?.path())?)?, &mut expressions);
    }
    assert!(
        expressions.len() > 20,
        "only {} expressions were found: has their place changed?",
        expressions.len()
    );
    // An alert's expression may have no data while there is no fault. promtool tests that alerts fire and resolve.
    let alerts: Value = serde_yaml::from_str(&fs::read_to_string(&rules)?)?;
    let mut alert_expressions = BTreeSet::new();
    collect(&alerts, &mut alert_expressions);
    assert!(
        alert_expressions.len() > 5,
        "only {} alerts were found: has their place changed?",
        alert_expressions.len()
    );

    let mut without_data_yet: Vec<String> = expressions.into_iter().collect();
    let shown = wait::until_within(Duration::from_secs(90), "every expression to have data", async || {
        let (queried, url) = (without_data_yet.clone(), url.clone());
        let alerts: Vec<String> = alert_expressions.iter().cloned().collect();
        let ask = move || async move {
            without_data(&url, alerts).await?;
            without_data(&url, queried).await
        };
        without_data_yet = platform.cluster.in_network(ask).await?;
        Ok(without_data_yet.is_empty().then_some(()))
    });
    if let Err(late) = shown.await {
        return Err(format!("{late}: no data for\n{}", without_data_yet.join("\n")).into());
    }
    load.stop().await?.none_failed()?;
    Ok(())
}

/// Scrape targets of the operator and of the story's pods.
async fn scraped(platform: &Platform) -> Outcome<Vec<Value>> {
    let args = ["get", "pods", "-A", "-l", "app.kubernetes.io/name=marquee", "-o", "json"];
    let pods: Value = serde_json::from_str(&kubectl(platform.cluster, &args, None).await?)?;
    let pods = pods["items"].as_array().cloned().unwrap_or_default();
    let ours = pods.iter().filter(|pod| {
        [SYSTEM, &platform.namespace].iter().any(|namespace| pod["metadata"]["namespace"] == **namespace)
    });
    Ok(super::targets(ours))
}

/// Collects every `expr` below a value as a query: a dashboard's variables match everything, and an alert's bound is removed.
fn collect(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(expression)) = members.get("expr") {
                into.insert(plain(expression));
            }
            members.values().for_each(|member| collect(member, into));
        }
        Value::Array(members) => members.iter().for_each(|member| collect(member, into)),
        _ => {}
    }
}

fn plain(expression: &str) -> String {
    let mut plain = expression.replace("$__rate_interval", "1m").replace("$__range", "1m");
    while let Some(at) = plain.find('$') {
        let end = plain[at + 1..].find(|letter: char| !letter.is_alphanumeric() && !"_{}:".contains(letter));
        plain.replace_range(at..end.map_or(plain.len(), |end| at + 1 + end), ".*");
    }
    let text = plain.trim();
    let bound = [" > ", " < ", " >= ", " <= ", " == "].iter().filter_map(|sign| text.rfind(sign)).max();
    match bound {
        Some(at)
            if text[at..].split_whitespace().nth(1).is_some_and(|bound| bound.parse::<f64>().is_ok()) =>
        {
            text[..at].to_owned()
        }
        _ => text.to_owned(),
    }
}

/// The expressions for which Prometheus has no data.
async fn without_data(url: &str, expressions: Vec<String>) -> Outcome<Vec<String>> {
    let client = http_client()?;
    let mut without_data = Vec::new();
    for expression in expressions {
        let sent = client.get(format!("{url}/api/v1/query")).query(&[("query", &expression)]).send().await;
        // Prometheus may still be starting.
        let Ok(answer) = sent else { return Ok(vec![expression]) };
        let answer: Value = answer.json().await?;
        if answer["status"] == "error" {
            return Err(format!("{expression}: {}", answer["error"]).into());
        }
        if answer["data"]["result"].as_array().is_none_or(Vec::is_empty) {
            without_data.push(expression);
        }
    }
    Ok(without_data)
}
