//! A traffic plan from the API server: models and the pods behind them, watched.

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

/// Changes that come together make one plan.
const QUIET: Duration = Duration::from_millis(20);
/// Before the API server is looked for again.
const PAUSE: Duration = Duration::from_secs(2);

/// Tells the plan that the API server holds for pages of `surfaces`, and each other one. While the API server is gone the last
/// one stays in use; it is looked for until it is back.
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
                    "no way to the API server is known: pages fall back"
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
        // Half of what there is would be a wrong plan.
        if !(models.is_whole() && slices.is_whole()) {
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

/// Why no way to an API server is known.
#[derive(Debug, thiserror::Error)]
enum NoClient {
    /// Neither of the two.
    #[error("no service account is mounted ({in_cluster}), and KUBECONFIG names no cluster")]
    Config { in_cluster: kube::config::InClusterError, source: kube::config::KubeconfigError },
    /// What is configured cannot be used.
    #[error("the configured way to the API server cannot be used")]
    Client(#[from] kube::Error),
}

/// As the pod's service account; elsewhere, as KUBECONFIG says.
async fn client() -> Result<Client, NoClient> {
    let config = match Config::incluster() {
        Ok(config) => config,
        Err(in_cluster) => Config::from_kubeconfig(&KubeConfigOptions::default())
            .await
            .map_err(|source| NoClient::Config { in_cluster, source })?,
    };
    Ok(Client::try_from(config)?)
}

/// What is known of a kind, and whether all of it was ever told.
struct Reflected<K: kube::Resource<DynamicType = ()> + Clone + 'static> {
    store: Store<K>,
    whole: watch::Receiver<bool>,
}

impl<K: kube::Resource<DynamicType = ()> + Clone + 'static> Reflected<K> {
    fn is_whole(&self) -> bool {
        *self.whole.borrow()
    }
}

/// Keeps what `events` tell, and says in `changed` that there is something new. An error is told once until it is over.
fn reflect<K>(
    kind: &'static str,
    events: impl Stream<Item = Result<watcher::Event<K>, watcher::Error>> + Send + 'static,
    changed: mpsc::Sender<()>,
) -> Reflected<K>
where
    K: kube::Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let (tell_whole, whole) = watch::channel(false);
    let events = reflector::reflector(writer, events.default_backoff());
    tokio::spawn(async move {
        let mut events = std::pin::pin!(events);
        let mut is_lost = false;
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    if is_lost {
                        info!(kind, "the API server is back");
                        is_lost = false;
                    }
                    if matches!(event, watcher::Event::InitDone) {
                        tell_whole.send_replace(true);
                    }
                    // A full channel has an earlier change to report; a closed one has no reader any more.
                    if matches!(changed.try_send(()), Err(mpsc::error::TrySendError::Closed(()))) {
                        return;
                    }
                }
                Err(error) if !is_lost => {
                    is_lost = true;
                    warn!(
                        kind,
                        error = &error as &dyn std::error::Error,
                        "the watch broke off; the last traffic plan stays in use"
                    );
                }
                Err(_) => {}
            }
        }
    });
    Reflected { store, whole }
}
