//! What exists of a RankingModel and beside it: read from caches, nothing written, nothing decided.

use marquee_crds::{RankingModel, pod_config::ResourceRef};

use crate::{
    context::Context,
    observed::Observed,
    world::{Kind, primaries, primaries::Claim},
};

pub(super) fn model(ctx: &Context, model: &RankingModel) -> Observed {
    let key = primaries::key(model);
    let oldest = ctx.world.models.lock().oldest(&key.namespace, Claim::Objective, &model.spec.objective);
    let page = ctx.world.layouts.lock().oldest(&key.namespace, Claim::Surface, &model.spec.surface);
    let older = oldest.map(|oldest| ResourceRef::of(&oldest.metadata));
    let uid = model.metadata.uid.as_deref().unwrap_or_default();
    Observed {
        older: older.filter(|oldest| oldest.name != *key.name),
        page,
        ..ctx.world.observed(Kind::RankingModel, &key, uid)
    }
}
