use k8s_openapi::jiff::Timestamp;
use serde_json::json;

use super::*;

fn model(name: &str, surface: &str, objective: &str, traffic: &[(&str, i32)]) -> RankingModel {
    let traffic: Vec<_> = traffic
        .iter()
        .map(|(revision, weight)| {
            let endpoint = names::endpoint(&names::ranker_revision(name, revision), "shop");
            json!({"revision": revision, "weight": weight, "endpoint": endpoint, "since": "2026-01-01T00:00:00Z"})
        })
        .collect();
    serde_json::from_value(json!({
        "apiVersion": "marquee.dev/v1alpha1", "kind": "RankingModel",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"surface": surface, "objective": objective, "artifact": {"uri": "file:///artifacts/a"}},
        "status": {"traffic": traffic},
    }))
    .unwrap()
}

fn slice(service: &str, endpoints: &[(&str, Option<bool>, Option<bool>)]) -> EndpointSlice {
    let endpoints: Vec<_> = endpoints
        .iter()
        .map(|(address, ready, terminating)| {
            json!({"addresses": [address], "conditions": {"ready": ready, "terminating": terminating}})
        })
        .collect();
    serde_json::from_value(json!({
        "metadata": {"name": format!("{service}-x"), "labels": {SERVICE_NAME: service}},
        "addressType": "IPv4", "endpoints": endpoints,
        "ports": [{"name": "http", "port": 8080}, {"name": "grpc", "port": 9000}],
    }))
    .unwrap()
}

fn surfaces() -> BTreeSet<String> {
    BTreeSet::from(["home".to_owned()])
}

fn addresses<'a>(plan: &'a TrafficPlan, objective: &str, revision: &str) -> Vec<&'a str> {
    let target =
        plan.objectives[objective].iter().find(|target| target.revision.as_str() == revision).unwrap();
    target.addresses.iter().map(String::as_str).collect()
}

#[test]
fn a_plan_names_the_pods_that_take_requests() {
    let models = [model("mf", "home", "top-picks", &[("aa", 90), ("bb", 10)])];
    #[rustfmt::skip]
    let slices = [
        slice("mf-ranker-aa", &[
            ("10.0.0.1", Some(true),  None),
            ("10.0.0.2", Some(false), None),
            ("10.0.0.3", Some(false), Some(true)),
            ("10.0.0.4", None,        None),
        ]),
        slice("mf-ranker-aa", &[("10.0.0.5", Some(true), Some(false))]),
        slice("mf-ranker", &[("10.0.0.9", Some(true), None)]),
    ];
    let plan = plan(&models, &slices, &surfaces());
    let targets = &plan.objectives["top-picks"];
    assert_eq!(targets.iter().map(|target| target.weight).collect::<Vec<_>>(), [90, 10]);
    assert_eq!(
        addresses(&plan, "top-picks", "aa"),
        ["10.0.0.1:9000", "10.0.0.4:9000", "10.0.0.5:9000"],
        "ready pods in all slices of the Service, and pods without a condition"
    );
    assert!(addresses(&plan, "top-picks", "bb").is_empty(), "no pod yet");
}

#[test]
fn a_page_follows_models_of_its_surfaces_and_the_older_of_two() {
    let mut young = model("young", "home", "top-picks", &[("bb", 100)]);
    let mut old = model("old", "home", "top-picks", &[("aa", 100)]);
    young.metadata.creation_timestamp = Some(Timestamp::from_second(20).unwrap().into());
    old.metadata.creation_timestamp = Some(Timestamp::from_second(10).unwrap().into());
    let elsewhere = model("elsewhere", "kids", "for-kids", &[("cc", 100)]);
    let silent = model("silent", "home", "near", &[]);
    for models in [[&young, &old, &elsewhere, &silent], [&old, &silent, &elsewhere, &young]] {
        let plan = plan(models, [], &surfaces());
        assert_eq!(plan.objectives.keys().collect::<Vec<_>>(), ["near", "top-picks"]);
        assert_eq!(plan.objectives["top-picks"][0].revision.as_str(), "aa");
        assert!(plan.objectives["near"].is_empty(), "known, but without pods");
    }
}

#[test]
fn a_model_that_is_being_deleted_answers_until_the_next_one_has_traffic() {
    let at = |second| Some(Timestamp::from_second(second).unwrap().into());
    #[rustfmt::skip]
    let cases = [
        // why                                    old is deleted  traffic of the young one  who answers
        ("the older of two",                      None,           vec![("bb", 100)],        "aa"),
        ("the young one has no pods yet",         at(30),         vec![],                   "aa"),
        ("the young one has no viewers",          at(30),         vec![("bb", 0)],          "aa"),
        ("the young one is ready to take over",   at(30),         vec![("bb", 100)],        "bb"),
    ];
    for (why, deleted, traffic, answers) in cases {
        let mut old = model("old", "home", "top-picks", &[("aa", 100)]);
        let mut young = model("young", "home", "top-picks", &traffic);
        (old.metadata.creation_timestamp, young.metadata.creation_timestamp) = (at(10), at(20));
        old.metadata.deletion_timestamp = deleted;
        for models in [[&young, &old], [&old, &young]] {
            let plan = plan(models, [], &surfaces());
            assert_eq!(plan.objectives["top-picks"][0].revision.as_str(), answers, "{why}");
        }
    }
}

#[test]
fn addresses_of_the_newer_protocol_stand_in_brackets() {
    let mut six = slice("mf-ranker-aa", &[("fd00::1", Some(true), None)]);
    six.address_type = "IPv6".into();
    let plan = plan(&[model("mf", "home", "top-picks", &[("aa", 100)])], &[six], &surfaces());
    assert_eq!(addresses(&plan, "top-picks", "aa"), ["[fd00::1]:9000"]);
}
