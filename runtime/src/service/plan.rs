//! What is served at one moment. Immutable: a reload makes another one, and a request keeps the one it began with.

use std::{collections::HashMap, sync::Arc};

use super::{page::ServedPage, ranker::ServedModel, types::ServeError, validate};

/// What is served at one moment.
#[derive(Default)]
pub struct Plan {
    /// By objective.
    models: HashMap<Arc<str>, Arc<ServedModel>>,
    /// By surface.
    pages: HashMap<Arc<str>, Arc<ServedPage>>,
    awaited: Awaited,
}

/// What manifests speak of, but whose artifacts are not loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Awaited {
    /// Of models.
    pub objectives: Vec<String>,
    /// Of pages.
    pub surfaces: Vec<String>,
}

impl Plan {
    /// Serves these models and pages. `awaited` should be served besides, but is not.
    pub fn new(models: Vec<Arc<ServedModel>>, pages: Vec<Arc<ServedPage>>, awaited: Awaited) -> Self {
        Self {
            models: models.into_iter().map(|model| (model.info.objective.clone(), model)).collect(),
            pages: pages.into_iter().map(|page| (page.surface.clone(), page)).collect(),
            awaited,
        }
    }

    /// The model of an objective.
    pub fn model(&self, objective: &str) -> Result<&Arc<ServedModel>, ServeError> {
        self.models.get(objective).ok_or_else(|| {
            let known = self.models.keys().map(|known| &**known);
            validate::unknown_name(
                "no model answers to the objective",
                objective,
                known,
                &self.awaited.objectives,
            )
        })
    }

    /// The page of a surface.
    pub fn page(&self, surface: &str) -> Result<&Arc<ServedPage>, ServeError> {
        self.pages.get(surface).ok_or_else(|| {
            let known = self.pages.keys().map(|known| &**known);
            validate::unknown_name("no page for the surface", surface, known, &self.awaited.surfaces)
        })
    }

    /// The models, by objective.
    pub fn models(&self) -> Vec<&Arc<ServedModel>> {
        let mut models: Vec<_> = self.models.values().collect();
        models.sort_unstable_by(|a, b| a.info.objective.cmp(&b.info.objective));
        models
    }

    /// The pages, by surface.
    pub fn pages(&self) -> Vec<&Arc<ServedPage>> {
        let mut pages: Vec<_> = self.pages.values().collect();
        pages.sort_unstable_by(|a, b| a.surface.cmp(&b.surface));
        pages
    }
}
