//! Every flag of the operator, documented at the field.

use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use marquee_crds::{labels, listen_address::ListenAddress, names, shared};

use marquee_operator_kit::leader::{HolderPod, election::Terms};

use crate::observed::Settings;

/// Marquee's control plane: turns RankingModels and PageLayouts into pods, and reports the result in their status.
///
/// The operator uses the API server of the pod's service account, or of KUBECONFIG outside a cluster. Every flag can also be set by an
/// environment variable. HTTP answers /livez /readyz /healthz /metrics and /status.
#[derive(Parser, Clone, Debug)]
#[command(name = "marquee-operator", version, about, long_about)]
pub struct Args {
    /// A command other than to reconcile.
    #[command(subcommand)]
    pub instead: Option<Instead>,
    /// Image of the pods that serve.
    #[arg(long, env = "MARQUEE_RUNTIME_IMAGE", default_value = concat!("marquee-runtime:", env!("CARGO_PKG_VERSION")), value_name = "IMAGE")]
    pub runtime_image: String,
    /// When nodes pull the image.
    #[arg(long, env = "MARQUEE_IMAGE_PULL_POLICY", value_enum, default_value_t = PullPolicy::IfNotPresent)]
    pub image_pull_policy: PullPolicy,
    /// Namespaces to watch, separated by commas. Default: all of them.
    #[arg(long, env = "MARQUEE_NAMESPACES", value_delimiter = ',', value_name = "NAMESPACE")]
    pub namespaces: Vec<String>,
    /// Role that lets page pods follow the traffic of models.
    #[arg(long, env = "MARQUEE_PAGE_READER", default_value = names::PAGE_READER_ROLE, value_name = "NAME")]
    pub page_reader: String,
    /// Kind of that role. Default: Role if namespaces are given, ClusterRole if not.
    #[arg(long, env = "MARQUEE_PAGE_READER_KIND", value_enum)]
    pub page_reader_kind: Option<RoleKind>,
    /// Address of a Prometheus that KEDA asks for requests in flight, such as http://prometheus.monitoring:9090.
    #[arg(long, env = "MARQUEE_PROMETHEUS", value_name = "URL")]
    pub prometheus: Option<String>,
    /// Annotations of all pods, for example for a service mesh: KEY=VALUE, separated by commas.
    #[arg(long, env = "MARQUEE_POD_ANNOTATIONS", value_delimiter = ',', value_parser = annotation, value_name = "KEY=VALUE")]
    pub pod_annotations: Vec<(String, String)>,
    /// Leave user, group and fsGroup of the pods that serve to the cluster, as OpenShift requires. Default: 65532, as in the image.
    #[arg(long, env = "MARQUEE_IDS_FROM_CLUSTER")]
    pub ids_from_cluster: bool,
    /// How long pods keep running after traffic has left them, so that late requests are answered.
    #[arg(long, env = "MARQUEE_DRAIN", default_value = "30s", value_parser = duration, value_name = "DURATION")]
    pub drain: Duration,
    /// How often each resource is reconciled although nothing changed.
    #[arg(long, env = "MARQUEE_RESYNC", default_value = "10m", value_parser = duration, value_name = "DURATION")]
    pub resync: Duration,
    /// How often the operator asks the API server which APIs it has.
    #[arg(long, env = "MARQUEE_DISCOVERY", default_value = "30s", value_parser = duration, value_name = "DURATION")]
    pub discovery: Duration,
    /// Reconciles at a time, of each kind.
    #[arg(long, env = "MARQUEE_CONCURRENCY", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256), value_name = "N")]
    pub concurrency: u16,
    /// Whether a Lease decides which of several operators writes. With false, run only one operator.
    #[arg(long, env = "MARQUEE_LEADER_ELECT", default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
    pub leader_elect: bool,
    /// Name of the Lease.
    #[arg(long, env = "MARQUEE_LEASE_NAME", default_value = names::LEADER_LEASE, value_name = "NAME")]
    pub lease_name: String,
    /// Namespace of the Lease.
    #[arg(long, env = "POD_NAMESPACE", default_value = "default", value_name = "NAMESPACE")]
    pub lease_namespace: String,
    /// Name of this operator in the Lease. The operator adds a random part.
    #[arg(long, env = "POD_NAME", default_value = labels::OPERATOR, value_name = "NAME")]
    pub identity: String,
    /// Pod of this operator. The Lease names it, so that other operators can take the Lease as soon as the pod is gone.
    #[arg(long, env = "MARQUEE_POD", value_name = "NAMESPACE/NAME/UID")]
    pub pod: Option<HolderPod>,
    /// How long other operators wait after the last renewal.
    #[arg(long, env = "MARQUEE_LEASE_DURATION", default_value = "15s", value_parser = duration, value_name = "DURATION")]
    pub lease_duration: Duration,
    /// How long the holder tries to renew the Lease before it stops. Must be shorter than the lease's duration.
    #[arg(long, env = "MARQUEE_RENEW_DEADLINE", default_value = "10s", value_parser = duration, value_name = "DURATION")]
    pub renew_deadline: Duration,
    /// How often each operator tries to take or renew the Lease.
    #[arg(long, env = "MARQUEE_RETRY_PERIOD", default_value = "2s", value_parser = duration, value_name = "DURATION")]
    pub retry_period: Duration,
    /// Address of the HTTP server: `:8080` is for all addresses, IPv4 and IPv6; `localhost:8080` is for this machine only.
    #[arg(long, env = "MARQUEE_HTTP", default_value = ":8080", value_name = "ADDRESS")]
    pub http: ListenAddress,
    /// Log filter, such as info or marquee_operator=debug.
    #[arg(long, env = "MARQUEE_LOG", default_value = "info,kube_client=off", value_name = "FILTER")]
    pub log: String,
    /// Log format.
    #[arg(long, env = "MARQUEE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// A command other than to reconcile.
#[derive(Subcommand, Clone, Debug)]
pub enum Instead {
    /// Checks that an operator answers, and exits with 0 if it does. `helm test` runs this.
    Check {
        /// The address to ask, such as http://HOST:8080/readyz.
        url: String,
    },
}

/// When nodes pull an image.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[value(rename_all = "PascalCase")]
pub enum PullPolicy {
    /// At each start of a pod.
    Always,
    /// Where the node does not have it.
    IfNotPresent,
    /// Never.
    Never,
}

/// Kind of a role.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[value(rename_all = "PascalCase")]
pub enum RoleKind {
    /// A role in the whole cluster.
    ClusterRole,
    /// A role in one namespace.
    Role,
}

/// Log format.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line an event, for people.
    Text,
    /// One JSON object an event.
    Json,
}

impl Args {
    /// The settings, which are an input of every decision.
    pub fn settings(&self) -> Settings {
        let kind = self.page_reader_kind.unwrap_or(match self.namespaces.is_empty() {
            true => RoleKind::ClusterRole,
            false => RoleKind::Role,
        });
        Settings {
            runtime_image: self.runtime_image.clone(),
            image_pull_policy: format!("{:?}", self.image_pull_policy),
            page_reader: (self.page_reader.clone(), kind == RoleKind::ClusterRole),
            prometheus: self.prometheus.clone(),
            pod_annotations: self.pod_annotations.iter().cloned().collect(),
            ids_from_cluster: self.ids_from_cluster,
            drain: self.drain,
        }
    }

    /// The durations of leader election.
    ///
    /// # Errors
    /// With these durations two operators could lead at the same time.
    pub fn terms(&self) -> Result<Terms, String> {
        let (lease, renew, retry) = (self.lease_duration, self.renew_deadline, self.retry_period);
        if retry < renew && renew < lease && lease >= Duration::from_secs(1) {
            return Ok(Terms { lease, renew, retry });
        }
        Err(format!(
            "--retry-period {retry:?} must be shorter than --renew-deadline {renew:?}, which must be shorter than --lease-duration {lease:?}, which must be at least 1s"
        ))
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<shared::Duration>().map(|duration| duration.0).map_err(|error| error.to_string())
}

fn annotation(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.trim().into(), value.trim().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(given: &[&str]) -> Args {
        Args::try_parse_from([&["marquee-operator"], given].concat()).unwrap()
    }

    #[test]
    fn the_role_of_page_pods_is_of_the_cluster_unless_namespaces_are_given() {
        #[rustfmt::skip]
        let cases = [
            ("all namespaces",       &[][..],                                              true),
            ("some",                 &["--namespaces=a,b"][..],                            false),
            ("as it is asked for",   &["--namespaces=a", "--page-reader-kind=ClusterRole"][..], true),
        ];
        for (why, given, cluster) in cases {
            assert_eq!(args(given).settings().page_reader.1, cluster, "{why}");
        }
        assert_eq!(args(&["--namespaces=a,b"]).namespaces, ["a", "b"]);
        assert_eq!(args(&[]).settings().image_pull_policy, "IfNotPresent");
        assert_eq!(args(&["--pod-annotations=a/b=c,d=e"]).settings().pod_annotations["a/b"], "c");
        assert!(!args(&[]).settings().ids_from_cluster);
        assert!(args(&["--ids-from-cluster"]).settings().ids_from_cluster);
    }

    #[test]
    fn durations_with_which_two_could_lead_are_refused() {
        assert!(args(&[]).terms().is_ok());
        for given in ["--renew-deadline=15s", "--retry-period=10s", "--lease-duration=5s"] {
            assert!(args(&[given]).terms().is_err(), "{given}");
        }
    }
}
