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
    // What a dashboard shows of trouble: a row without its model, and a child that was changed by hand.
    platform.kubectl("delete rankingmodel home-rated-for-you").await?;
    platform.kubectl("delete service home-similar-ranker").await?;
    load.answers(200).await?;

    let mut expressions = BTreeSet::new();
    for dashboard in fs::read_dir(repository().join("charts/marquee/dashboards"))? {
        collect(&serde_json::from_str(&fs::read_to_string(dashboard?.path())?)?, &mut expressions);
    }
    assert!(expressions.len() > 20, "only {} expressions were found: where are they?", expressions.len());
    // An alert's expression may have nothing to show while all is well; that it fires and resolves is promtool's to show.
    let alerts: Value = serde_yaml::from_str(&fs::read_to_string(&rules)?)?;
    let mut of_alerts = BTreeSet::new();
    collect(&alerts, &mut of_alerts);
    assert!(of_alerts.len() > 5, "only {} alerts were found: where are they?", of_alerts.len());

    let mut silent: Vec<String> = expressions.into_iter().collect();
    let shown = wait::until_within(Duration::from_secs(90), "every expression to have data", async || {
        let (asked, url) = (silent.clone(), url.clone());
        let alerts: Vec<String> = of_alerts.iter().cloned().collect();
        let ask = move || async move {
            without_data(&url, alerts).await?;
            without_data(&url, asked).await
        };
        silent = platform.cluster.in_network(ask).await?;
        Ok(silent.is_empty().then_some(()))
    });
    if let Err(late) = shown.await {
        return Err(format!("{late}: nothing for\n{}", silent.join("\n")).into());
    }
    load.stop().await?.none_failed()?;
    Ok(())
}

/// Operators and the story's pods.
async fn scraped(platform: &Platform) -> Outcome<Vec<Value>> {
    let args = ["get", "pods", "-A", "-l", "app.kubernetes.io/name=marquee", "-o", "json"];
    let pods: Value = serde_json::from_str(&kubectl(platform.cluster, &args, None).await?)?;
    let pods = pods["items"].as_array().cloned().unwrap_or_default();
    let ours = pods.iter().filter(|pod| {
        [SYSTEM, &platform.namespace].iter().any(|namespace| pod["metadata"]["namespace"] == **namespace)
    });
    Ok(super::targets(ours))
}

/// Every `expr` below a value, as it can be asked without a dashboard: variables match all, and an alert's bound is left out.
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

async fn without_data(url: &str, expressions: Vec<String>) -> Outcome<Vec<String>> {
    let client = http_client()?;
    let mut silent = Vec::new();
    for expression in expressions {
        let asked = client.get(format!("{url}/api/v1/query")).query(&[("query", &expression)]).send().await;
        // Prometheus may still be starting.
        let Ok(answer) = asked else { return Ok(vec![expression]) };
        let answer: Value = answer.json().await?;
        if answer["status"] == "error" {
            return Err(format!("{expression}: {}", answer["error"]).into());
        }
        if answer["data"]["result"].as_array().is_none_or(Vec::is_empty) {
            silent.push(expression);
        }
    }
    Ok(silent)
}
