//! The autoscaler of KEDA.

use marquee_crds::{metrics::IN_FLIGHT, names, revision_name::RevisionName};
use serde_json::{Value, json};

use super::{Workload, autoscaler::behavior, labels};

/// KEDA's object for a revision, which never asks for fewer than `pods` pods. Besides CPU it aims at `in_flight` requests per pod, which it
/// reads from the Prometheus at the address `prometheus`. KEDA creates the HorizontalPodAutoscaler itself.
pub(super) fn scaled_object(
    workload: &Workload<'_>,
    revision: &RevisionName,
    pods: i32,
    in_flight: i32,
    prometheus: &str,
) -> Value {
    let name = workload.revision_name(revision);
    let namespace = &workload.namespace;
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
                        "serverAddress": prometheus,
                        "query": query,
                        "threshold": in_flight.to_string(),
                    },
                },
            ],
        },
    })
}
