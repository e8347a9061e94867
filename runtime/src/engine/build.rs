//! Builds the next plan from the configuration and the current plan. New artifacts are loaded while the old ones still serve.
//! A resource whose artifact fails keeps its previous artifact.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::SystemTime,
};

use futures::{StreamExt, stream};
use marquee_artifacts::Digest;
use marquee_crds::{
    causes::Causes,
    pod_config::{PageConfig, PodConfig, RankerConfig},
    shared::ArtifactRef,
};
use tracing::{error, info};

use super::{
    load::{Held, LoadError, Loader},
    states::States,
};
use crate::rankers::RemoteRankers;
use crate::service::{
    Observer,
    catalogue::Catalogue,
    page::{ServedPage, Share},
    plan::{Awaited, Plan},
    ranker::PassPool,
    ranker::ServedModel,
};

/// Artifacts that are loaded at once: enough to hide network latency, few enough to leave memory and CPU for requests.
const LOADED_AT_ONCE: usize = 4;

/// The models and pages that are served, and the artifacts behind them.
#[derive(Default)]
pub struct Serving {
    /// By objective.
    pub models: BTreeMap<String, Arc<ServedModel>>,
    /// By surface.
    pub pages: BTreeMap<String, Arc<ServedPage>>,
    /// Artifacts in use, by the digest of their manifest.
    held: HashMap<Digest, Held>,
}

/// Inputs of the next plan.
#[derive(Clone, Copy)]
pub struct BuildInputs<'a> {
    /// Configuration to serve.
    pub config: &'a PodConfig,
    /// Fetches and checks artifacts.
    pub loader: &'a Loader,
    /// Shared by the forward passes of all models.
    pub pool: &'a PassPool,
    /// Rankers in other processes.
    pub remote_rankers: &'a RemoteRankers,
}

type Loads = HashMap<ArtifactRef, Result<Held, Arc<LoadError>>>;

impl Serving {
    /// Builds what to serve next, and writes the state of each resource to `states`. Never fails: a resource whose artifact
    /// cannot be loaded stays as it was, or is left out if it was not served before.
    pub async fn next(&self, inputs: &BuildInputs<'_>, states: &mut States) -> Self {
        let BuildInputs { config, loader, pool, remote_rankers } = *inputs;
        let loads = self.load_all(config, loader, &*pool.observer).await;
        let now = SystemTime::now();
        states.keep_only(config);
        let mut next = Self::default();
        for ranker in &config.rankers {
            let (served, error) = self.ranker(ranker, &loads, pool);
            states.model(ranker, served.as_deref(), error.as_ref(), now);
            report(&ranker.resource, served.is_some(), error.as_ref());
            next.models.extend(served.map(|served| (ranker.objective.clone(), served)));
        }
        for page in &config.pages {
            let (served, error) = self.page(page, &loads, &next.models, remote_rankers);
            states.page(page, served.as_deref(), error.as_ref(), now);
            report(&page.resource, served.is_some(), error.as_ref());
            next.pages.extend(served.map(|served| (page.surface.clone(), served)));
        }
        next.held = self.in_use(&next, &loads);
        next
    }

    /// The plan for requests. Resources of `config` that are not served yet are listed as awaited.
    pub fn plan(&self, config: &PodConfig) -> Plan {
        let objectives = config.rankers.iter().map(|ranker| &ranker.objective);
        let surfaces = config.pages.iter().map(|page| &page.surface);
        let awaited = Awaited {
            objectives: objectives.filter(|name| !self.models.contains_key(*name)).cloned().collect(),
            surfaces: surfaces.filter(|name| !self.pages.contains_key(*name)).cloned().collect(),
        };
        Plan::new(self.models.values().cloned().collect(), self.pages.values().cloned().collect(), awaited)
    }

    /// Whether `other` serves the same models and pages.
    pub fn is_same_as(&self, other: &Self) -> bool {
        same(&self.models, &other.models) && same(&self.pages, &other.pages)
    }

    async fn load_all(&self, config: &PodConfig, loader: &Loader, observer: &dyn Observer) -> Loads {
        let models = config.rankers.iter().map(|ranker| &ranker.artifact);
        let mut wanted: Vec<&ArtifactRef> =
            models.chain(config.pages.iter().map(|page| &page.catalogue)).collect();
        let secret =
            |artifact: &ArtifactRef| artifact.credentials.as_ref().map(|named| named.secret_name.clone());
        wanted.sort_by_cached_key(|artifact| (&artifact.uri, &artifact.sha256, secret(artifact)));
        wanted.dedup();
        let load = |artifact: &ArtifactRef| {
            let artifact = artifact.clone();
            async move {
                let loaded = loader.load(&artifact, |digest| self.held.get(&digest).cloned()).await;
                observer.artifact_load(match &loaded {
                    Ok((_, true)) => "reused",
                    Ok((_, false)) => "loaded",
                    Err(_) => "failed",
                });
                if let Ok((held, false)) = &loaded {
                    info!(uri = artifact.uri, digest = %held.loaded.digest(), "artifact loaded and checked");
                }
                (artifact, loaded.map(|(held, _)| held).map_err(Arc::new))
            }
        };
        stream::iter(wanted).map(load).buffer_unordered(LOADED_AT_ONCE).collect().await
    }

    fn ranker(
        &self,
        config: &RankerConfig,
        loads: &Loads,
        pool: &PassPool,
    ) -> (Option<Arc<ServedModel>>, Option<Arc<LoadError>>) {
        let before = self.models.get(&config.objective);
        match find(loads, &config.artifact)
            .and_then(|held| held.loaded.model(&config.artifact.uri).map_err(Arc::new))
        {
            Err(error) => (before.cloned(), Some(error)),
            Ok(loaded) => {
                let unchanged = |before: &&Arc<ServedModel>| {
                    before.config == *config && Arc::ptr_eq(&before.loaded, loaded)
                };
                let served = before.filter(unchanged).cloned();
                let served = served
                    .unwrap_or_else(|| Arc::new(ServedModel::new(config.clone(), loaded.clone(), pool)));
                (Some(served), None)
            }
        }
    }

    fn page(
        &self,
        config: &PageConfig,
        loads: &Loads,
        models: &BTreeMap<String, Arc<ServedModel>>,
        remote_rankers: &RemoteRankers,
    ) -> (Option<Arc<ServedPage>>, Option<Arc<LoadError>>) {
        let before = self.pages.get(&config.surface);
        let uri = &config.catalogue.uri;
        let found =
            find(loads, &config.catalogue).and_then(|held| held.loaded.catalogue(uri).map_err(Arc::new));
        // A model in this process comes first, because it answers without a network call.
        let model = |objective: &str| match models.get(objective) {
            Some(model) => vec![Share::whole(model.clone())],
            None => remote_rankers.models.get(objective).cloned().unwrap_or_default(),
        };
        let lay_out = |config: &PageConfig, catalogue: &Arc<Catalogue>| {
            let unchanged = |before: &&Arc<ServedPage>| before.is_laid_out_for(config, catalogue, model);
            before.filter(unchanged).cloned().unwrap_or_else(|| {
                Arc::new(ServedPage::new(
                    config.clone(),
                    catalogue.clone(),
                    model,
                    before.map(|before| &**before),
                ))
            })
        };
        match found {
            Ok(catalogue) => (Some(lay_out(config, catalogue)), None),
            // The previous layout with the current models.
            Err(error) => (before.map(|before| lay_out(&before.config, &before.catalogue)), Some(error)),
        }
    }

    fn in_use(&self, next: &Self, loads: &Loads) -> HashMap<Digest, Held> {
        let models = next.models.values().map(|model| model.loaded.digest());
        let digests = models.chain(next.pages.values().map(|page| page.catalogue.digest));
        let fresh: HashMap<Digest, &Held> =
            loads.values().flatten().map(|held| (held.loaded.digest(), held)).collect();
        let held = digests.filter_map(|digest| {
            let held = fresh.get(&digest).copied().or_else(|| self.held.get(&digest))?;
            Some((digest, held.clone()))
        });
        held.collect()
    }
}

fn find<'a>(loads: &'a Loads, artifact: &ArtifactRef) -> Result<&'a Held, Arc<LoadError>> {
    match loads.get(artifact) {
        Some(Ok(held)) => Ok(held),
        Some(Err(error)) => Err(error.clone()),
        None => Err(Arc::new(LoadError::Stopped { uri: artifact.uri.clone() })),
    }
}

fn same<T>(one: &BTreeMap<String, Arc<T>>, other: &BTreeMap<String, Arc<T>>) -> bool {
    let pairs = one.iter().zip(other);
    one.len() == other.len() && pairs.into_iter().all(|(a, b)| a.0 == b.0 && Arc::ptr_eq(a.1, b.1))
}

fn report(resource: &str, previous_serves: bool, failure: Option<&Arc<LoadError>>) {
    if let Some(failure) = failure {
        let reason = failure.reason().as_str();
        error!(resource, previous_serves, reason, error = %Causes(&**failure), "cannot load an artifact");
    }
}
