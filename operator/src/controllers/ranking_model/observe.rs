//! Reads from the caches what a decision on a RankingModel needs. Writes and decides nothing.

use std::sync::Arc;

use marquee_crds::{PageLayout, RankingModel, pod_config::ResourceRef};
use marquee_operator_kit::{Key, Resource as _, ResourceId};

use super::decide::Surroundings;
use crate::{
    context::{self, Context},
    controllers::{OBJECTIVE, SURFACE},
    observed::Observed,
};

/// What a decision on the model needs.
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
    let key = Key::of(model);
    let first = ctx.first_claimant::<RankingModel>(&key.namespace, OBJECTIVE, &model.spec.objective);
    let page = ctx.first_claimant(&key.namespace, SURFACE, &model.spec.surface);
    let uid = model.metadata.uid.as_deref().unwrap_or_default();
    Seen {
        older: first.map(|first| ResourceRef::of(&first.metadata)).filter(|first| first.name != *key.name),
        page,
        observed: context::observed(ctx, &ResourceId::new(RankingModel::KIND, key), uid),
    }
}
