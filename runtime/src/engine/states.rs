//! The state of each resource, and whether the process is ready.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use marquee_crds::{
    causes::Causes,
    pod_config::{PageConfig, PodConfig, RankerConfig},
    termination::Termination,
};

use super::{clock::rfc3339, load::LoadError};
use crate::service::{ResourceStatus, State, Status, page::ServedPage, ranker::ServedModel};

/// When a process becomes ready for the first time. It stays ready after that, because a later failure leaves the previous
/// models and pages serving.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ReadyWhen {
    /// Every model and every page serves.
    #[default]
    All,
    /// At least one serves. The others are degraded or missing, and `/status` says why.
    Any,
}

/// The state of each resource.
#[derive(Default)]
pub struct States {
    models: BTreeMap<String, ResourceStatus>,
    pages: BTreeMap<String, ResourceStatus>,
}

impl States {
    /// All resources are loading: the state before the first plan.
    pub fn loading(config: &PodConfig, now: SystemTime) -> Self {
        let mut states = Self::default();
        for ranker in &config.rankers {
            let status = fresh(ranker.into(), now);
            states.models.insert(ranker.objective.clone(), status);
        }
        for page in &config.pages {
            let status = fresh(page.into(), now);
            states.pages.insert(page.surface.clone(), status);
        }
        states
    }

    /// Removes resources that `config` no longer has.
    pub fn keep_only(&mut self, config: &PodConfig) {
        self.models.retain(|objective, _| config.rankers.iter().any(|ranker| ranker.objective == *objective));
        self.pages.retain(|surface, _| config.pages.iter().any(|page| page.surface == *surface));
    }

    /// Records the model that is `served` now, and the `error` of its last load.
    pub fn model(
        &mut self,
        config: &RankerConfig,
        served: Option<&ServedModel>,
        error: Option<&Arc<LoadError>>,
        now: SystemTime,
    ) {
        let mut status = fresh(config.into(), now);
        status.state = state(served.is_some(), error.is_some());
        set_error(&mut status, error);
        if let Some(served) = served {
            let loaded = &served.loaded;
            status.uri.clone_from(&served.config.artifact.uri);
            status.artifact_digest = Some(served.info.artifact_digest.to_string());
            status.architecture = Some(loaded.artifact.manifest.architecture.to_string());
            status.n_titles = Some(loaded.titles.len());
            status.mapped_bytes = Some(loaded.artifact.bytes);
            status.heap_bytes = Some(loaded.heap_bytes());
        }
        settle(&mut self.models, &config.objective, status);
    }

    /// Records the page that is `served` now, and the `error` of its last load.
    pub fn page(
        &mut self,
        config: &PageConfig,
        served: Option<&ServedPage>,
        error: Option<&Arc<LoadError>>,
        now: SystemTime,
    ) {
        let mut status = fresh(config.into(), now);
        status.state = state(served.is_some(), error.is_some());
        set_error(&mut status, error);
        if let Some(served) = served {
            status.uri.clone_from(&served.config.catalogue.uri);
            status.artifact_digest = Some(served.catalogue.artifact_digest.to_string());
            status.n_titles = Some(served.catalogue.cards.len());
            status.mapped_bytes = Some(served.catalogue.bytes);
            status.warnings = served.warnings();
        }
        settle(&mut self.pages, &config.surface, status);
    }

    /// Whether the artifact of any resource could not be loaded.
    pub fn any_failed(&self) -> bool {
        let mut all = self.models.values().chain(self.pages.values());
        all.any(|status| matches!(status.state, State::Failed | State::ServingPrevious))
    }

    /// The reason why the first failed resource is not served.
    pub fn first_failure(&self) -> Option<Termination> {
        let kinds = [("RankingModel", &self.models), ("PageLayout", &self.pages)];
        let mut all =
            kinds.iter().flat_map(|(kind, states)| states.values().map(move |status| (*kind, status)));
        all.find_map(|(kind, status)| {
            let (reason, error) = (status.reason?, status.error.as_ref()?);
            Some(Termination { reason, message: format!("{kind} {}: {error}", status.resource) })
        })
    }

    /// The answer of `/status`. A process that `was_ready` stays ready.
    pub fn status(&self, ready_when: ReadyWhen, was_ready: bool) -> Status {
        let kinds = [("RankingModel", &self.models), ("PageLayout", &self.pages)];
        let all = kinds.iter().flat_map(|(kind, states)| states.values().map(move |status| (*kind, status)));
        let (mut serving, mut reasons) = (0, Vec::new());
        for (kind, status) in all {
            match status.state {
                State::Serving | State::ServingPrevious => serving += 1,
                State::Loading => reasons.push(format!("{kind} {} is loading", status.resource)),
                State::Failed => {
                    let error = status.error.as_deref().unwrap_or("the reason is unknown");
                    reasons.push(format!("{kind} {} is not served: {error}", status.resource));
                }
            }
        }
        let enough = match ready_when {
            ReadyWhen::All => reasons.is_empty() && serving > 0,
            ReadyWhen::Any => serving > 0,
        };
        let ready = was_ready || enough;
        Status {
            ready,
            reasons: if ready { Vec::new() } else { reasons },
            models: self.models.values().cloned().collect(),
            pages: self.pages.values().cloned().collect(),
            ..Status::default()
        }
    }
}

fn set_error(status: &mut ResourceStatus, error: Option<&Arc<LoadError>>) {
    status.reason = error.map(|error| error.reason());
    status.error = error.map(|error| Causes(&**error).to_string());
}

fn state(served: bool, failed: bool) -> State {
    match (served, failed) {
        (true, false) => State::Serving,
        (true, true) => State::ServingPrevious,
        (false, true) => State::Failed,
        (false, false) => State::Loading,
    }
}

/// The part of a resource's status that does not depend on its state.
#[derive(Clone, Copy)]
struct Identity<'a> {
    resource: &'a str,
    /// Objective of a model, surface of a page.
    name: &'a str,
    /// Uri of the artifact.
    uri: &'a str,
}

impl<'a> From<&'a RankerConfig> for Identity<'a> {
    fn from(config: &'a RankerConfig) -> Self {
        Self { resource: &config.resource, name: &config.objective, uri: &config.artifact.uri }
    }
}

impl<'a> From<&'a PageConfig> for Identity<'a> {
    fn from(config: &'a PageConfig) -> Self {
        Self { resource: &config.resource, name: &config.surface, uri: &config.catalogue.uri }
    }
}

fn fresh(identity: Identity<'_>, now: SystemTime) -> ResourceStatus {
    let Identity { resource, name, uri } = identity;
    ResourceStatus {
        resource: resource.to_owned(),
        name: name.to_owned(),
        state: State::Loading,
        since: rfc3339(now),
        uri: uri.to_owned(),
        artifact_digest: None,
        architecture: None,
        n_titles: None,
        mapped_bytes: None,
        heap_bytes: None,
        loading: None,
        objectives: Vec::new(),
        warnings: Vec::new(),
        reason: None,
        error: None,
    }
}

/// Stores `status`. `since` changes only if the state or the artifact digest changed.
fn settle(states: &mut BTreeMap<String, ResourceStatus>, name: &str, mut status: ResourceStatus) {
    if let Some(before) = states.get(name)
        && (before.state, &before.artifact_digest) == (status.state, &status.artifact_digest)
    {
        status.since.clone_from(&before.since);
    }
    states.insert(name.to_owned(), status);
}
