//! Reads the input of a decision about a RankingModel from the caches. It writes and decides nothing.

use marquee_crds::{RankingModel, pod_config::ResourceRef};
use marquee_operator_kit::{Key, Resource as _, ResourceId};

use crate::{
    context::{self, Context},
    controllers::{OBJECTIVE, SURFACE},
    observed::Observed,
};

pub(super) fn model(ctx: &Context, model: &RankingModel) -> Observed {
    let key = Key::of(model);
    let first = ctx.first_claimant::<RankingModel>(&key.namespace, OBJECTIVE, &model.spec.objective);
    let page = ctx.first_claimant(&key.namespace, SURFACE, &model.spec.surface);
    let uid = model.metadata.uid.as_deref().unwrap_or_default();
    Observed {
        older: first.map(|first| ResourceRef::of(&first.metadata)).filter(|first| first.name != *key.name),
        page,
        ..context::observed(ctx, &ResourceId::new(RankingModel::KIND, key), uid)
    }
}
