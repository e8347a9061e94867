//! Reads the input of a decision about a PageLayout from the caches. It writes and decides nothing.

use marquee_crds::{PageLayout, pod_config::ResourceRef};
use marquee_operator_kit::{Key, Resource as _, ResourceId};

use crate::{
    context::{self, Context},
    controllers::SURFACE,
    observed::Observed,
};

pub(super) fn layout(ctx: &Context, layout: &PageLayout) -> Observed {
    let key = Key::of(layout);
    let first = ctx.first_claimant::<PageLayout>(&key.namespace, SURFACE, &layout.spec.surface);
    let models = ctx.claimants(&key.namespace, SURFACE, &layout.spec.surface);
    let uid = layout.metadata.uid.as_deref().unwrap_or_default();
    Observed {
        older: first.map(|first| ResourceRef::of(&first.metadata)).filter(|first| first.name != *key.name),
        models,
        ..context::observed(ctx, &ResourceId::new(PageLayout::KIND, key), uid)
    }
}
