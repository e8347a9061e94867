//! Start permits: at most `--max-starting` next revisions start at the same time. The first revision of a resource needs no permit.
//!
//! The statuses in the caches say which revisions are starting, so a new leader continues where the previous one ended. Only a permit that
//! was given in a reconcile that has not ended is in no status yet; the context remembers it for that long. A revision that misses its
//! deadline no longer counts.

use std::{collections::HashSet, sync::Arc};

use kube::api::ObjectMeta;

use marquee_crds::{PageLayout, RankingModel, pod_config::older};
use marquee_operator_kit::{Change, Key, Resource, ResourceId};

use crate::{
    context::{Context, Marquee},
    observed::Observed,
    served::{PreviousStatus, ServedStatus},
};

/// A permit of a reconcile that is in progress.
pub struct StartPermit<'a> {
    ctx: &'a Context,
    id: ResourceId,
}

impl Drop for StartPermit<'_> {
    fn drop(&mut self) {
        self.ctx.operator.permits.lock().remove(&self.id);
    }
}

/// Requests the permit that a decision needs. It returns the permit, which holds until it is dropped; or, where other revisions have taken
/// all permits, what was observed with their number, for a decision that lets the revision wait.
pub fn request<'a, R: Resource<Marquee>>(
    ctx: &'a Context,
    resource: &R,
    is_needed: bool,
    observed: &Observed,
) -> (Option<StartPermit<'a>>, Option<Observed>) {
    if !is_needed {
        return (None, None);
    }
    match take(ctx, ResourceId::new(R::KIND, Key::of(resource))) {
        Ok(permit) => (Some(permit), None),
        Err(others) => (None, Some(Observed { n_starting: others, ..observed.clone() })),
    }
}

/// Gives a permit to `id`.
///
/// # Errors
/// Other revisions have taken all permits; the error is their number.
fn take<'a>(ctx: &'a Context, id: ResourceId) -> Result<StartPermit<'a>, usize> {
    let mut permits = ctx.operator.permits.lock();
    let mut others: HashSet<ResourceId> = starting(ctx).into_iter().chain(permits.iter().cloned()).collect();
    others.remove(&id);
    if others.len() >= ctx.operator.settings.max_starting {
        return Err(others.len());
    }
    permits.insert(id.clone());
    Ok(StartPermit { ctx, id })
}

/// The resources that wait for a permit and can have one after this change: the oldest ones.
pub fn next<R: Resource<Marquee, Status: ServedStatus>>(
    ctx: &Context,
    change: &Change<R>,
) -> Vec<ResourceId> {
    let state = |resource: &Option<Arc<R>>| {
        let previous = resource.as_deref().map(PreviousStatus::from).unwrap_or_default();
        (previous.is_starting(), previous.waits_for_permit())
    };
    let (before, after) = (state(&change.before), state(&change.after));
    let leaves_room = (before.0 && !after.0) || (before.1 && !after.1);
    if !leaves_room {
        return Vec::new();
    }
    let free = ctx.operator.settings.max_starting.saturating_sub(starting(ctx).len());
    if free == 0 {
        return Vec::new();
    }
    let mut waiting = all(ctx, |previous| previous.waits_for_permit());
    waiting.sort_by(|(one, _), (other, _)| older(one, other));
    waiting.into_iter().take(free).map(|(_, id)| id).collect()
}

fn starting(ctx: &Context) -> Vec<ResourceId> {
    all(ctx, |previous| previous.is_starting()).into_iter().map(|(_, id)| id).collect()
}

/// Every resource whose status is so.
fn all(ctx: &Context, is: fn(&PreviousStatus<'_>) -> bool) -> Vec<(ObjectMeta, ResourceId)> {
    let mut found = of_kind::<RankingModel>(ctx, is);
    found.extend(of_kind::<PageLayout>(ctx, is));
    found
}

fn of_kind<R: Resource<Marquee, Status: ServedStatus>>(
    ctx: &Context,
    is: fn(&PreviousStatus<'_>) -> bool,
) -> Vec<(ObjectMeta, ResourceId)> {
    let Some(cache) = ctx.kinds.cache::<R>(R::KIND) else { return Vec::new() };
    let cache = cache.lock();
    let found = cache.iter().filter(|resource| is(&PreviousStatus::from(&***resource)));
    found.map(|found| (found.meta().clone(), ResourceId::new(R::KIND, Key::of(&**found)))).collect()
}
