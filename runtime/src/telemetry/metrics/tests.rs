use super::*;

fn text(metrics: &Metrics) -> String {
    String::from_utf8(metrics.encode().unwrap()).unwrap()
}

fn model(objective: &str, artifact_digest: &str) -> ModelDescription {
    ModelDescription {
        objective: objective.into(),
        surface: "home".into(),
        artifact_digest: artifact_digest.into(),
        architecture: "ease".into(),
        n_titles: 3,
        n_viewers: 2,
        max_top_k: 10,
    }
}

fn full() -> Metrics {
    let metrics = Metrics::new().unwrap();
    metrics.request(Method::HttpScore, Code::Ok, 0.000_2);
    metrics.connections(Listener::Http).inc();
    metrics.cut(Listener::Http, CutReason::SlowHeaders);
    metrics.shed("page");
    metrics.batch("watch", 3);
    metrics.queue_depth(2);
    metrics.degraded("home", "DeadlineMissed");
    metrics.artifact_load("loaded");
    metrics.reload("changed");
    metrics.models_served(&[model("watch", "aa")]);
    metrics.remote("watch", &"aa".into(), "ok");
    metrics.remote_retry("watch");
    metrics.ejected("watch");
    metrics.endpoints("watch", &"aa".into(), Some(2));
    metrics.traffic_plan(1);
    metrics
}

#[test]
fn a_revision_that_gets_no_more_queries_leaves_no_series() {
    let metrics = full();
    metrics.endpoints("watch", &"aa".into(), None);
    let text = text(&metrics);
    for name in [names::REMOTE_REQUESTS, names::ENDPOINTS] {
        assert!(!text.contains(&format!("{name}{{")), "{name}: {text}");
    }
}

#[test]
fn every_name_of_the_contract_is_exported() {
    let text = text(&full());
    for name in names::ALL {
        assert!(text.contains(&format!("# TYPE {name} ")), "{name} is missing in the scrape");
    }
    for name in ["process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"] {
        assert!(text.contains(name), "{name} is missing in the scrape");
    }
}

#[test]
fn every_name_exported_is_in_the_contract() {
    let text = text(&full());
    let exported = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    for name in exported.filter(|name| !name.starts_with("process_")) {
        assert!(names::ALL.contains(&name), "{name} is missing in crds/src/metrics.rs");
    }
}

#[test]
fn the_buckets_separate_a_tenth_and_a_fifth_of_a_millisecond() {
    let text = text(&full());
    let bucket = |le: &str| format!("{}_bucket{{method=\"http/score\",le=\"{le}\"}}", names::REQUEST_SECONDS);
    assert!(text.contains(&format!("{} 0", bucket("0.0001"))), "{text}");
    assert!(text.contains(&format!("{} 1", bucket("0.00025"))), "{text}");
}

/// The metrics text without the lines about rankers in other processes.
fn of_this_process(metrics: &Metrics) -> String {
    let text = text(metrics);
    text.lines().filter(|line| !line.contains("marquee_rankers_")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_swap_leaves_one_revision() {
    let metrics = full();
    metrics.models_served(&[model("watch", "bb")]);
    let text = of_this_process(&metrics);
    assert!(text.contains("revision=\"bb\"") && !text.contains("revision=\"aa\""), "{text}");
}

#[test]
fn a_model_that_is_gone_leaves_no_series() {
    let metrics = full();
    metrics.models_served(&[]);
    assert!(!of_this_process(&metrics).contains("objective=\"watch\""));
}

#[test]
fn requests_count_by_method_and_code() {
    let metrics = full();
    metrics.request(Method::GrpcPage, Code::Shed, 0.01);
    metrics.request(Method::GrpcPage, Code::Shed, 0.01);
    let line = format!("{}{{code=\"Shed\",method=\"grpc/page\"}} 2", names::REQUESTS);
    assert!(text(&metrics).contains(&line));
}

#[test]
fn in_flight_falls_when_the_guard_is_dropped() {
    let metrics = Metrics::new().unwrap();
    let guard = metrics.in_flight();
    assert!(text(&metrics).contains(&format!("\n{} 1\n", names::IN_FLIGHT)));
    drop(guard);
    assert!(text(&metrics).contains(&format!("\n{} 0\n", names::IN_FLIGHT)));
}
