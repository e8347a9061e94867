//! Converts resources to a [`PodConfig`].

use std::{cmp::Reverse, collections::BTreeMap};

use k8s_openapi::jiff::Timestamp;
use kube::core::ObjectMeta;
use serde::Serialize;

use super::{Discovery, PageConfig, PodConfig, Problem, RankerConfig, ResourceRef, RowConfig, Source};
use crate::{
    PageLayout, RankingModel,
    page_layout::{CandidateRow, RowSource},
    spelling,
};

/// Configuration of a process that serves these resources, and all problems with their [`Severity`](super::Severity).
///
/// The function is pure and total, and the order of the resources does not matter. If two resources claim the same
/// objective or surface, the older one gets it, then the first by namespace and name; the other is not served (`Refused`).
/// A row stays even if no model of its surface serves its objective, because the rest of the page is still useful: the
/// layout's fallback fills it (`Degraded`).
pub fn convert(models: &[RankingModel], layouts: &[PageLayout]) -> (PodConfig, Vec<Problem>) {
    let mut problems = Vec::new();
    let rankers = first_of_each(
        models.iter().map(|model| claim(&model.metadata, &model.spec, &model.spec.objective, model)),
        |objective, first, second| problems.push(Problem::DuplicateObjective { objective, first, second }),
    );
    let pages = first_of_each(
        layouts.iter().map(|layout| claim(&layout.metadata, &layout.spec, &layout.spec.surface, layout)),
        |surface, first, second| problems.push(Problem::DuplicateLayout { surface, first, second }),
    );
    let config = PodConfig {
        rankers: rankers.into_iter().map(|(resource, model)| ranker(&resource, model)).collect(),
        pages: pages.into_iter().map(|(resource, layout)| page(&resource, layout)).collect(),
        discovery: None,
    };
    problems.extend(dangling_rows(&config));
    (config, problems)
}

/// Configuration of a pod that serves only this model.
pub fn ranker_pod(model: &RankingModel) -> PodConfig {
    PodConfig { rankers: vec![ranker(&ResourceRef::of(&model.metadata), model)], ..PodConfig::default() }
}

/// Configuration of a page pod whose models run in pods of their own.
pub fn page_pod(layout: &PageLayout) -> PodConfig {
    let resource = ResourceRef::of(&layout.metadata);
    let discovery = Some(Discovery { namespace: resource.namespace.clone() });
    PodConfig { rankers: Vec::new(), pages: vec![page(&resource, layout)], discovery }
}

/// Configuration of a pod that serves this page and its models: the `models` of its surface, one for each objective.
pub fn monolith_pod(layout: &PageLayout, models: &[RankingModel]) -> PodConfig {
    let own: Vec<RankingModel> =
        models.iter().filter(|model| model.spec.surface == layout.spec.surface).cloned().collect();
    convert(&own, std::slice::from_ref(layout)).0
}

/// Order of two resources that claim the same objective or surface: the older first, then by namespace and name.
pub fn older(one: &ObjectMeta, other: &ObjectMeta) -> std::cmp::Ordering {
    let order = |meta: &ObjectMeta| {
        let created = meta.creation_timestamp.as_ref().map(|time| time.0);
        (Reverse(created.is_some()), created, ResourceRef::of(meta))
    };
    order(one).cmp(&order(other))
}

/// A resource that claims a key. Only the first claim of a key is served.
struct Claim<'a, T> {
    key: &'a str,
    order: Order,
    resource: ResourceRef,
    object: &'a T,
}

/// Oldest first, undated last; then by namespace and name; then by content, so that the order is total even for resources
/// that no API server would accept together.
type Order = (Reverse<bool>, Option<Timestamp>, ResourceRef, String);

fn claim<'a, T>(meta: &ObjectMeta, spec: &impl Serialize, key: &'a str, object: &'a T) -> Claim<'a, T> {
    let resource = ResourceRef::of(meta);
    let created = meta.creation_timestamp.as_ref().map(|time| time.0);
    let content = serde_json::to_string(spec).unwrap_or_default();
    Claim { key, order: (Reverse(created.is_some()), created, resource.clone(), content), resource, object }
}

/// The first claim of each key, sorted by key. Calls `refuse(key, first, second)` for each other claim.
fn first_of_each<'a, T>(
    claims: impl Iterator<Item = Claim<'a, T>>,
    mut refuse: impl FnMut(String, ResourceRef, ResourceRef),
) -> Vec<(ResourceRef, &'a T)> {
    let mut claims: Vec<Claim<'a, T>> = claims.collect();
    claims.sort_by(|a, b| (a.key, &a.order).cmp(&(b.key, &b.order)));
    let mut first: Vec<(&str, ResourceRef, &'a T)> = Vec::new();
    for claim in claims {
        match first.last() {
            Some((key, holder, _)) if *key == claim.key => {
                refuse(claim.key.to_owned(), holder.clone(), claim.resource)
            }
            _ => first.push((claim.key, claim.resource, claim.object)),
        }
    }
    first.into_iter().map(|(_, resource, object)| (resource, object)).collect()
}

fn ranker(resource: &ResourceRef, model: &RankingModel) -> RankerConfig {
    let spec = &model.spec;
    let batching = &spec.serving.batching;
    RankerConfig {
        resource: resource.to_string(),
        surface: spec.surface.clone(),
        objective: spec.objective.clone(),
        artifact: spec.artifact.clone(),
        max_batch: size(batching.max_batch),
        max_delay: batching.max_delay.0,
        max_top_k: size(spec.serving.max_top_k),
    }
}

fn page(resource: &ResourceRef, layout: &PageLayout) -> PageConfig {
    let spec = &layout.spec;
    PageConfig {
        resource: resource.to_string(),
        surface: spec.surface.clone(),
        catalogue: spec.catalogue.clone(),
        rows: spec.candidate_rows.iter().filter_map(row).collect(),
        rows_shown: size(spec.page.rows),
        titles_per_row: size(spec.page.titles_per_row),
        deduplicate: spec.deduplicate,
        deadline: spec.deadline.0,
        fallback: spec.fallback,
    }
}

/// The schema requires at least 1, but a value that was made in Rust may be 0.
fn size(number: u32) -> usize {
    usize::try_from(number.max(1)).unwrap_or(usize::MAX)
}

/// `None` for a row without a source, which the schema refuses.
fn row(row: &CandidateRow) -> Option<RowConfig> {
    let source = source(&row.source)?;
    Some(RowConfig { name: row.name.clone(), heading: row.heading.clone(), source })
}

fn source(source: &RowSource) -> Option<Source> {
    if let Some(model) = &source.model {
        return Some(Source::Model { objective: model.objective.clone() });
    }
    if let Some(genre) = &source.genre {
        return Some(Source::Genre { name: genre.name.clone(), objective: genre.objective.clone() });
    }
    if let Some(watched) = &source.because_you_watched {
        return Some(Source::BecauseYouWatched { objective: watched.objective.clone() });
    }
    source.popular.as_ref().map(|_| Source::Popular)
}

fn dangling_rows(config: &PodConfig) -> Vec<Problem> {
    let rankers: BTreeMap<&str, &RankerConfig> =
        config.rankers.iter().map(|ranker| (ranker.objective.as_str(), ranker)).collect();
    let mut problems = Vec::new();
    for page in &config.pages {
        for (index, row) in page.rows.iter().enumerate() {
            let Some(objective) = row.source.objective() else { continue };
            let ranker = rankers.get(objective);
            if ranker.is_some_and(|ranker| ranker.surface == page.surface) {
                continue;
            }
            let known = config.rankers.iter().filter(|ranker| ranker.surface == page.surface);
            problems.push(Problem::DanglingRow {
                layout: page.resource.parse().unwrap_or_default(),
                surface: page.surface.clone(),
                row: row.name.clone(),
                index,
                member: row.source.member(),
                objective: objective.to_owned(),
                elsewhere: ranker.map(|ranker| (ranker.resource.clone(), ranker.surface.clone())),
                hint: spelling::hint(objective, known.map(|ranker| ranker.objective.as_str())),
            });
        }
    }
    problems
}

#[cfg(test)]
mod tests;
