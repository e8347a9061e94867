//! What an architecture says of itself. Each is described in its own file; [`crate::registry::ARCHITECTURES`] lists them.

use std::sync::Arc;

use marquee_artifacts::Architecture;
use marquee_artifacts::layout::{Layout, Sizes};

use crate::capability::Capability;
use crate::error::ModelError;
use crate::model::Model;
use crate::scan::ScanOptions;
use crate::weights::Weights;

/// An architecture.
#[derive(Debug)]
pub struct Descriptor {
    /// Its name, and the tensors that its artifacts hold.
    pub layout: Layout,
    /// What it is, in one line.
    pub about: &'static str,
    /// Makes a model of weights.
    pub load: Load,
    /// What every model of it offers beside scores of candidates.
    pub capabilities: &'static [Capability],
    /// Whether an answer depends on which titles the events name and not on their order or number.
    pub ignores_order: bool,
    /// What the scores of the whole catalogue cost for one viewer.
    pub cost: Cost,
}

/// Makes a model of weights.
pub type Load = fn(&Weights<'_>, ScanOptions) -> Result<Arc<dyn Model>, ModelError>;

/// What the scores of the whole catalogue cost for one viewer, who is not folded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// One read a title.
    Titles,
    /// One multiplication a title and factor.
    TitlesTimesFactors,
    /// One addition a title and title watched.
    TitlesTimesWatched,
}

impl Cost {
    /// Operations, for a viewer who watched as many titles as the average one.
    pub fn operations(self, sizes: &Sizes) -> u64 {
        let titles = sizes.titles as u64;
        match self {
            Self::Titles => titles,
            Self::TitlesTimesFactors => titles * sizes.factors as u64,
            Self::TitlesTimesWatched => titles * (sizes.watched / sizes.viewers.max(1)) as u64,
        }
    }
}

impl Descriptor {
    /// The name, as an artifact's manifest writes it.
    pub const fn name(&self) -> &'static str {
        self.layout.architecture
    }

    /// The name, as an artifact's manifest holds it.
    pub const fn architecture(&self) -> Architecture {
        Architecture::named(self.layout.architecture)
    }
}
