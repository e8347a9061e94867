//! The autoscaler of Kubernetes.

use k8s_openapi::{
    api::autoscaling::v2::{
        ContainerResourceMetricSource, CrossVersionObjectReference, HPAScalingPolicy, HPAScalingRules,
        HorizontalPodAutoscaler, HorizontalPodAutoscalerBehavior, HorizontalPodAutoscalerSpec,
        MetricIdentifier, MetricSpec, MetricTarget, PodsMetricSource,
    },
    apimachinery::pkg::api::resource::Quantity,
};
use marquee_crds::{metrics::IN_FLIGHT, names, revision_name::RevisionName};

use super::{Workload, labels};

/// What sets the number of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling<'a> {
    /// The operator: always the number in the spec.
    Fixed,
    /// A HorizontalPodAutoscaler, by CPU, and by requests in flight per pod if the cluster measures them.
    Autoscaler {
        /// Target of requests in flight per pod.
        in_flight: Option<i32>,
    },
    /// KEDA, by CPU and requests in flight per pod.
    ScaledObject {
        /// Target of requests in flight per pod.
        in_flight: i32,
        /// Address of Prometheus.
        prometheus: &'a str,
    },
}

/// What sets the number of pods of `workload` in this cluster.
pub fn scaling<'a>(workload: &Workload<'a>) -> Scaling<'a> {
    if !workload.replicas.is_autoscaled() {
        return Scaling::Fixed;
    }
    let in_flight = workload.autoscaling.target_in_flight_requests;
    match (in_flight, workload.settings.prometheus.as_deref()) {
        (Some(in_flight), Some(prometheus)) if workload.capabilities.keda => {
            Scaling::ScaledObject { in_flight, prometheus }
        }
        _ => Scaling::Autoscaler { in_flight: in_flight.filter(|_| workload.capabilities.custom_metrics) },
    }
}

/// The autoscaler of a revision, which never asks for fewer than `pods`.
pub(super) fn autoscaler(
    workload: &Workload<'_>,
    revision: &RevisionName,
    pods: i32,
    in_flight: Option<i32>,
) -> HorizontalPodAutoscaler {
    let cpu = MetricSpec {
        type_: "ContainerResource".into(),
        // Only the serving container is measured, because the sidecar of a mesh would lower the average.
        container_resource: Some(ContainerResourceMetricSource {
            container: names::CONTAINER.into(),
            name: "cpu".into(),
            target: MetricTarget {
                type_: "Utilization".into(),
                average_utilization: Some(workload.autoscaling.target_cpu_percent),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    };
    let requests = in_flight.map(|requests| MetricSpec {
        type_: "Pods".into(),
        pods: Some(PodsMetricSource {
            metric: MetricIdentifier { name: IN_FLIGHT.into(), selector: None },
            target: MetricTarget {
                type_: "AverageValue".into(),
                average_value: Some(Quantity(requests.to_string())),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    });
    let name = workload.revision_name(revision);
    HorizontalPodAutoscaler {
        metadata: labels::metadata(workload, name.clone(), Some(revision)),
        spec: HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".into()),
                kind: "Deployment".into(),
                name,
            },
            min_replicas: Some(pods),
            max_replicas: workload.replicas.most(),
            metrics: Some([Some(cpu), requests].into_iter().flatten().collect()),
            behavior: Some(behavior()),
        },
        status: None,
    }
}

/// Scales up at once, twofold or by four pods every 15 s, because viewers wait. Scales down by at most half of the pods a minute, because new
/// pods must load again when viewers come back.
pub(super) fn behavior() -> HorizontalPodAutoscalerBehavior {
    let policy =
        |type_: &str, value, period_seconds| HPAScalingPolicy { type_: type_.into(), value, period_seconds };
    HorizontalPodAutoscalerBehavior {
        scale_up: Some(HPAScalingRules {
            stabilization_window_seconds: Some(0),
            select_policy: Some("Max".into()),
            policies: Some(vec![policy("Percent", 100, 15), policy("Pods", 4, 15)]),
            tolerance: None,
        }),
        scale_down: Some(HPAScalingRules {
            // The default of the cluster says how long the load must be low.
            stabilization_window_seconds: None,
            select_policy: Some("Max".into()),
            policies: Some(vec![policy("Percent", 50, 60), policy("Pods", 1, 60)]),
            tolerance: None,
        }),
    }
}
