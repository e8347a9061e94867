//! How each resource is doing, and whether the process is ready.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use marquee_crds::{
    pod_config::{PageConfig, PodConfig, RankerConfig},
    termination::Termination,
};

use super::{clock::rfc3339, load::LoadError};
use crate::service::{ResourceStatus, State, Status, causes::Causes, page::ServedPage, ranker::ServedModel};

/// What makes a process ready for the first time. It then stays ready: a later fault leaves the old serving.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ReadyWhen {
    /// Every model and every page serves.
    #[default]
    All,
    /// One of them does; the others are degraded or missing, and `/status` says why.
    Any,
}

/// How each resource is doing.
#[derive(Default)]
pub struct States {
    models: BTreeMap<String, ResourceStatus>,
    pages: BTreeMap<String, ResourceStatus>,
}

impl States {
    /// Everything is loading: what `/status` says before the first plan.
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

    /// Forgets resources that `config` no longer has.
    pub fn keep_only(&mut self, config: &PodConfig) {
        self.models.retain(|objective, _| config.rankers.iter().any(|ranker| ranker.objective == *objective));
        self.pages.retain(|surface, _| config.pages.iter().any(|page| page.surface == *surface));
    }

    /// A model is `served`, or was not replaced for this `error`.
    pub fn model(
        &mut self,
        config: &RankerConfig,
        served: Option<&ServedModel>,
        error: Option<&Arc<LoadError>>,
        now: SystemTime,
    ) {
        let mut status = fresh(config.into(), now);
        status.state = state(served.is_some(), error.is_some());
        blame(&mut status, error);
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

    /// A page is `served`, or was not replaced for this `error`.
    pub fn page(
        &mut self,
        config: &PageConfig,
        served: Option<&ServedPage>,
        error: Option<&Arc<LoadError>>,
        now: SystemTime,
    ) {
        let mut status = fresh(config.into(), now);
        status.state = state(served.is_some(), error.is_some());
        blame(&mut status, error);
        if let Some(served) = served {
            status.uri.clone_from(&served.config.catalogue.uri);
            status.artifact_digest = Some(served.catalogue.artifact_digest.to_string());
            status.n_titles = Some(served.catalogue.cards.len());
            status.mapped_bytes = Some(served.catalogue.bytes);
            status.warnings = served.warnings();
        }
        settle(&mut self.pages, &config.surface, status);
    }

    /// Whether any resource waits for an artifact that could not be loaded.
    pub fn any_failed(&self) -> bool {
        let mut all = self.models.values().chain(self.pages.values());
        all.any(|status| matches!(status.state, State::Failed | State::ServingPrevious))
    }

    /// Why the first resource that is not served is not.
    pub fn first_failure(&self) -> Option<Termination> {
        let kinds = [("RankingModel", &self.models), ("PageLayout", &self.pages)];
        let mut all =
            kinds.iter().flat_map(|(kind, states)| states.values().map(move |status| (*kind, status)));
        all.find_map(|(kind, status)| {
            let (reason, error) = (status.reason?, status.error.as_ref()?);
            Some(Termination { reason, message: format!("{kind} {}: {error}", status.resource) })
        })
    }

    /// As `/status` answers it. `was_ready` keeps a process ready that was ready before.
    pub fn status(&self, ready_when: ReadyWhen, was_ready: bool) -> Status {
        let kinds = [("RankingModel", &self.models), ("PageLayout", &self.pages)];
        let all = kinds.iter().flat_map(|(kind, states)| states.values().map(move |status| (*kind, status)));
        let (mut serving, mut reasons) = (0, Vec::new());
        for (kind, status) in all {
            match status.state {
                State::Serving | State::ServingPrevious => serving += 1,
                State::Loading => reasons.push(format!("{kind} {} is loading", status.resource)),
                State::Failed => {
                    let error = status.error.as_deref().unwrap_or("no reason is known");
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

fn blame(status: &mut ResourceStatus, error: Option<&Arc<LoadError>>) {
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

/// What a status says of a resource, whatever its state.
#[derive(Clone, Copy)]
struct Identity<'a> {
    resource: &'a str,
    /// Objective of a model, surface of a page.
    name: &'a str,
    /// Of the artifact.
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
        warnings: Vec::new(),
        reason: None,
        error: None,
    }
}

/// Puts `status` in its place. `since` moves only when state or artifact digest do.
fn settle(states: &mut BTreeMap<String, ResourceStatus>, name: &str, mut status: ResourceStatus) {
    if let Some(before) = states.get(name)
        && (before.state, &before.artifact_digest) == (status.state, &status.artifact_digest)
    {
        status.since.clone_from(&before.since);
    }
    states.insert(name.to_owned(), status);
}
