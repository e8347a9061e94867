//! PageLayout: revisions of one surface's page.

pub mod decide;
mod observe;
mod status;

use std::{sync::Arc, time::Duration};

use marquee_crds::PageLayout;

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
pub async fn reconcile(layout: Arc<PageLayout>, ctx: &Context) -> Result<Option<Duration>, Stopped> {
    let seen = observe::layout(ctx, &layout);

    let plan = decide::plan(&layout, seen.around(), &seen.observed, &ctx.settings, ctx.now());

    let applied = apply::children(ctx, Owner::of(&*layout), &plan.children).await;

    match report::status(ctx, &*layout, &plan, &applied).await {
        Ok(reported) => reported.into_iter().for_each(|layout| watch::take_layout(ctx, layout)),
        Err(error) => return Err(applied.untold(error)),
    }

    applied.end(plan.look_again)
}
