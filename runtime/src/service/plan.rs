//! The plan: the models and pages that are served. It is immutable: a reload makes a new plan, and a request keeps its plan.

use std::{collections::HashMap, sync::Arc};

use super::{page::ServedPage, ranker::ServedModel, types::ServeError, validate};

/// The models and pages that are served.
#[derive(Default)]
pub struct Plan {
    /// By objective.
    models: HashMap<Arc<str>, Arc<ServedModel>>,
    /// By surface.
    pages: HashMap<Arc<str>, Arc<ServedPage>>,
    awaited: Awaited,
}

/// Models and pages in the manifests whose artifacts are not loaded yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Awaited {
    /// Objectives of the models.
    pub objectives: Vec<String>,
    /// Surfaces of the pages.
    pub surfaces: Vec<String>,
}

impl Plan {
    /// A plan with these models and pages. `awaited` names those that are not loaded yet.
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

    /// The models, sorted by objective.
    pub fn models(&self) -> Vec<&Arc<ServedModel>> {
        let mut models: Vec<_> = self.models.values().collect();
        models.sort_unstable_by(|a, b| a.info.objective.cmp(&b.info.objective));
        models
    }

    /// The pages, sorted by surface.
    pub fn pages(&self) -> Vec<&Arc<ServedPage>> {
        let mut pages: Vec<_> = self.pages.values().collect();
        pages.sort_unstable_by(|a, b| a.surface.cmp(&b.surface));
        pages
    }
}
