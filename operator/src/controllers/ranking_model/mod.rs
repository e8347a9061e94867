//! RankingModel: revisions of one model.

pub mod decide;
mod observe;
pub mod status;

use std::{sync::Arc, time::Duration};

use marquee_crds::RankingModel;

use crate::{
    apply::{self, Owner},
    context::Context,
    error::Stopped,
    report, watch,
};

/// observe -> decide -> apply -> status -> report. `decide` and `status` are pure. Returns when to look again.
///
/// # Errors
/// What could not be written, after the status has told of it.
pub async fn reconcile(model: Arc<RankingModel>, ctx: &Context) -> Result<Option<Duration>, Stopped> {
    let observed = observe::model(ctx, &model);

    let plan = decide::plan(&model, &observed, &ctx.settings, ctx.now());

    let applied = apply::children(ctx, Owner::of(&*model), &plan.children).await;

    let status = status::status(&model, &observed, &plan, &applied.children);

    match report::status(ctx, &*model, status, &applied).await {
        Ok(reported) => reported.into_iter().for_each(|model| watch::take_model(ctx, model)),
        Err(error) => return Err(applied.untold(error)),
    }

    applied.end(plan.look_again)
}
