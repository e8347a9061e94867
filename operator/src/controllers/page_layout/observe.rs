//! Reads from the caches what a decision on a PageLayout needs. Writes and decides nothing.

use std::sync::Arc;

use marquee_crds::{PageLayout, RankingModel, pod_config::ResourceRef};
use marquee_operator_kit::{Key, Resource as _, ResourceId};

use super::decide::Surroundings;
use crate::{
    context::{self, Context},
    controllers::SURFACE,
    observed::Observed,
};

/// What a decision on the layout needs.
pub(super) struct Seen {
    older: Option<ResourceRef>,
    models: Vec<Arc<RankingModel>>,
    pub(super) observed: Observed,
}

impl Seen {
    pub(super) fn around(&self) -> Surroundings<'_> {
        Surroundings { older: self.older.as_ref(), models: &self.models }
    }
}

pub(super) fn layout(ctx: &Context, layout: &PageLayout) -> Seen {
    let key = Key::of(layout);
    let first = ctx.first_claimant::<PageLayout>(&key.namespace, SURFACE, &layout.spec.surface);
    let models = ctx.claimants(&key.namespace, SURFACE, &layout.spec.surface);
    let uid = layout.metadata.uid.as_deref().unwrap_or_default();
    Seen {
        older: first.map(|first| ResourceRef::of(&first.metadata)).filter(|first| first.name != *key.name),
        models,
        observed: context::observed(ctx, &ResourceId::new(PageLayout::KIND, key), uid),
    }
}
