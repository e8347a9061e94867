//! Metrics APIs for autoscalers: resource metrics, and custom metrics if a test installs them. Both servers run outside of pods, so their
//! Services have no selector.

use std::{fs, path::Path};

use crate::{
    Outcome,
    cluster::{api_server::ApiServer, namespaces::NODE, node::words, place::Process, tools},
    wait,
};

const RESOURCES: Served =
    Served { name: "metrics-server", group: "metrics.k8s.io", port: 4443, client: "kubeconfig" };
const CUSTOM: Served = Served {
    name: "prometheus-adapter",
    group: "custom.metrics.k8s.io",
    port: 4444,
    client: "lister-kubeconfig",
};
/// Rights that the adapter's chart grants to the controller of autoscalers.
const READERS: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: custom-metrics-reader}
rules: [{apiGroups: [custom.metrics.k8s.io], resources: ['*'], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: custom-metrics-reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: custom-metrics-reader}
subjects: [{kind: ServiceAccount, name: horizontal-pod-autoscaler, namespace: kube-system}]
";

/// An API group whose server runs next to the node.
struct Served {
    name: &'static str,
    group: &'static str,
    port: u16,
    /// Name of the flag for the kubeconfig with which the server reads objects.
    client: &'static str,
}

impl Served {
    /// Starts the server and registers its group in the cluster's API.
    fn start(&self, api: &ApiServer, more: impl IntoIterator<Item = String>) -> Outcome<Process> {
        let place = &api.place;
        let mut args = delegated(self.client, &api.keys.known("admin"));
        args.extend([
            format!("--bind-address={NODE}"),
            format!("--secure-port={}", self.port),
            format!("--cert-dir={}", place.path(self.name).display()),
        ]);
        args.extend(more);
        let process = place.spawn(self.name, &tools::program(self.name)?, args)?;
        let Self { name, group, port, .. } = self;
        let manifests = format!(
            "
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: kube-system}}
spec: {{ports: [{{port: 443, targetPort: {port}}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}-1, namespace: kube-system, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
ports: [{{name: '', port: {port}, protocol: TCP}}]
endpoints: [{{addresses: [{NODE}], conditions: {{ready: true}}}}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {{name: v1beta1.{group}}}
spec:
  {{group: {group}, version: v1beta1, insecureSkipTLSVerify: true, groupPriorityMinimum: 100, versionPriority: 100,
   service: {{name: {name}, namespace: kube-system}}}}
"
        );
        api.apply(&manifests)?;
        Ok(process)
    }
}

/// Flags with which a server reads objects and delegates authentication and authorization to the API server.
pub(super) fn delegated(client: &str, kubeconfig: &Path) -> Vec<String> {
    [client, "authentication-kubeconfig", "authorization-kubeconfig"]
        .map(|flag| format!("--{flag}={}", kubeconfig.display()))
        .to_vec()
}

/// Starts metrics-server, for CPU and memory of pods.
pub(super) fn of_resources(api: &ApiServer) -> Outcome<Process> {
    let flags = "--kubelet-insecure-tls --kubelet-preferred-address-types=InternalIP --metric-resolution=10s \
        --kubelet-request-timeout=5s";
    RESOURCES.start(api, words(flags))
}

/// Starts prometheus-adapter, for a custom metrics API.
#[derive(Debug)]
pub struct CustomMetrics<'a> {
    api: &'a ApiServer,
    adapter: Process,
}

impl<'a> CustomMetrics<'a> {
    pub(super) async fn install(api: &'a ApiServer, prometheus: &str, rules: &str) -> Outcome<Self> {
        let file = api.place.path("prometheus-adapter.yaml");
        fs::write(&file, rules)?;
        let mut flags = words("--metrics-relist-interval=2s --metrics-max-age=1m");
        flags.extend([format!("--prometheus-url={prometheus}"), format!("--config={}", file.display())]);
        api.apply(READERS)?;
        let mut metrics = Self { adapter: CUSTOM.start(api, flags)?, api };
        let path = format!("/apis/{}/v1beta1", CUSTOM.group);
        wait::until("the custom metrics API", async || {
            metrics.adapter.expect_alive()?;
            Ok(api.get(&path).await.ok())
        })
        .await?;
        Ok(metrics)
    }
}

impl Drop for CustomMetrics<'_> {
    /// Removes the group from the cluster's API before its server ends. No namespace can be deleted while a registered server does not answer.
    fn drop(&mut self) {
        // If this fails, the whole cluster ends soon anyway.
        let _ = self.api.kubectl(&["delete", "apiservice", &format!("v1beta1.{}", CUSTOM.group)]);
    }
}
