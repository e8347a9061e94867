//! What bears on a PageLayout: read from caches, nothing written, nothing decided.

use std::sync::Arc;

use marquee_crds::{PageLayout, RankingModel, pod_config::ResourceRef};

use crate::{
    context::Context,
    observed::Observed,
    world::{Kind, primaries, primaries::Claim},
};

use super::decide::Surroundings;

/// What there is.
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
    let key = primaries::key(layout);
    let oldest = ctx.world.layouts.lock().oldest(&key.namespace, Claim::Surface, &layout.spec.surface);
    let models = ctx.world.models.lock().claimants(&key.namespace, Claim::Surface, &layout.spec.surface);
    let uid = layout.metadata.uid.as_deref().unwrap_or_default();
    Seen {
        older: oldest
            .map(|oldest| ResourceRef::of(&oldest.metadata))
            .filter(|oldest| oldest.name != *key.name),
        models,
        observed: ctx.world.observed(Kind::PageLayout, &key, uid),
    }
}
