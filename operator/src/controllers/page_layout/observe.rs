//! What exists of a PageLayout and beside it: read from caches, nothing written, nothing decided.

use marquee_crds::{PageLayout, pod_config::ResourceRef};

use crate::{
    context::Context,
    observed::Observed,
    world::{Kind, primaries, primaries::Claim},
};

pub(super) fn layout(ctx: &Context, layout: &PageLayout) -> Observed {
    let key = primaries::key(layout);
    let oldest = ctx.world.layouts.lock().oldest(&key.namespace, Claim::Surface, &layout.spec.surface);
    let models = ctx.world.models.lock().claimants(&key.namespace, Claim::Surface, &layout.spec.surface);
    let older = oldest.map(|oldest| ResourceRef::of(&oldest.metadata));
    let uid = layout.metadata.uid.as_deref().unwrap_or_default();
    Observed {
        older: older.filter(|oldest| oldest.name != *key.name),
        models,
        ..ctx.world.observed(Kind::PageLayout, &key, uid)
    }
}
