//! Every label and annotation key, in one place.

/// Name of the application: `marquee`.
pub const NAME: &str = "app.kubernetes.io/name";
/// Name of the resource that a child belongs to.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// Component that a child belongs to: [`RANKER`] or [`PAGE`].
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// The application that a child is part of: `marquee`.
pub const PART_OF: &str = "app.kubernetes.io/part-of";
/// The writer of the object: [`OPERATOR`]. The operator finds and prunes its children by this label.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The RankingModel that a pod or another child belongs to.
pub const MODEL: &str = "marquee.dev/model";
/// The PageLayout that a pod or another child belongs to.
pub const LAYOUT: &str = "marquee.dev/layout";
/// The revision that a child belongs to.
pub const REVISION: &str = "marquee.dev/revision";

/// Annotation: hash of the object that the operator applied, so that it sends an unchanged child only once.
pub const APPLIED: &str = "marquee.dev/applied";
/// Annotation of a revision's ConfigMap: location of the weights, for people.
pub const ARTIFACT: &str = "marquee.dev/artifact";

/// Value of [`NAME`] and [`PART_OF`].
pub const MARQUEE: &str = "marquee";
/// Value of [`MANAGED_BY`], and the operator's field manager for server-side apply.
pub const OPERATOR: &str = "marquee-operator";
/// Value of [`COMPONENT`] for a RankingModel's children.
pub const RANKER: &str = "ranker";
/// Value of [`COMPONENT`] for a PageLayout's children.
pub const PAGE: &str = "page";
