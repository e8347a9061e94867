//! Reads the traffic plan, which has the addresses of the pages' models. It comes from the API server (`cluster` watches it,
//! `objects` converts its objects) or from a file. If the source fails, the last plan stays in use.

pub mod cluster;
pub mod file;
mod objects;

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use marquee_crds::pod_config::PodConfig;
use tokio::{runtime::Handle, sync::watch};

use crate::rankers::TrafficPlan;

/// The source of traffic plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanSource {
    /// The API server.
    Cluster {
        /// Namespace of the models.
        namespace: String,
        /// Surfaces of the pages.
        surfaces: BTreeSet<String>,
    },
    /// A file.
    File {
        /// Its path.
        path: PathBuf,
        /// Poll interval.
        poll: Duration,
    },
}

impl PlanSource {
    /// The source of the plan for `config`: `file` if it is given, else the source in the configuration. `None` if all models
    /// are in this process.
    pub fn of(config: &PodConfig, file: Option<PathBuf>, poll: Duration) -> Option<Self> {
        let surfaces = || config.pages.iter().map(|page| page.surface.clone()).collect();
        let discovery = config.discovery.as_ref();
        let cluster = || {
            discovery.map(|found| Self::Cluster { namespace: found.namespace.clone(), surfaces: surfaces() })
        };
        file.map(|path| Self::File { path, poll }).or_else(cluster)
    }

    /// Follows the source on `runtime` until the receiver is dropped.
    pub fn follow(self, runtime: &Handle) -> watch::Receiver<Option<TrafficPlan>> {
        let (plans, receiver) = watch::channel(None);
        match self {
            Self::Cluster { namespace, surfaces } => {
                runtime.spawn(cluster::follow(namespace, surfaces, plans))
            }
            Self::File { path, poll } => runtime.spawn(file::follow(path, poll, plans)),
        };
        receiver
    }
}
