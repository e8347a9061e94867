//! Dashboards and alerts name metrics that exist, and alerts fire and resolve.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

use marquee_crds::metrics;
use marquee_tests::data::repository;
use serde_json::Value;

/// Metrics of the process collector in operator and runtime that the dashboards use.
const PROCESS_METRICS: [&str; 2] = ["process_cpu_seconds_total", "process_resident_memory_bytes"];
/// Words of PromQL at places where a metric could be.
const WORDS: [&str; 12] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "and",
    "or",
    "unless",
    "bool",
    "offset",
    "inf",
];

fn dashboards() -> Vec<(String, Value)> {
    let folder = fs::read_dir(repository().join("charts/marquee/dashboards")).unwrap();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path.file_name().unwrap().to_string_lossy().into_owned(), serde_json::from_str(&text).unwrap())
    };
    let boards: Vec<_> = folder.map(|entry| read(entry.unwrap().path())).collect();
    assert_eq!(boards.len(), 2);
    boards
}

fn alerts() -> Vec<Value> {
    let text = fs::read_to_string(repository().join("charts/marquee/alerts/marquee.yaml")).unwrap();
    let file: Value = serde_yaml::from_str(&text).unwrap();
    let groups = file["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// Every expression of a dashboard with the panel's title.
fn expressions(board: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for panel in board["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            found.push((panel["title"].as_str().unwrap().into(), target["expr"].as_str().unwrap().into()));
        }
    }
    found
}

/// The metrics that an expression names: words that are not functions, labels or words of PromQL.
fn metrics_of(expression: &str) -> BTreeSet<String> {
    let mut plain = String::new();
    let mut depth = 0;
    for letter in expression.chars() {
        match letter {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            _ if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    // The labels in a grouping are not metrics either.
    let mut rest = plain.as_str();
    let mut kept = String::new();
    while let Some((before, after)) = around_grouping(rest) {
        kept += before;
        kept.push(' ');
        rest = after;
    }
    kept += rest;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut names = BTreeSet::new();
    let mut from = 0;
    while let Some(start) = kept[from..].find(is_name).map(|at| from + at) {
        let end = kept[start..].find(|c| !is_name(c)).map_or(kept.len(), |at| start + at);
        let (name, after) = (&kept[start..end], kept[end..].trim_start());
        let number = name.starts_with(|c: char| c.is_ascii_digit());
        if !number && !after.starts_with('(') && !WORDS.contains(&name) {
            names.insert(name.to_owned());
        }
        from = end;
    }
    names
}

/// The text before the first grouping such as `by (kind, le)`, and the text after it.
fn around_grouping(text: &str) -> Option<(&str, &str)> {
    let groupings = ["by (", "without (", "on (", "ignoring (", "group_left (", "group_right ("];
    let at = groupings.iter().filter_map(|grouping| text.find(&format!(" {grouping}"))).min()?;
    let end = at + text[at..].find(')')?;
    Some((&text[..at], &text[end + 1..]))
}

/// The metric of a series. A histogram has three series.
fn family(series: &str) -> &str {
    ["_bucket", "_sum", "_count"].into_iter().find_map(|suffix| series.strip_suffix(suffix)).unwrap_or(series)
}

fn exported() -> BTreeSet<&'static str> {
    metrics::ALL.into_iter().chain(metrics::OF_THE_OPERATOR).chain(PROCESS_METRICS).collect()
}

#[test]
fn an_expression_is_read_as_prometheus_reads_it() {
    #[rustfmt::skip]
    let cases: [(&str, &[&str]); 5] = [
        (r#"sum(a_total{code="b"}) or vector(0)"#,                        &["a_total"]),
        ("sum by (kind, le) (rate(a_bucket[5m])) / b > 0.1",              &["a_bucket", "b"]),
        ("a and on (instance) b unless c",                                &["a", "b", "c"]),
        ("histogram_quantile(0.99, sum by (le) (rate(a_bucket[$x])))",    &["a_bucket"]),
        ("count by (pod) (a) offset 5m",                                  &["a"]),
    ];
    for (expression, expected) in cases {
        let expected: BTreeSet<String> = expected.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(metrics_of(expression), expected, "{expression}");
    }
}

#[test]
fn every_metric_that_is_named_is_exported() {
    let mut expressions: Vec<(String, String)> =
        dashboards().iter().flat_map(|(_, board)| expressions(board)).collect();
    for alert in alerts() {
        expressions.push((alert["alert"].as_str().unwrap().into(), alert["expr"].as_str().unwrap().into()));
    }
    assert!(expressions.len() > 50, "{}", expressions.len());
    for (place, expression) in expressions {
        let named = metrics_of(&expression);
        assert!(!named.is_empty(), "{place}: {expression}");
        for name in named {
            assert!(exported().contains(family(&name)), "{place}: no process exports {name}: {expression}");
        }
    }
}

#[test]
fn every_metric_that_is_exported_is_on_a_dashboard() {
    let shown: BTreeSet<String> = dashboards()
        .iter()
        .flat_map(|(_, board)| expressions(board))
        .flat_map(|(_, expression)| metrics_of(&expression))
        .map(|name| family(&name).to_owned())
        .collect();
    let hidden: Vec<_> = exported().into_iter().filter(|name| !shown.contains(*name)).collect();
    assert_eq!(hidden, Vec::<&str>::new());
}

#[test]
fn panels_have_unique_ids_and_a_description() {
    for (file, board) in dashboards() {
        let mut ids = BTreeSet::new();
        let mut cells = BTreeMap::new();
        for panel in board["panels"].as_array().unwrap() {
            let title = panel["title"].as_str().unwrap();
            assert!(ids.insert(panel["id"].as_u64()), "{file}: {title}: the id is taken");
            assert!(!panel["description"].as_str().unwrap().is_empty(), "{file}: {title} has no description");
            let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
            for cell in
                (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
            {
                assert_eq!(cells.insert(cell, title), None, "{file}: {title} overlaps another panel");
            }
            assert!(at("x") + at("w") <= 24, "{file}: {title} is wider than the page");
        }
    }
}

#[test]
fn every_alert_says_what_to_do_and_is_tested_to_fire_and_to_resolve() {
    let text = fs::read_to_string(repository().join("tests/alerts/marquee.yaml")).unwrap();
    let file: Value = serde_yaml::from_str(&text).unwrap();
    let (mut fired, mut quiet_after) = (BTreeSet::new(), BTreeSet::new());
    for test in file["tests"].as_array().unwrap() {
        for moment in test["alert_rule_test"].as_array().unwrap() {
            let name = moment["alertname"].as_str().unwrap();
            if moment["exp_alerts"].as_array().is_some_and(|alerts| !alerts.is_empty()) {
                fired.insert(name.to_owned());
            } else if fired.contains(name) {
                quiet_after.insert(name.to_owned());
            }
        }
    }
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        for text in ["summary", "description", "runbook"] {
            assert!(alert["annotations"][text].is_string(), "{name} has no {text}");
        }
        assert!(["warning", "critical"].contains(&alert["labels"]["severity"].as_str().unwrap()), "{name}");
        assert!(fired.contains(name), "no test sees {name} fire: add it to tests/alerts/marquee.yaml");
        assert!(
            quiet_after.contains(name),
            "no test sees {name} resolve: add it to tests/alerts/marquee.yaml"
        );
    }
}

#[test]
fn promtool_accepts_and_tests_the_alerts() {
    let promtool = |args: &[&str]| {
        let done = Command::new("promtool").args(args).current_dir(repository()).output();
        let done = done.expect("promtool comes with Debian's prometheus: run `make setup`");
        let output = [done.stdout, done.stderr].concat();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&output));
    };
    promtool(&["check", "rules", "charts/marquee/alerts/marquee.yaml"]);
    promtool(&["test", "rules", "tests/alerts/marquee.yaml"]);
}
