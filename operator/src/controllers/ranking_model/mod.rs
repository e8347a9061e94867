//! RankingModel: revisions of one model.

pub mod decide;
mod host;
mod observe;
pub mod status;

use std::{sync::Arc, time::Duration};

use marquee_crds::{
    PageLayout, RankingModel,
    conditions::{ConditionType, is_true},
};
use marquee_operator_kit::{
    Change, Claim, Resource, ResourceId, ResourceKind, Stopped,
    apply::{self, Owner},
    resource,
};

use super::{OBJECTIVE, SURFACE, start_permits};
use crate::{
    context::{Context, Marquee},
    report,
    served::PreviousStatus,
};

impl Resource<Marquee> for RankingModel {
    const KIND: ResourceKind = ResourceKind::new("RankingModel");

    fn claims(&self) -> Vec<(Claim, &str)> {
        vec![(OBJECTIVE, &self.spec.objective), (SURFACE, &self.spec.surface)]
    }

    /// Itself, the models that claim its objective, and the layouts of its surface. Of a model's status, a layout reads only where the model
    /// answers, and whether it does.
    fn concerned(ctx: &Context, change: &Change<Self>) -> Vec<ResourceId> {
        let mut concerned = Vec::new();
        let is_edit = change.is_edit();
        if is_edit {
            concerned.push(resource::id(change));
            concerned.extend(ctx.fellow_claimants::<RankingModel, _>(change, OBJECTIVE));
        }
        if is_edit || change.before.as_deref().map(answers_at) != change.after.as_deref().map(answers_at) {
            concerned.extend(ctx.fellow_claimants::<PageLayout, _>(change, SURFACE));
        }
        concerned.extend(start_permits::next(ctx, change));
        concerned
    }

    /// observe -> decide -> apply -> status -> report. `decide` and `status` are pure; `apply` and `report` write to the API server.
    async fn reconcile(self: Arc<Self>, ctx: &Context) -> Result<Option<Duration>, Stopped> {
        let observed = observe::model(ctx, &self);

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

/// Where a model answers and with which share of requests, and whether it is ready.
fn answers_at(model: &RankingModel) -> (Vec<(&str, i32)>, bool) {
    let status = PreviousStatus::from(model);
    let targets = status.traffic.iter().map(|target| (target.endpoint.as_str(), target.weight));
    (targets.collect(), is_true(status.conditions, ConditionType::Ready))
}
