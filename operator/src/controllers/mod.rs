//! A folder a kind: `mod` (reconcile, claims, whom a change concerns), `observe`, `decide`, `status`. What both kinds decide alike is in
//! `serving`.
//!
//! A further kind is a folder here, a line in [`kinds`], and, if it has pods, a line in [`POD_LABELS`].

pub mod page_layout;
pub mod ranking_model;
pub mod serving;

use marquee_crds::{PageLayout, RankingModel, labels};
use marquee_operator_kit::{Claim, Kinds, Resource as _};

use crate::{cache::pods::PodLabel, context::Context};

/// To answer to an objective.
pub const OBJECTIVE: Claim = Claim("objective");
/// To serve, or to rank for, a surface.
pub const SURFACE: Claim = Claim("surface");

/// Every kind that the operator reconciles.
pub fn kinds() -> Kinds<Context> {
    Kinds::default().with::<RankingModel>().with::<PageLayout>()
}

/// The labels by which pods name their resource. Where a pod has several, the first counts.
pub const POD_LABELS: [PodLabel; 2] = [
    PodLabel { key: labels::LAYOUT, kind: PageLayout::KIND, is_page: true },
    PodLabel { key: labels::MODEL, kind: RankingModel::KIND, is_page: false },
];
