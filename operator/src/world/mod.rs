//! What there is, as far as the watches have told: resources, children, pods. Kept small, and indexed by what is asked.

pub mod children;
pub mod facts;
pub mod live;
pub mod pods;
pub mod primaries;

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use marquee_crds::{PageLayout, RankingModel};
use parking_lot::Mutex;

use crate::observed::{Capabilities, Observed};

use self::{children::Children, pods::Pods, primaries::Primaries};

/// The kinds that the operator reconciles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A model.
    RankingModel,
    /// A page.
    PageLayout,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::RankingModel, Self::PageLayout];

    /// As `kind` says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RankingModel => "RankingModel",
            Self::PageLayout => "PageLayout",
        }
    }

    /// The name of its controller in metrics.
    pub fn controller(self) -> &'static str {
        match self {
            Self::RankingModel => "rankingmodel",
            Self::PageLayout => "pagelayout",
        }
    }

    /// Reads what `kind` says.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A resource of the operator's, by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl Key {
    /// The resource `name` of `namespace`.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Everything that the watches have told.
#[derive(Default)]
pub struct World {
    /// The RankingModels.
    pub models: Mutex<Primaries<RankingModel>>,
    /// The PageLayouts.
    pub layouts: Mutex<Primaries<PageLayout>>,
    /// What the operator made.
    pub children: Mutex<Children>,
    /// The pods of its Deployments.
    pub pods: Mutex<Pods>,
    /// What the cluster has beside Kubernetes itself.
    pub capabilities: ArcSwap<Capabilities>,
}

impl World {
    /// What there is of one resource's.
    pub fn observed(&self, kind: Kind, key: &Key, uid: &str) -> Observed {
        Observed {
            children: self.children.lock().of(uid),
            pods: self.pods.lock().of(kind, key),
            capabilities: (**self.capabilities.load()).clone(),
            ..Observed::default()
        }
    }
}
