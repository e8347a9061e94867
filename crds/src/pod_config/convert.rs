//! Resources in, [`PodConfig`] out.

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

/// What one process serves of these resources, and every problem found, each with its [`Severity`](super::Severity).
///
/// Pure, total, and the order of the resources changes nothing: where two claim one objective or one surface, the older
/// one has it, then the first by namespace and name. The other is left out (`Refused`). A row whose objective no model of
/// its surface answers to stays, because the rest of the page is worth serving: it is answered by the layout's fallback
/// (`Degraded`).
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

/// What a pod of this model alone serves.
pub fn ranker_pod(model: &RankingModel) -> PodConfig {
    PodConfig { rankers: vec![ranker(&ResourceRef::of(&model.metadata), model)], ..PodConfig::default() }
}

/// What a pod of this page serves when its models have pods of their own.
pub fn page_pod(layout: &PageLayout) -> PodConfig {
    let resource = ResourceRef::of(&layout.metadata);
    let discovery = Some(Discovery { namespace: resource.namespace.clone() });
    PodConfig { rankers: Vec::new(), pages: vec![page(&resource, layout)], discovery }
}

/// What a pod of this page serves together with its models: those of `models` that are of its surface, each objective once.
pub fn monolith_pod(layout: &PageLayout, models: &[RankingModel]) -> PodConfig {
    let own: Vec<RankingModel> =
        models.iter().filter(|model| model.spec.surface == layout.spec.surface).cloned().collect();
    convert(&own, std::slice::from_ref(layout)).0
}

/// Who of two comes first where both claim one objective or one surface: the older, then the first by namespace and name.
pub fn older(one: &ObjectMeta, other: &ObjectMeta) -> std::cmp::Ordering {
    let order = |meta: &ObjectMeta| {
        let created = meta.creation_timestamp.as_ref().map(|time| time.0);
        (Reverse(created.is_some()), created, ResourceRef::of(meta))
    };
    order(one).cmp(&order(other))
}

/// A resource that claims a key, of which there may be one. Claims sort by who comes first.
struct Claim<'a, T> {
    key: &'a str,
    order: Order,
    resource: ResourceRef,
    object: &'a T,
}

/// The oldest first and the undated last; then by namespace and name; then by content, so that the order is total even
/// for what no API server would hold.
type Order = (Reverse<bool>, Option<Timestamp>, ResourceRef, String);

fn claim<'a, T>(meta: &ObjectMeta, spec: &impl Serialize, key: &'a str, object: &'a T) -> Claim<'a, T> {
    let resource = ResourceRef::of(meta);
    let created = meta.creation_timestamp.as_ref().map(|time| time.0);
    let content = serde_json::to_string(spec).unwrap_or_default();
    Claim { key, order: (Reverse(created.is_some()), created, resource.clone(), content), resource, object }
}

/// The first claim of each key, by key; `refuse(key, first, second)` is called for each of the others.
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

/// The schema says at least 1; a value made in Rust may say 0.
fn size(number: u32) -> usize {
    usize::try_from(number.max(1)).unwrap_or(usize::MAX)
}

/// A row without a source, which the schema refuses, is left out.
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
