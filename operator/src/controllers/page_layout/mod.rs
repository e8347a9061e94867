//! PageLayout: revisions of one surface's page.

pub mod decide;
mod observe;
pub mod status;

use std::{sync::Arc, time::Duration};

use marquee_crds::PageLayout;

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
pub async fn reconcile(layout: Arc<PageLayout>, ctx: &Context) -> Result<Option<Duration>, Stopped> {
    let observed = observe::layout(ctx, &layout);

    let plan = decide::plan(&layout, &observed, &ctx.settings, ctx.now());

    let applied = apply::children(ctx, Owner::of(&*layout), &plan.children).await;

    let status = status::status(&layout, &observed, &plan, &applied.children);

    match report::status(ctx, &*layout, status, &applied).await {
        Ok(reported) => reported.into_iter().for_each(|layout| watch::take_layout(ctx, layout)),
        Err(error) => return Err(applied.untold(error)),
    }

    applied.end(plan.look_again)
}
