//! RankingModel: revisions of one model.

pub mod decide;
mod observe;
mod status;

use std::{sync::Arc, time::Duration};

use marquee_crds::RankingModel;

use crate::{
    apply::{self, Owner},
    context::Context,
    error::Stopped,
    report, watch,
};

/// observe -> decide -> apply -> report. `decide` is pure; the last two talk to the API server. Says when to look again.
///
/// # Errors
/// What could not be written, after the status has told of it.
pub async fn reconcile(model: Arc<RankingModel>, ctx: &Context) -> Result<Option<Duration>, Stopped> {
    let seen = observe::model(ctx, &model);

    let plan = decide::plan(&model, seen.around(), &seen.observed, &ctx.settings, ctx.now());

    let applied = apply::children(ctx, Owner::of(&*model), &plan.children).await;

    match report::status(ctx, &*model, &plan, &applied).await {
        Ok(reported) => reported.into_iter().for_each(|model| watch::take_model(ctx, model)),
        Err(error) => return Err(applied.untold(error)),
    }

    applied.end(plan.look_again)
}
