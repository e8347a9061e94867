//! What bears on a RankingModel: read from caches, nothing written, nothing decided.

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
    page: Option<Arc<PageLayout>>,
    pub(super) observed: Observed,
}

impl Seen {
    pub(super) fn around(&self) -> Surroundings<'_> {
        Surroundings { older: self.older.as_ref(), page: self.page.as_deref() }
    }
}

pub(super) fn model(ctx: &Context, model: &RankingModel) -> Seen {
    let key = primaries::key(model);
    let oldest = ctx.world.models.lock().oldest(&key.namespace, Claim::Objective, &model.spec.objective);
    let page = ctx.world.layouts.lock().oldest(&key.namespace, Claim::Surface, &model.spec.surface);
    let uid = model.metadata.uid.as_deref().unwrap_or_default();
    Seen {
        older: oldest
            .map(|oldest| ResourceRef::of(&oldest.metadata))
            .filter(|oldest| oldest.name != *key.name),
        page,
        observed: ctx.world.observed(Kind::RankingModel, &key, uid),
    }
}
