//! The autoscaler of KEDA.

use marquee_crds::{metrics::IN_FLIGHT, names, revision_name::RevisionName};
use serde_json::{Value, json};

use super::{Workload, autoscaler::behavior, labels};

/// KEDA's target besides CPU.
pub(super) struct Target<'a> {
    /// Requests in flight per pod.
    pub(super) in_flight: i32,
    /// Address of Prometheus.
    pub(super) prometheus: &'a str,
}

/// KEDA's object for a revision, which never asks for fewer than `pods` pods. KEDA creates the HorizontalPodAutoscaler itself.
pub(super) fn scaled_object(
    workload: &Workload<'_>,
    revision: &RevisionName,
    pods: i32,
    target: &Target<'_>,
) -> Value {
    let name = workload.revision_name(revision);
    let namespace = &workload.parent.namespace;
    let query = format!("sum({IN_FLIGHT}{{namespace=\"{namespace}\",pod=~\"{name}-.+\"}})");
    json!({
        "metadata": labels::metadata(workload, name.clone(), Some(revision)),
        "spec": {
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": name },
            "minReplicaCount": pods,
            "maxReplicaCount": workload.replicas.most(),
            "advanced": { "horizontalPodAutoscalerConfig": { "behavior": behavior() } },
            "triggers": [
                {
                    "type": "cpu",
                    "metricType": "Utilization",
                    "metadata": {
                        "containerName": names::CONTAINER,
                        "value": workload.autoscaling.target_cpu_percent.to_string(),
                    },
                },
                {
                    "type": "prometheus",
                    "metricType": "AverageValue",
                    "metadata": {
                        "serverAddress": target.prometheus,
                        "query": query,
                        "threshold": target.in_flight.to_string(),
                    },
                },
            ],
        },
    })
}
