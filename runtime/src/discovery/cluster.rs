//! Reads a traffic plan from the API server: watches models and their pods.

use std::{collections::BTreeSet, fmt::Debug, time::Duration};

use futures::{Stream, StreamExt};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::{
    Api, Client, Config,
    config::KubeConfigOptions,
    runtime::{
        WatchStreamExt,
        reflector::{self, Store},
        watcher,
    },
};
use marquee_crds::RankingModel;
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use super::objects::{SERVICE_NAME, plan};
use crate::rankers::TrafficPlan;

/// Changes within this time are combined into one plan.
const QUIET: Duration = Duration::from_millis(20);
/// Wait before the next attempt to configure a client.
const PAUSE: Duration = Duration::from_secs(2);

/// Sends the traffic plan for pages of `surfaces`, and each later change of it. While the API server is unreachable, the last
/// plan stays in use, and the watch is retried until the server answers.
pub async fn follow(
    namespace: String,
    surfaces: BTreeSet<String>,
    plans: watch::Sender<Option<TrafficPlan>>,
) {
    let client = loop {
        match client().await {
            Ok(client) => break client,
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot configure a client for the API server: pages use fallbacks"
                );
                tokio::select! {
                    () = plans.closed() => return,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
    };
    let (changed, mut changes) = mpsc::channel(1);
    let models = Api::<RankingModel>::namespaced(client.clone(), &namespace);
    let slices = Api::<EndpointSlice>::namespaced(client, &namespace);
    let models = reflect("RankingModel", watcher(models, watcher::Config::default()), changed.clone());
    let slices =
        reflect("EndpointSlice", watcher(slices, watcher::Config::default().labels(SERVICE_NAME)), changed);
    loop {
        tokio::select! {
            () = plans.closed() => return,
            Some(()) = changes.recv() => {}
        }
        tokio::time::sleep(QUIET).await;
        while changes.try_recv().is_ok() {}
        // Incomplete data would make a wrong plan.
        if !(models.is_complete() && slices.is_complete()) {
            continue;
        }
        let (models, slices) = (models.store.state(), slices.store.state());
        let next = plan(models.iter().map(|model| &**model), slices.iter().map(|slice| &**slice), &surfaces);
        plans.send_if_modified(|known| {
            let is_new = known.as_ref() != Some(&next);
            if is_new {
                *known = Some(next);
            }
            is_new
        });
    }
}

/// Why no client for the API server can be made.
#[derive(Debug, thiserror::Error)]
enum NoClient {
    /// Neither a service account nor a kubeconfig exists.
    #[error("no service account is mounted ({in_cluster}), and KUBECONFIG names no cluster")]
    Config { in_cluster: kube::config::InClusterError, source: kube::config::KubeconfigError },
    /// The configuration is invalid.
    #[error("cannot use the configuration of the API server")]
    Client(#[from] kube::Error),
}

/// Makes a client from the pod's service account, or from KUBECONFIG outside a cluster.
async fn client() -> Result<Client, NoClient> {
    let config = match Config::incluster() {
        Ok(config) => config,
        Err(in_cluster) => Config::from_kubeconfig(&KubeConfigOptions::default())
            .await
            .map_err(|source| NoClient::Config { in_cluster, source })?,
    };
    Ok(Client::try_from(config)?)
}

/// The objects of one kind, and whether the first list is complete.
struct Reflected<K: kube::Resource<DynamicType = ()> + Clone + 'static> {
    store: Store<K>,
    complete: watch::Receiver<bool>,
}

impl<K: kube::Resource<DynamicType = ()> + Clone + 'static> Reflected<K> {
    fn is_complete(&self) -> bool {
        *self.complete.borrow()
    }
}

/// Stores the objects from `events`, and reports each change through `changed`. A series of errors is logged once.
fn reflect<K>(
    kind: &'static str,
    events: impl Stream<Item = Result<watcher::Event<K>, watcher::Error>> + Send + 'static,
    changed: mpsc::Sender<()>,
) -> Reflected<K>
where
    K: kube::Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let (set_complete, complete) = watch::channel(false);
    let events = reflector::reflector(writer, events.default_backoff());
    tokio::spawn(async move {
        let mut events = std::pin::pin!(events);
        let mut is_lost = false;
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    if is_lost {
                        info!(kind, "the API server is reachable again");
                        is_lost = false;
                    }
                    if matches!(event, watcher::Event::InitDone) {
                        set_complete.send_replace(true);
                    }
                    // If the channel is full, it already holds a change. If it is closed, the reader ended.
                    if matches!(changed.try_send(()), Err(mpsc::error::TrySendError::Closed(()))) {
                        return;
                    }
                }
                Err(error) if !is_lost => {
                    is_lost = true;
                    warn!(
                        kind,
                        error = &error as &dyn std::error::Error,
                        "the watch failed: the last traffic plan stays in use"
                    );
                }
                Err(_) => {}
            }
        }
    });
    Reflected { store, complete }
}
