//! PageLayout: revisions of one surface's page.

pub mod decide;
mod observe;
pub mod status;

use std::{sync::Arc, time::Duration};

use marquee_crds::{PageLayout, RankingModel, page_layout::Topology};
use marquee_operator_kit::{
    Change, Claim, Key, Resource, ResourceId, ResourceKind, Stopped,
    apply::{self, Owner},
    resource,
};

use super::{SURFACE, start_permits};
use crate::{
    context::{Context, Marquee},
    report,
};

impl Resource<Marquee> for PageLayout {
    const KIND: ResourceKind = ResourceKind::new("PageLayout");

    fn claims(&self) -> Vec<(Claim, &str)> {
        vec![(SURFACE, &self.spec.surface)]
    }

    /// The layout, the layouts that claim its surface, and the models of the surface if the layout's pods run them or ran them before.
    fn concerned(ctx: &Context, change: &Change<Self>) -> Vec<ResourceId> {
        let mut concerned = Vec::new();
        if change.is_edit() {
            concerned.push(resource::id(change));
            concerned.extend(ctx.fellow_claimants::<PageLayout, _>(change, SURFACE));
        }
        let runs_models = |layout: &Arc<PageLayout>| layout.spec.topology == Topology::Monolith;
        if change.before.iter().chain(&change.after).any(runs_models) {
            concerned.extend(ctx.fellow_claimants::<RankingModel, _>(change, SURFACE));
        }
        concerned.extend(start_permits::next(ctx, change));
        concerned
    }

    /// observe -> decide -> apply -> status -> report. `decide` and `status` are pure; `apply` and `report` write to the API server.
    async fn reconcile(self: Arc<Self>, ctx: &Context) -> Result<Option<Duration>, Stopped> {
        // Whatever brought it here may change what its pods serve.
        ctx.operator.pods.lock().ask_soon(&ResourceId::new(Self::KIND, Key::of(&*self)));

        let observed = observe::layout(ctx, &self);

        let plan = decide::plan(&self, &observed, &ctx.operator.settings, ctx.now());

        // Without a permit, the decision is made again: the revision waits.
        let (_permit, crowded) = start_permits::request(ctx, &*self, plan.needs_permit, &observed);
        let observed = crowded.as_ref().unwrap_or(&observed);
        let plan = match &crowded {
            None => plan,
            Some(observed) => decide::plan(&self, observed, &ctx.operator.settings, ctx.now()),
        };

        let applied = apply::children(ctx, Owner::of(&*self), &plan.children).await;

        let status = status::status(&self, observed, &plan, &applied.children);

        match report::status(ctx, &*self, status, &applied).await {
            Ok(written) => applied.end(written.look_again(plan.look_again)),
            Err(error) => Err(applied.without_status(error)),
        }
    }
}
