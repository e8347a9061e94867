//! The pods of a revision.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{
        Capabilities, ConfigMapKeySelector, Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction,
        Lifecycle, LifecycleHandler, LocalObjectReference, ObjectFieldSelector, PodSecurityContext, PodSpec,
        PodTemplateSpec, Probe, ResourceRequirements, SeccompProfile, SecretKeySelector, SecurityContext,
        SleepAction, Toleration, TopologySpreadConstraint,
    },
    apimachinery::pkg::{api::resource::Quantity, util::intstr::IntOrString},
};
use kube::core::ObjectMeta;
use marquee_crds::{names, revision_name::RevisionName, shared};
use serde::Serialize;

use super::{Workload, labels, volumes};

/// User and group of the process, the same as in the image.
const NOBODY: i64 = 65_532;
/// Default time from the start of a pod's termination until the kubelet kills it.
const GRACE_SECONDS: i64 = 35;
/// How long a terminating pod still answers, for callers that still have its address.
const PRE_STOP_SECONDS: i64 = 5;
/// The last part of the grace period, in which the process ends. Running requests have the time between the pre-stop sleep and this part.
const SPARE_SECONDS: i64 = 10;
/// Interval of the readiness probe.
const PROBE_SECONDS: i32 = 2;
/// Minimum time for a load before the kubelet restarts the container.
const LEAST_LOAD_SECONDS: u64 = 600;
/// Default requests of each pod.
const LEAST_REQUESTS: [(&str, &str); 2] = [("cpu", "100m"), ("memory", "256Mi")];

/// The template of a revision's pods. The name of a revision is a hash of the template without `revision`.
pub(super) fn template(workload: &Workload<'_>, revision: Option<&RevisionName>) -> PodTemplateSpec {
    let mut labels = workload.placement.pod_labels.clone();
    labels.extend(labels::child_labels(workload, revision));
    let mut annotations = workload.settings.pod_annotations.clone();
    annotations.extend(workload.placement.pod_annotations.clone());
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels),
            annotations: (!annotations.is_empty()).then_some(annotations),
            ..ObjectMeta::default()
        }),
        spec: Some(spec(workload, revision)),
    }
}

fn spec(workload: &Workload<'_>, revision: Option<&RevisionName>) -> PodSpec {
    let (volumes, mounts) = volumes::volumes(workload, revision);
    let placement = workload.placement;
    let pull_secrets = placement.image_pull_secrets.iter();
    let pull_secrets = pull_secrets.map(|secret| LocalObjectReference { name: secret.name.clone() });
    // A cluster with ranges of ids refuses these ids. It chooses ids from its range if the pod has none.
    let nobody = (!workload.settings.ids_from_cluster).then_some(NOBODY);
    PodSpec {
        affinity: placement.affinity.clone(),
        automount_service_account_token: Some(workload.follows_traffic()),
        containers: vec![container(workload, mounts)],
        // Addresses come from DNS. Variables for all Services of a large namespace would not fit in the environment.
        enable_service_links: Some(false),
        image_pull_secrets: filled(pull_secrets.collect()),
        node_selector: (!placement.node_selector.is_empty()).then(|| placement.node_selector.clone()),
        priority_class_name: placement.priority_class_name.clone(),
        runtime_class_name: placement.runtime_class_name.clone(),
        scheduler_name: placement.scheduler_name.clone(),
        security_context: Some(PodSecurityContext {
            fs_group: nobody,
            fs_group_change_policy: Some("OnRootMismatch".into()),
            run_as_group: nobody,
            run_as_non_root: Some(true),
            run_as_user: nobody,
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), localhost_profile: None }),
            ..PodSecurityContext::default()
        }),
        service_account_name: Some(workload.service_account()),
        termination_grace_period_seconds: Some(grace_seconds(workload)),
        tolerations: filled(placement.tolerations.iter().map(toleration).collect()),
        topology_spread_constraints: filled(spread(workload, revision)),
        volumes: Some(volumes),
        ..PodSpec::default()
    }
}

fn container(workload: &Workload<'_>, mounts: Vec<k8s_openapi::api::core::v1::VolumeMount>) -> Container {
    let port = |name: &str, container_port| ContainerPort {
        name: Some(name.into()),
        container_port,
        protocol: Some("TCP".into()),
        ..ContainerPort::default()
    };
    let load = workload.progress_deadline.0.as_secs().max(LEAST_LOAD_SECONDS);
    let load_probes = i32::try_from(load.div_ceil(PROBE_SECONDS.unsigned_abs().into())).unwrap_or(i32::MAX);
    Container {
        name: names::CONTAINER.into(),
        image: Some(workload.settings.runtime_image.clone()),
        image_pull_policy: Some(workload.settings.image_pull_policy.clone()),
        args: Some(arguments(workload)),
        env: Some(environment(workload)),
        ports: Some(vec![
            port(names::HTTP_PORT_NAME, names::HTTP_PORT),
            port(names::GRPC_PORT_NAME, names::GRPC_PORT),
        ]),
        resources: Some(resources(workload)),
        // The other probes start after the load, which may take long.
        startup_probe: Some(probe("/readyz", PROBE_SECONDS, load_probes)),
        readiness_probe: Some(probe("/readyz", PROBE_SECONDS, 3)),
        liveness_probe: Some(probe("/livez", 10, 3)),
        lifecycle: Some(Lifecycle {
            pre_stop: Some(LifecycleHandler {
                sleep: Some(SleepAction { seconds: PRE_STOP_SECONDS }),
                ..LifecycleHandler::default()
            }),
            ..Lifecycle::default()
        }),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), ..Capabilities::default() }),
            read_only_root_filesystem: Some(true),
            ..SecurityContext::default()
        }),
        termination_message_path: Some(TERMINATION_LOG.into()),
        termination_message_policy: Some("File".into()),
        volume_mounts: Some(mounts),
        ..Container::default()
    }
}

/// The file to which the process writes the reason for its end.
const TERMINATION_LOG: &str = "/dev/termination-log";

fn grace_seconds(workload: &Workload<'_>) -> i64 {
    workload.placement.termination_grace_period_seconds.unwrap_or(GRACE_SECONDS)
}

/// The command line, after the image's entry point.
fn arguments(workload: &Workload<'_>) -> Vec<String> {
    // The schema asks for at least 20 seconds; an object made in Rust may have fewer.
    let drain = grace_seconds(workload).saturating_sub(PRE_STOP_SECONDS + SPARE_SECONDS).max(1);
    let flags = [
        ("config", format!("{}/{}", names::CONFIG_FOLDER, names::CONFIG_KEY)),
        // Both families; only IPv4 if IPv6 is off.
        ("http", format!("[::]:{}", names::HTTP_PORT)),
        ("grpc", format!("[::]:{}", names::GRPC_PORT)),
        ("cache", names::CACHE_FOLDER.to_owned()),
        ("credentials", names::CREDENTIALS_FOLDER.to_owned()),
        ("termination-log", TERMINATION_LOG.to_owned()),
        ("drain-timeout", format!("{drain}s")),
        ("log-format", "json".to_owned()),
    ];
    let max_body = workload.max_body.map(|size| ("max-body", size.bytes().to_string()));
    let flags = flags.into_iter().chain(max_body).map(|(name, value)| format!("--{name}={value}"));
    std::iter::once("serve".to_owned()).chain(flags).collect()
}

/// Variables that the pods need, and those of the spec.
fn environment(workload: &Workload<'_>) -> Vec<EnvVar> {
    let fields =
        [("POD_NAME", "metadata.name"), ("POD_NAMESPACE", "metadata.namespace"), ("POD_UID", "metadata.uid")];
    let of_pod = |(name, path): (&str, &str)| EnvVar {
        name: name.into(),
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector { field_path: path.into(), api_version: Some("v1".into()) }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    };
    fields.into_iter().map(of_pod).chain(workload.placement.env.iter().map(variable)).collect()
}

fn variable(wanted: &shared::Variable) -> EnvVar {
    let source = |from: &shared::VariableSource| EnvVarSource {
        secret_key_ref: from.secret_key_ref.as_ref().map(|at| SecretKeySelector {
            name: at.name.clone(),
            key: at.key.clone(),
            optional: None,
        }),
        config_map_key_ref: from.config_map_key_ref.as_ref().map(|at| ConfigMapKeySelector {
            name: at.name.clone(),
            key: at.key.clone(),
            optional: None,
        }),
        ..EnvVarSource::default()
    };
    EnvVar {
        name: wanted.name.clone(),
        value: wanted.value.clone(),
        value_from: wanted.value_from.as_ref().map(source),
    }
}

/// A resource in neither requests nor limits gets a small request. If only a limit is set, Kubernetes uses it as the request.
fn resources(workload: &Workload<'_>) -> ResourceRequirements {
    let amounts = |named: &BTreeMap<String, shared::Quantity>| -> BTreeMap<String, Quantity> {
        named.iter().map(|(name, amount)| (name.clone(), Quantity(amount.0.clone()))).collect()
    };
    let limits = amounts(&workload.resources.limits);
    let mut requests = amounts(&workload.resources.requests);
    for (name, least) in LEAST_REQUESTS {
        if !limits.contains_key(name) {
            requests.entry(name.into()).or_insert_with(|| Quantity(least.into()));
        }
    }
    ResourceRequirements {
        limits: (!limits.is_empty()).then_some(limits),
        requests: (!requests.is_empty()).then_some(requests),
        claims: None,
    }
}

fn probe(path: &str, period: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.into()),
            port: IntOrString::String(names::HTTP_PORT_NAME.into()),
            scheme: Some("HTTP".into()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        timeout_seconds: Some(period.min(5)),
        failure_threshold: Some(failures),
        ..Probe::default()
    }
}

fn spread(workload: &Workload<'_>, revision: Option<&RevisionName>) -> Vec<TopologySpreadConstraint> {
    let wanted = workload.placement.topology_spread.clone().unwrap_or_else(shared::TopologySpread::sensible);
    let constraint = |wanted: shared::TopologySpread| TopologySpreadConstraint {
        topology_key: wanted.topology_key,
        max_skew: wanted.max_skew,
        when_unsatisfiable: word(&wanted.when_unsatisfiable).unwrap_or_default(),
        label_selector: Some(labels::selector(workload, revision)),
        ..TopologySpreadConstraint::default()
    };
    wanted.into_iter().map(constraint).collect()
}

fn toleration(wanted: &shared::Toleration) -> Toleration {
    Toleration {
        key: wanted.key.clone(),
        operator: wanted.operator.as_ref().and_then(word),
        value: wanted.value.clone(),
        effect: wanted.effect.as_ref().and_then(word),
        toleration_seconds: wanted.toleration_seconds,
    }
}

/// An enum value as text, as in its schema and in Kubernetes.
fn word(value: &impl Serialize) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}

fn filled<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
