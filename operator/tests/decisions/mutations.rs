//! Objects that no API server would keep: no input makes a decision panic or change forever.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use marquee_crds::{
    PageLayout, RankingModel,
    conditions::Reason,
    pod_config::ResourceRef,
    shared::{ColocatedModel, Quantity, RevisionStatus, TrafficTarget},
    termination::Termination,
};
use marquee_operator::{
    child::ChildKind,
    observed::{
        AutoscalerFacts, Capabilities, ChildFacts, ChildState, DeploymentFacts, Ended, Loading, Observed,
        PageFacts, PodFacts,
    },
};
use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::cluster::{layout, model, reconcile_layout, reconcile_model, settings, stored};

const OBJECTS: usize = 10_000;
/// The first second that Kubernetes can write, and the last that the operator can read.
const ENDS: [i64; 2] = [-62_135_596_800, 253_402_207_200];

fn one<R: Rng, T: Clone>(random: &mut R, all: &[T]) -> T {
    all[random.random_range(0..all.len())].clone()
}

fn number(random: &mut impl Rng) -> i32 {
    let any = random.random::<i32>();
    one(random, &[i32::MIN, -1, 0, 1, 2, 7, 1_000, i32::MAX, any])
}

fn text(random: &mut impl Rng) -> String {
    let long = "ä".repeat(3_000);
    one(
        random,
        &[
            "",
            "a",
            "b",
            "home",
            "top-picks",
            "00000000",
            "home-page.shop.svc:9000",
            "a/b",
            " ",
            "\"\n",
            &long,
        ],
    )
    .to_owned()
}

fn time(random: &mut impl Rng) -> Timestamp {
    let second = random.random_range(1_699_999_000..1_700_002_000);
    let [first, last] = ENDS;
    Timestamp::from_second(one(random, &[first, last, second])).unwrap()
}

fn maybe<R: Rng, T>(random: &mut R, make: impl FnOnce(&mut R) -> T) -> Option<T> {
    random.random_bool(0.6).then(|| make(random))
}

fn some<R: Rng, T>(random: &mut R, make: impl Fn(&mut R) -> T) -> Vec<T> {
    (0..random.random_range(0..5)).map(|_| make(random)).collect()
}

fn reason(random: &mut impl Rng) -> Reason {
    one(random, Reason::ALL)
}

fn state(random: &mut impl Rng) -> ChildState {
    match random.random_range(0..4) {
        0 => ChildState::Plain,
        1 => ChildState::Deployment(DeploymentFacts {
            wanted: number(random),
            replicas: number(random),
            ready: number(random),
            up_to_date: random.random(),
            only_ours: random.random(),
            refused: maybe(random, text),
        }),
        2 => ChildState::Autoscaler(AutoscalerFacts {
            inactive: maybe(random, |random| (text(random), text(random))),
            unread: some(random, text),
        }),
        _ => ChildState::Route { accepted: random.random_range(0..3), refused: some(random, text) },
    }
}

fn child(random: &mut impl Rng) -> ChildFacts {
    ChildFacts {
        kind: one(random, &ChildKind::ALL),
        name: text(random),
        revision: maybe(random, text).map(Into::into),
        artifact: maybe(random, text),
        created: maybe(random, time),
        deleting: random.random(),
        state: state(random),
    }
}

fn pod(random: &mut impl Rng) -> PodFacts {
    let waits =
        ["ImagePullBackOff", "CreateContainerConfigError", "CrashLoopBackOff", "ContainerCreating", ""];
    PodFacts {
        name: text(random),
        revision: maybe(random, text).map(Into::into),
        ready: random.random(),
        deleting: random.random(),
        created: maybe(random, time),
        ip: maybe(random, text),
        unschedulable: maybe(random, text),
        mounting: random.random(),
        waiting: maybe(random, |random| (one(random, &waits).to_owned(), text(random))),
        ended: maybe(random, |random| Ended {
            exit_code: number(random),
            reason: text(random),
            said: maybe(random, |random| Termination { reason: reason(random), message: text(random) }),
            at: maybe(random, time),
        }),
        restarts: number(random),
        loading: maybe(random, |random| Loading {
            bytes: random.random(),
            total_bytes: random.random(),
            seconds: random.random(),
        }),
        page: maybe(random, |random| PageFacts {
            fallback_percent: some(random, |random| (text(random), random.random())).into_iter().collect(),
            warnings: some(random, text),
        }),
    }
}

fn observed(random: &mut impl Rng) -> Observed {
    Observed {
        children: some(random, child),
        pods: some(random, pod),
        capabilities: Capabilities {
            http_routes: random.random(),
            grpc_routes: random.random(),
            keda: random.random(),
            custom_metrics: random.random(),
        },
        ..Observed::default()
    }
}

fn target(random: &mut impl Rng) -> TrafficTarget {
    TrafficTarget {
        revision: text(random),
        weight: number(random),
        endpoint: text(random),
        since: k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(time(random)),
    }
}

fn past(random: &mut impl Rng) -> RevisionStatus {
    RevisionStatus {
        name: text(random),
        artifact: maybe(random, text),
        replicas: number(random),
        ready_replicas: number(random),
    }
}

fn artifact(random: &mut impl Rng) -> Value {
    one(
        random,
        &[
            json!({}),
            json!({ "uri": "" }),
            json!({ "uri": "file:///a/b" }),
            json!({ "uri": "file:///a/b", "volume": { "claimName": "c", "mountPath": "/a" } }),
            json!({ "uri": "file:///a/b", "volume": { "claimName": "", "mountPath": "" } }),
            json!({ "uri": "s3://a/b", "credentials": { "secretName": "s" } }),
        ],
    )
}

fn any_model(random: &mut impl Rng) -> RankingModel {
    let mut model = model(&text(random), json!({ "artifact": artifact(random) }));
    model.metadata.name = maybe(random, text);
    model.metadata.uid = maybe(random, text);
    model.metadata.generation = maybe(random, |random| number(random).into());
    let spec = &mut model.spec;
    spec.surface = one(random, &["home", "", "kids"]).into();
    spec.objective = text(random);
    spec.serving.replicas.min = number(random);
    spec.serving.replicas.max = maybe(random, number);
    spec.serving.autoscaling.target_cpu_percent = number(random);
    spec.serving.autoscaling.target_in_flight_requests = maybe(random, number);
    spec.revision_history_limit = number(random);
    spec.progress_deadline.0 = std::time::Duration::from_millis(one(random, &[0, 1, 600_000, u64::MAX]));
    spec.resources.limits =
        some(random, |random| (text(random), Quantity(text(random)))).into_iter().collect();
    spec.placement.pod_labels = some(random, |random| (text(random), text(random))).into_iter().collect();
    model.status = maybe(random, |random| marquee_crds::ranking_model::RankingModelStatus {
        traffic: some(random, target),
        revisions: some(random, past),
        latest_revision: maybe(random, text),
        ..Default::default()
    });
    model
}

fn any_layout(random: &mut impl Rng) -> PageLayout {
    let topology = one(random, &["Monolith", "Microservices"]);
    let mut layout =
        layout(&["top-picks", "a"], json!({ "catalogue": artifact(random), "topology": topology }));
    layout.metadata.name = maybe(random, text);
    layout.spec.replicas.min = number(random);
    layout.spec.replicas.max = maybe(random, number);
    layout.spec.gateway = maybe(random, |_| serde_json::from_value(json!({ "parentRefs": [] })).unwrap());
    layout.status = maybe(random, |random| marquee_crds::page_layout::PageLayoutStatus {
        traffic: some(random, target),
        revisions: some(random, past),
        models: some(random, |random| ColocatedModel {
            name: text(random),
            revision: text(random),
            page_revision: maybe(random, text),
        }),
        ..Default::default()
    });
    layout
}

#[test]
fn ten_thousand_mutated_objects_are_decided_without_a_panic_and_alike_when_decided_again() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let random = &mut random;
    let older = ResourceRef { namespace: "shop".into(), name: "older".into() };
    for n in 0..OBJECTS / 2 {
        let now = Timestamp::from_second(one(random, &[ENDS[0], ENDS[1], 1_700_000_100])).unwrap();
        let (mut there, mut settings) = (observed(random), settings());
        settings.prometheus = maybe(random, text);
        settings.drain = std::time::Duration::from_millis(one(random, &[0, 30_000, u64::MAX]));
        there.older = maybe(random, |_| older.clone()).filter(|_| n % 8 == 0);

        let (mut model, mut page) = (any_model(random), any_layout(random));
        there.page = Some(Arc::new(page.clone())).filter(|_| n % 2 == 0);
        let first = reconcile_model(&model, &there, &settings, now);
        assert!(first.status.replicas >= 0 && first.status.revisions.len() <= 32, "{:?}", first.status);
        model.status = Some(stored(&first.status));
        let again = reconcile_model(&model, &there, &settings, now);
        assert_eq!(
            (&again.status.traffic, &again.status.why),
            (&stored(&first.status).traffic, &first.status.why),
            "object {n}"
        );
        assert!(again.events.is_empty(), "object {n}: {:?} after {:?}", again.events, first.events);

        there.models = some(random, |random| Arc::new(any_model(random)));
        let first = reconcile_layout(&page, &there, &settings, now);
        page.status = Some(stored(&first.status));
        let again = reconcile_layout(&page, &there, &settings, now);
        assert_eq!(
            (&again.status.traffic, &again.status.why),
            (&stored(&first.status).traffic, &first.status.why),
            "object {n}"
        );
        assert!(again.events.is_empty(), "object {n}: {:?} after {:?}", again.events, first.events);
    }
}
