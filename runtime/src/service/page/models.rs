//! The models of a page: in this process or in others, one revision or several, each with its own title rows.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use marquee_artifacts::IdTable;
use marquee_crds::pod_config::{PageConfig, RowConfig, Source};
use marquee_pages::NOT_IN_CATALOGUE;

use super::split;
use crate::service::{catalogue::Catalogue, ranker::ServedModel, remote::RemoteModel, types::ModelInfo};

/// A model that a page asks.
#[derive(Clone)]
pub enum PageModel {
    /// In this process: asked by a call.
    InProcess(Arc<ServedModel>),
    /// In other processes: asked over the network.
    Remote(Arc<RemoteModel>),
}

impl PageModel {
    /// By which answers name it.
    pub fn info(&self) -> &ModelInfo {
        match self {
            Self::InProcess(model) => &model.info,
            Self::Remote(model) => &model.info,
        }
    }

    /// Its title table.
    pub fn titles(&self) -> &IdTable {
        match self {
            Self::InProcess(model) => &model.loaded.titles,
            Self::Remote(model) => &model.titles,
        }
    }

    /// Viewers that watched each title in training.
    pub fn plays(&self) -> &[f32] {
        match self {
            Self::InProcess(model) => model.loaded.plays(),
            Self::Remote(model) => &model.plays,
        }
    }

    /// Whether it is the very same.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::InProcess(one), Self::InProcess(other)) => Arc::ptr_eq(one, other),
            (Self::Remote(one), Self::Remote(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

/// A revision of a model, and its share of viewers.
#[derive(Clone)]
pub struct Share {
    /// What answers.
    pub model: PageModel,
    /// In percent.
    pub weight: u32,
}

impl Share {
    /// The only one.
    pub fn whole(model: PageModel) -> Self {
        Self { model, weight: 100 }
    }
}

/// Whether `one` and `other` split viewers over the very same models alike.
pub fn is_same_split<'a>(
    one: impl ExactSizeIterator<Item = (&'a PageModel, u32)>,
    other: impl ExactSizeIterator<Item = (&'a PageModel, u32)>,
) -> bool {
    one.len() == other.len() && one.zip(other).all(|(a, b)| a.1 == b.1 && a.0.is(b.0))
}

/// A model as this page uses it.
pub(super) struct PageRanker {
    pub(super) objective: Arc<str>,
    /// Its revisions; none while no artifact of it is loaded.
    pub(super) revisions: Vec<Mapped>,
    /// Whether a row asks for its ranking for the viewer.
    pub(super) is_ranked: bool,
    /// Counts viewers without an id, who have nothing to stick to.
    strangers: AtomicU32,
}

/// A revision of a model, against the page's catalogue.
pub(super) struct Mapped {
    pub(super) model: PageModel,
    pub(super) weight: u32,
    /// Model row to catalogue row; none when they are the same.
    pub(super) to_catalogue: Option<Vec<u32>>,
    /// Model rows that the catalogue has.
    pub(super) all: Arc<[u32]>,
    /// By candidate row: model rows that may stand in it. Empty for rows of other models.
    pub(super) slices: Vec<Arc<[u32]>>,
}

impl PageRanker {
    pub(super) fn new(objective: &str, shares: Vec<Share>, page: (&PageConfig, &Catalogue)) -> Self {
        let is_ranked = |row: &RowConfig| {
            row.source.objective() == Some(objective)
                && !matches!(row.source, Source::BecauseYouWatched { .. })
        };
        Self {
            objective: objective.into(),
            revisions: shares.into_iter().map(|share| Mapped::new(share, objective, page)).collect(),
            is_ranked: page.0.rows.iter().any(is_ranked),
            strangers: AtomicU32::new(0),
        }
    }

    /// The revision that a viewer gets. A viewer without an id gets any, as the weights are.
    pub(super) fn revision(&self, viewer: &str) -> Option<&Mapped> {
        if let [only] = self.revisions.as_slice() {
            return Some(only);
        }
        let place = match viewer {
            "" => {
                f64::from(self.strangers.fetch_add(1, Relaxed).wrapping_mul(GOLDEN)) / 2f64.powi(32) * 100.0
            }
            viewer => split::place(viewer, &self.objective),
        };
        let chosen = split::choose(self.revisions.iter().map(|revision| revision.weight), place)?;
        self.revisions.get(chosen)
    }
}

/// Multiples of it, modulo 2^32, fill the circle evenly from the first few on.
const GOLDEN: u32 = 0x9e37_79b9;

impl Mapped {
    fn new(share: Share, objective: &str, (config, catalogue): (&PageConfig, &Catalogue)) -> Self {
        let Share { model, weight } = share;
        let map: Vec<u32> =
            model.titles().iter().map(|id| catalogue.row(id).unwrap_or(NOT_IN_CATALOGUE)).collect();
        let all = (0..map.len() as u32).filter(|&row| map[row as usize] != NOT_IN_CATALOGUE).collect();
        let identical = map.iter().enumerate().all(|(row, &catalogue)| row as u32 == catalogue);
        let to_catalogue = (!identical).then_some(map);
        let mut mapped = Self { model, weight, to_catalogue, all, slices: Vec::new() };
        let slice = |row: &RowConfig| match &row.source {
            source if source.objective() != Some(objective) => Arc::default(),
            Source::Genre { name, .. } => mapped.genre(catalogue.genre(name)),
            _ => mapped.all.clone(),
        };
        mapped.slices = config.rows.iter().map(slice).collect();
        mapped
    }

    pub(super) fn is_remote(&self) -> bool {
        matches!(self.model, PageModel::Remote(_))
    }

    pub(super) fn catalogue_row(&self, title: u32) -> Option<u32> {
        match &self.to_catalogue {
            None => Some(title),
            Some(map) => map.get(title as usize).copied().filter(|&row| row != NOT_IN_CATALOGUE),
        }
    }

    /// The rows of the title table whose titles are in the genre of the catalogue.
    fn genre(&self, of_catalogue: Option<&Arc<[u32]>>) -> Arc<[u32]> {
        let Some(of_catalogue) = of_catalogue else { return Arc::default() };
        if self.to_catalogue.is_none() {
            return of_catalogue.clone();
        }
        let in_genre = |&title: &u32| {
            self.catalogue_row(title).is_some_and(|row| of_catalogue.binary_search(&row).is_ok())
        };
        self.all.iter().copied().filter(in_genre).collect()
    }
}
