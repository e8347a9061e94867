//! What may happen to models and pages, for the catalogue of messages.

use marquee_crds::{
    RankingModel, conditions::Reason, page_layout::Topology, pod_config::ResourceRef, shared::Quantity,
    termination::Termination,
};
use marquee_operator::{
    child::ChildKind,
    controllers::ranking_model,
    observed::{
        AutoscalerFacts, Capabilities, ChildState, DeploymentFacts, Ended, Loading, PodFacts, Settings,
    },
    report,
};
use marquee_operator_kit::{Error, apply::Drift};
use serde_json::{Value, json};

use super::{Catalogue, OF_PODS};
use crate::{
    cluster::{Cluster, layout, model, reconcile_layout, settings},
    surface::Surface,
};

fn pod() -> PodFacts {
    PodFacts::default()
}

fn ended(reason: &str, exit_code: i32, said: Option<Termination>) -> Option<Ended> {
    Some(Ended { exit_code, reason: reason.into(), said, at: None })
}

fn waits(reason: &str, message: &str) -> Option<(String, String)> {
    Some((reason.into(), message.into()))
}

/// Pods that cannot become ready, in every way that the operator tells apart.
fn broken_pods() -> Vec<PodFacts> {
    let said = |reason: Reason| Termination {
        reason,
        message: format!("RankingModel shop/top-picks: ({reason} in the pod's own words)"),
    };
    let own_words = OF_PODS.map(|reason| PodFacts { ended: ended("Error", 3, Some(said(reason))), ..pod() });
    let crashed = |restarts| PodFacts { ended: ended("Error", 139, None), restarts, ..pod() };
    let no_node = |said: &str| PodFacts { unschedulable: Some(said.into()), ..pod() };
    let loading = |total_bytes| PodFacts {
        loading: Some(Loading { bytes: 3 << 20, total_bytes, seconds: 4 }),
        ..pod()
    };
    let mut all = vec![
        PodFacts { ended: ended("OOMKilled", 137, None), ..pod() },
        PodFacts {
            waiting: waits(
                "ImagePullBackOff",
                "Back-off pulling image \"registry.example.com/marquee-runtime:0.1.0\"",
            ),
            ..pod()
        },
        PodFacts { waiting: waits("CreateContainerConfigError", "secret \"s3-keys\" not found"), ..pod() },
        PodFacts { waiting: waits("CreateContainerError", "context deadline exceeded"), ..pod() },
        PodFacts { waiting: waits("CrashLoopBackOff", "back-off 5m0s restarting failed container"), ..pod() },
        PodFacts { mounting: true, ..pod() },
        crashed(0),
        crashed(1),
        crashed(4),
        no_node("persistentvolumeclaim \"weights\" not found"),
        no_node("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."),
        no_node("0/3 nodes are available: 3 Insufficient cpu."),
        no_node("0/3 nodes are available: 3 node(s) had untolerated taint {gpu: true}."),
        no_node("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."),
        no_node("0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints."),
        no_node("0/3 nodes are available: 3 node(s) were unschedulable."),
        no_node("0/3 nodes are available: 3 Too many pods."),
        no_node("0/3 nodes are available: 3 something that is new in this version of Kubernetes."),
        loading(10 << 20),
        loading(0),
    ];
    all.extend(own_words);
    all
}

/// Refusals to create pods, as API servers word them.
const REFUSALS: [&str; 6] = [
    "pods \"m\" is forbidden: exceeded quota: team, requested: cpu=2, used: cpu=1, limited: cpu=2",
    "pods \"m\" is forbidden: failed quota: team: must specify limits.cpu for: runtime",
    "pods \"m\" is forbidden: [maximum memory usage per Container is 1Gi, but limit is 4Gi]",
    "pods \"m\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true",
    "admission webhook \"validate.kyverno.svc\" denied the request: image is not signed",
    "pods \"m\" is forbidden: no PriorityClass with name high was found",
];

/// A model whose first pods cannot become ready, and one that another revision serves meanwhile.
pub fn models_in_trouble(catalogue: &mut Catalogue) {
    for (n, broken) in broken_pods().into_iter().enumerate() {
        let secret = json!({ "artifact": { "credentials": { "secretName": "s3-keys" } } });
        let claim =
            json!({ "artifact": { "uri": "file:///artifacts/a", "volume": { "claimName": "weights" } } });
        let spec = if broken.unschedulable.is_some() { claim } else { secret };
        for has_limit in [false, true] {
            let mut model = model("top-picks", spec.clone());
            if has_limit {
                model.spec.resources.limits.insert("memory".into(), Quantity("512Mi".into()));
            }
            if n % 2 == 1 && broken.mounting {
                model.spec.artifact.credentials = None;
            }
            let mut cluster = Cluster::new(Capabilities::default());
            catalogue.model(&mut model, &mut cluster, &settings());
            cluster.make_pods();
            let put = |cluster: &mut Cluster| {
                for pod in cluster.observed.pods.iter_mut().filter(|pod| !pod.ready) {
                    let PodFacts { name, revision, created, .. } = pod.clone();
                    *pod = PodFacts { name, revision, created, ..broken.clone() };
                }
            };
            put(&mut cluster);
            cluster.wait(20);
            catalogue.model(&mut model, &mut cluster, &settings());
            if n > 2 {
                continue;
            }
            cluster.make_ready(|_| true);
            catalogue.model(&mut model, &mut cluster, &settings());
            model.spec.artifact.uri += "-2";
            cluster.wait(60);
            catalogue.model(&mut model, &mut cluster, &settings());
            cluster.make_pods();
            put(&mut cluster);
            catalogue.model(&mut model, &mut cluster, &settings());
            cluster.wait(700);
            catalogue.model(&mut model, &mut cluster, &settings());
        }
    }
    for refusal in REFUSALS {
        let (mut model, mut cluster) = (model("top-picks", json!({})), Cluster::new(Capabilities::default()));
        catalogue.model(&mut model, &mut cluster, &settings());
        let refused =
            DeploymentFacts { wanted: 1, refused: Some(refusal.into()), ..DeploymentFacts::default() };
        let mut children = cluster.observed.children.iter_mut();
        children.find(|child| child.kind == ChildKind::Deployment).unwrap().state =
            ChildState::Deployment(refused);
        catalogue.model(&mut model, &mut cluster, &settings());
    }
    let (mut refused, mut cluster) = (model("top-picks", json!({})), Cluster::new(Capabilities::default()));
    cluster.observed.older = Some(ResourceRef { namespace: "shop".into(), name: "elder".into() });
    catalogue.model(&mut refused, &mut cluster, &settings());
    let home = layout(&["top-picks"], json!({}));
    catalogue
        .conditions(&reconcile_layout(&home, &cluster.observed, &settings(), cluster.now).status.conditions);
}

/// A roll-over with several pods, some of which are lost.
pub fn models_that_serve(catalogue: &mut Catalogue) {
    let spec = json!({ "serving": { "replicas": { "min": 3 } } });
    let (mut model, mut cluster) = (model("top-picks", spec), Cluster::new(Capabilities::default()));
    catalogue.model(&mut model, &mut cluster, &settings());
    cluster.make_ready(|_| true);
    catalogue.model(&mut model, &mut cluster, &settings());
    for n_lost in [1, 2, 3] {
        cluster.observed.pods.iter_mut().take(n_lost).for_each(|pod| pod.ready = false);
        catalogue.model(&mut model, &mut cluster, &settings());
    }
    cluster.observed.pods[0].ended = ended("OOMKilled", 137, None);
    catalogue.model(&mut model, &mut cluster, &settings());
    cluster.observed.pods.iter_mut().for_each(|pod| (pod.ready, pod.ended) = (true, None));
    catalogue.model(&mut model, &mut cluster, &settings());
    model.spec.artifact.uri = "s3://models/b".into();
    cluster.wait(60);
    for n_starting in [1, 2] {
        cluster.observed.n_starting = n_starting;
        catalogue.model(&mut model, &mut cluster, &Settings { max_starting: 1, ..settings() });
    }
    cluster.observed.n_starting = 0;
    catalogue.model(&mut model, &mut cluster, &settings());
    cluster.wait(700);
    catalogue.model(&mut model, &mut cluster, &settings());
    cluster.make_ready(|_| true);
    catalogue.model(&mut model, &mut cluster, &settings());
    cluster.wait(60);
    model.spec.serving.replicas.min = 1;
    catalogue.model(&mut model, &mut cluster, &settings());
    model.spec.artifact.uri = "file:///nowhere".into();
    catalogue.model(&mut model, &mut cluster, &settings());
}

pub fn autoscalers(catalogue: &mut Catalogue) {
    let capabilities_of =
        |keda, custom_metrics| Capabilities { keda, custom_metrics, ..Capabilities::default() };
    let prometheus = Settings { prometheus: Some("http://prometheus.monitoring:9090".into()), ..settings() };
    let inactive =
        |reason: &str, said: &str| AutoscalerFacts { inactive: waits(reason, said), unread: Vec::new() };
    let unread = AutoscalerFacts { inactive: None, unread: vec!["marquee_serving_in_flight".into()] };
    #[rustfmt::skip]
    let cases = [
        (capabilities_of(false, false), settings(),          None,    None),
        (capabilities_of(false, false), settings(),          Some(8), None),
        (capabilities_of(true, false),  settings(),          Some(8), None),
        (capabilities_of(false, true),  settings(),          Some(8), None),
        (capabilities_of(true, false),  prometheus.clone(),  Some(8), None),
        (capabilities_of(false, true),  settings(),          Some(8), Some(unread)),
        (capabilities_of(false, true),  settings(),          Some(8), Some(inactive("FailedGetPodsMetric", "unable to get metric"))),
        (capabilities_of(false, false), settings(),          None,    Some(inactive("FailedGetResourceMetric", "unable to get metrics for resource cpu"))),
        (capabilities_of(true, false),  prometheus,          Some(8), Some(inactive("TriggerError", "no answer"))),
    ];
    for (capabilities, settings, in_flight, facts) in cases {
        let mut autoscaling = json!({});
        if let Some(in_flight) = in_flight {
            autoscaling["targetInFlightRequests"] = Value::from(in_flight);
        }
        let spec = json!({ "serving": { "replicas": { "max": 3 }, "autoscaling": autoscaling } });
        let (mut model, mut cluster) = (model("top-picks", spec), Cluster::new(capabilities));
        catalogue.model(&mut model, &mut cluster, &settings);
        cluster.make_ready(|_| true);
        catalogue.model(&mut model, &mut cluster, &settings);
        let is_scaler = |kind| matches!(kind, ChildKind::HorizontalPodAutoscaler | ChildKind::ScaledObject);
        for child in cluster.observed.children.iter_mut().filter(|child| is_scaler(child.kind)) {
            child.state = ChildState::Autoscaler(facts.clone().unwrap_or_default());
        }
        cluster.wait(70);
        catalogue.model(&mut model, &mut cluster, &settings);
    }
}

pub fn pages(catalogue: &mut Catalogue) {
    let popular = json!({ "candidateRows": [{ "name": "popular", "heading": "Popular", "source": { "popular": {} } }] });
    for (objectives, spec, models) in [
        (&[][..], popular, vec![]),
        (&["top-picks"][..], json!({}), vec!["top-picks"]),
        (&["top-pick"][..], json!({}), vec!["top-picks"]),
        (&["top-picks"][..], json!({}), vec![]),
        (&["a", "b", "c"][..], json!({}), vec!["a", "b", "c"]),
    ] {
        let models: Vec<RankingModel> = models.into_iter().map(|name| model(name, json!({}))).collect();
        let mut surface = Surface::new(layout(objectives, spec), models);
        surface.settle(|who| who == "page");
        catalogue.surface(&surface);
        surface.settle(|_| true);
        catalogue.surface(&surface);
        let n = surface.models.len();
        if n == 0 {
            continue;
        }
        surface.report(
            &[("top-picks", 100), ("a", 100), ("b", 25), ("c", 0)],
            &["row \"western\" is never shown: (the pod's own words)"],
        );
        surface.settle(|_| true);
        catalogue.surface(&surface);
        let whole: Vec<(&str, u32)> = objectives.iter().map(|objective| (*objective, 0)).collect();
        surface.report(&whole, &["row \"western\" is never shown: (the pod's own words)"]);
        surface.settle(|_| true);
        catalogue.surface(&surface);
    }
    let row = |name: &str| json!({ "name": name, "heading": "h", "source": { "model": { "objective": "top-pick" } } });
    let rows = json!({ "candidateRows": [row("one"), row("two"), row("three")] });
    let mut surface = Surface::new(layout(&[], rows), vec![model("top-picks", json!({}))]);
    surface.settle(|_| true);
    catalogue.surface(&surface);

    let gateway = json!({ "gateway": { "parentRefs": [{ "name": "edge" }] } });
    for (http_routes, grpc_routes) in [(false, false), (true, false), (true, true)] {
        let mut surface =
            Surface::new(layout(&["top-picks"], gateway.clone()), vec![model("top-picks", json!({}))]);
        surface.page.observed.capabilities.http_routes = http_routes;
        surface.page.observed.capabilities.grpc_routes = grpc_routes;
        surface.settle(|_| true);
        catalogue.surface(&surface);
        for refused in [vec![], vec!["NotAllowedByListeners: no listener allows this namespace".to_owned()]] {
            for child in &mut surface.page.observed.children {
                if matches!(child.kind, ChildKind::HttpRoute | ChildKind::GrpcRoute) {
                    child.state = ChildState::Route {
                        accepted: usize::from(refused.is_empty()),
                        refused: refused.clone(),
                    };
                }
            }
            surface.settle(|_| true);
            catalogue.surface(&surface);
        }
    }
}

pub fn monoliths(catalogue: &mut Catalogue) {
    let models = || vec![model("similar", json!({})), model("top-picks", json!({}))];
    let mut surface =
        Surface::new(layout(&["top-picks", "similar"], json!({ "topology": "Monolith" })), models());
    surface.settle(|_| false);
    catalogue.surface(&surface);
    surface.wait(700);
    surface.settle(|_| false);
    catalogue.surface(&surface);
    surface.settle(|_| true);
    catalogue.surface(&surface);
    surface.models[0].0.spec.artifact.uri = "s3://models/nan".into();
    surface.settle(|who| who != "page");
    catalogue.surface(&surface);
    let message = "RankingModel shop/similar: (NotFinite in the pod's own words)".to_owned();
    let said = Termination { reason: Reason::NotFinite, message };
    let new = surface.page.observed.pods.iter_mut().filter(|pod| !pod.ready);
    new.for_each(|pod| pod.ended = ended("Error", 3, Some(said.clone())));
    surface.settle(|who| who != "page");
    catalogue.surface(&surface);
    surface.wait(700);
    surface.settle(|who| who != "page");
    catalogue.surface(&surface);
    surface.page.observed.pods.iter_mut().for_each(|pod| pod.ready = false);
    surface.settle(|who| who != "page");
    catalogue.surface(&surface);
    surface.page.observed.pods.iter_mut().for_each(|pod| pod.ready = true);
    surface.settle(|_| true);
    surface.layout.spec.topology = Topology::Microservices;
    surface.settle(|who| who == "page");
    catalogue.surface(&surface);
    surface.settle(|who| who != "similar");
    catalogue.surface(&surface);
    surface.wait(700);
    surface.settle(|who| who != "similar");
    catalogue.surface(&surface);

    let at_one_folder = |name: &str, claim: &str| {
        model(name, json!({ "artifact": { "uri": "file:///artifacts/a", "volume": { "claimName": claim } } }))
    };
    let models = vec![at_one_folder("a", "one"), at_one_folder("b", "two")];
    let mut surface = Surface::new(layout(&["a", "b"], json!({ "topology": "Monolith" })), models);
    surface.settle(|_| true);
    catalogue.surface(&surface);
}

/// Children that the API server refuses or somebody edits.
pub fn children(catalogue: &mut Catalogue) {
    for (code, message) in [
        (
            403,
            "services is forbidden: User \"system:serviceaccount:marquee-system:marquee\" cannot create resource \"services\"",
        ),
        (
            422,
            "Deployment.apps \"top-picks-ranker\" is invalid: spec.template.spec.containers[0].env[0].name: Invalid value",
        ),
    ] {
        let status = serde_json::from_value(json!({ "code": code, "message": message })).unwrap();
        let source = Box::new(kube::Error::Api(Box::new(status)));
        let error =
            Error::Api { verb: "create", kind: "Service", name: "shop/top-picks-ranker".into(), source };
        let refusal = report::refusal(&error).unwrap();
        catalogue.add(refusal.reason, &format!("Degraded True: {}", refusal.message));
    }
    let owner = "Deployment shop/another".to_owned();
    let refusal =
        report::refusal(&Error::NotOurs { kind: "Service", name: "top-picks-ranker".into(), owner }).unwrap();
    catalogue.add(refusal.reason, &format!("Degraded True: {}", refusal.message));
    let spec = json!({ "serving": { "replicas": { "max": 3 } } });
    let (scaled, cluster) = (model("top-picks", spec), Cluster::new(Capabilities::default()));
    let settings = settings();
    let plan = ranking_model::decide::plan(&scaled, &cluster.observed, &settings, cluster.now);
    let (status, _) = ranking_model::status::status(&scaled, &cluster.observed, &plan, &[]);
    catalogue.conditions(&status.conditions);
    let drift = |field: Option<&str>| Drift {
        kind: ChildKind::Service,
        name: "top-picks-ranker".into(),
        field: field.map(str::to_owned),
    };
    catalogue.events(&report::drift_mended(&[drift(Some("spec.ports")), drift(None)]));
}
