//! Each kind has a folder with `mod` (reconcile, claims, the resources that a change concerns), `observe`, `decide` and `status`. `serving`
//! has the decisions that both kinds share.
//!
//! A new kind needs a folder here, a line in [`kinds`], and, if it has pods, a line in [`POD_LABELS`].

pub mod page_layout;
pub mod ranking_model;
pub mod serving;

use marquee_crds::{PageLayout, RankingModel, labels};
use marquee_operator_kit::{Claim, Kinds, Resource as _};

use crate::{cache::pods::PodLabel, context::Context};

/// The claim of a model to an objective.
pub const OBJECTIVE: Claim = Claim("objective");
/// The claim to a surface, which a layout serves and for which models rank.
pub const SURFACE: Claim = Claim("surface");

/// Every kind that the operator reconciles.
pub fn kinds() -> Kinds<Context> {
    Kinds::default().with::<RankingModel>().with::<PageLayout>()
}

/// The labels that name the resource of a pod. If a pod has several of them, the first one decides.
pub const POD_LABELS: [PodLabel; 2] = [
    PodLabel { key: labels::LAYOUT, kind: PageLayout::KIND, is_page: true },
    PodLabel { key: labels::MODEL, kind: RankingModel::KIND, is_page: false },
];
